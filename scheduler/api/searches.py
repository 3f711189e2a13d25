"""Searches of the store for tasks, beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

SEARCHES_AT_ONCE = 2
"""A full page of ListTasks costs 20 ms, nearly all of it under the interpreter's lock: more at once would not
be faster, and would keep the event loop waiting for its turn."""

T = TypeVar("T")


class Searches:
    """Carries searches out in threads of their own, in the order in which they were asked for.

    How many tasks the store looks at before enough of them match, nobody can say beforehand, and the event
    loop has everybody else to answer.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="searches")

    async def of(self, search: Callable[[], T]) -> T:
        """What the search found, or raised. One that has not begun is given up with whoever waits for it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, search)

    def close(self) -> None:
        """Begins no further search. Waits for none: whoever asked for it is gone."""
        self._threads.shutdown(wait=False, cancel_futures=True)
