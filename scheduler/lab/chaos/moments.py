"""Moments: what is to happen when something enters a state for the n-th time from now on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Wait:
    state: str
    left: int
    act: Callable[[], None]


class Moments:
    """Waits for states. What a commit entered is told by whoever heard it."""

    def __init__(self) -> None:
        """Nothing is awaited."""
        self._waits: list[_Wait] = []

    def wait(self, state: str, nth: int, act: Callable[[], None]) -> None:
        """Does it once, when the n-th thing from now enters the state."""
        self._waits.append(_Wait(state, nth, act))

    def clear(self) -> None:
        """Nothing is awaited any more."""
        self._waits.clear()

    def entered(self, states: Iterable[str]) -> None:
        """These states were entered, in this order."""
        for state in states if self._waits else ():
            for each in [each for each in self._waits if each.state == state]:
                each.left -= 1
                if each.left == 0:
                    self._waits.remove(each)
                    each.act()
