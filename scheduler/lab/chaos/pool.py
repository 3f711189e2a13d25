"""Many seeds: played by as many processes as one likes, in order of seed."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

import structlog

from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.run import Verdict, play

_CHUNK = 5
"""Seeds that a process takes at a time: small, as some take ten times as long as others."""


def verdict_of(seed: int) -> Verdict:
    """What comes of this seed."""
    return play(draw(seed))


def verdicts(seeds: Iterable[int], *, jobs: int) -> Iterator[Verdict]:
    """What comes of each seed. The service's own log is not kept: a story is told when a seed fails."""
    if jobs == 1:
        with _silence():
            yield from map(verdict_of, seeds)
        return
    # A fresh interpreter each: forked ones would inherit whatever threads there are.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin) as pool:
        yield from pool.map(verdict_of, seeds, chunksize=_CHUNK)


class _silence:
    """Keeps the service's log quiet, and lets it speak again."""

    def __enter__(self) -> None:
        self._before = structlog.get_config()
        _be_silent()

    def __exit__(self, *_: object) -> None:
        structlog.configure(**self._before)


def _begin() -> None:
    """Of a process that plays: it ends when whoever began it has ended, however that was."""
    _be_silent()
    parent = parent_process()
    assert parent is not None, "it was begun by a pool"
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _be_silent() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_drop])


def _drop(_logger: object, _name: str, _event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raise structlog.DropEvent
