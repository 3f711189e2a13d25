"""Gathering: calls that come close together go on together, and nobody waits alone."""

from collections.abc import Callable

from scheduler.api.gathering import GATHER_S, Gathering


class HeldLoop:
    """A loop whose timers go off when the test says so."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []
        self._timers: list[Callable[[], None]] = []

    def call_later(self, pause_s: float, callback: Callable[[], None]) -> None:
        self.pauses_s.append(pause_s)
        self._timers.append(callback)

    def go_off(self) -> None:
        while self._timers:
            self._timers.pop(0)()


class Meeting:
    """A gathering on a held loop, and who has gone on from it."""

    def __init__(self) -> None:
        self.loop = HeldLoop()
        self.gone_on: list[str] = []
        self._gathering = Gathering(self.loop)  # type: ignore[arg-type]  # the one method that it uses

    def come(self, *names: str) -> None:
        for name in names:
            self._gathering.join(lambda name=name: self.gone_on.append(name))  # type: ignore[misc]


def test_they_go_on_together_in_the_order_in_which_they_came() -> None:
    """Nobody goes on before the time is over, and then all do, by one timer."""
    meeting = Meeting()
    meeting.come("first", "second")
    meeting.come("third")
    assert meeting.gone_on == []
    meeting.loop.go_off()
    assert meeting.gone_on == ["first", "second", "third"]
    assert len(meeting.loop.pauses_s) == 1


def test_who_comes_alone_does_not_wait() -> None:
    """There is a pause only after calls that had company, and none any more after one that had none."""
    meeting = Meeting()
    for names in (["alone"], ["one", "other"], ["alone"], ["alone"]):
        meeting.come(*names)
        meeting.loop.go_off()
    assert meeting.loop.pauses_s == [0, 0, GATHER_S, 0]
