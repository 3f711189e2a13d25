"""Many seeds: played by as many processes as one likes, in order of seed."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

import structlog

from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.run import Verdict, play

_CHUNK = 5
"""Seeds that a process takes at a time: small, as some take ten times as long as others."""

_AHEAD = 10
"""Chunks for each process that are handed out and not told yet: while one takes long the others play on."""


def verdict_of(seed: int) -> Verdict:
    """What comes of this seed."""
    return play(draw(seed))


def verdicts(seeds: Iterable[int], *, jobs: int) -> Iterator[Verdict]:
    """What comes of each seed. The service's own log is not kept: a story is told when a seed fails."""
    if jobs == 1:
        with silence():
            yield from map(verdict_of, seeds)
        return
    # A fresh interpreter each: forked ones would inherit whatever threads there are.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin) as pool:
        yield from _shared(pool, iter(seeds), ahead=jobs * _AHEAD)


def _shared(pool: Executor, seeds: Iterator[int], *, ahead: int) -> Iterator[Verdict]:
    """As `pool.map`, which would hand out all seeds at once."""
    chunks = iter(lambda: tuple(islice(seeds, _CHUNK)), ())
    under_way = deque(pool.submit(_verdicts_of, each) for each in islice(chunks, ahead))
    try:
        while under_way:
            yield from under_way.popleft().result()
            under_way.extend(pool.submit(_verdicts_of, each) for each in islice(chunks, 1))
    finally:
        for each in under_way:
            each.cancel()


def _verdicts_of(seeds: tuple[int, ...]) -> list[Verdict]:
    return [verdict_of(each) for each in seeds]


@contextmanager
def silence() -> Iterator[None]:
    """Keeps the service's log quiet, and lets it speak again."""
    before = structlog.get_config()
    _be_silent()
    try:
        yield
    finally:
        structlog.configure(**before)


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
