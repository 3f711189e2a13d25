"""Processes of a bench: pinned to a core where there are several, each with a pipe to talk by."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

# gRPC does not survive a fork of a process that has used it.
_context = get_context("spawn")

SERVER_CORE, CLIENT_CORE = 0, 1
STOP = "stop"
PATIENCE_S = 60.0


@contextmanager
def running(main: Callable[..., None], *arguments: Any, core: int) -> Iterator[Connection]:
    """A process that runs `main(connection, *arguments)`; it is told to stop, and waited for, at the end."""
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_pinned, args=(core, main, theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield ours
        ours.send(STOP)
        process.join(PATIENCE_S)
    finally:
        process.kill()
        process.join()
        ours.close()


def heard(connection: Connection) -> Any:
    """The next thing that the process says."""
    if not connection.poll(PATIENCE_S):
        raise TimeoutError(f"a process said nothing for {PATIENCE_S:.0f} s")
    return connection.recv()


def address_of(server: Connection) -> str:
    """Where a server listens, whose first word is its port."""
    return f"127.0.0.1:{heard(server)}"


def _pinned(core: int, main: Callable[..., None], *arguments: Any) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core]})
    main(*arguments)
