"""Promises: which shape each instance was bought for, and whether the one that came holds it.

The group chooses the type that arrives, and daemons take room that no declared size tells of. Without a
memory of it growth would buy one disappointing instance after the other, up to max size.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources


class _Promise(NamedTuple):
    instance_type: str
    ask: Resources


class _Kept(NamedTuple):
    ask: Resources
    until_ms: int


class Promises:
    """What was bought and has not arrived, oldest first; what arrived a moment ago; what disappointed."""

    def __init__(self, policy: Policy) -> None:
        """Nothing was bought."""
        self._policy = policy
        self._open: list[_Promise] = []
        self._kept: dict[str, _Kept] = {}
        self._broken: dict[Resources, int] = {}

    def give(self, types: Sequence[str], asks: Sequence[Resources]) -> None:
        """Instances were granted, each as a type and for a shape."""
        self._open += map(_Promise, types, asks)

    def latest_types(self, in_flight: int) -> tuple[str, ...]:
        """The types of the last `in_flight` asked for: those asked for first arrive first."""
        self._open = self._open[-in_flight:] if in_flight else []
        return tuple(each.instance_type for each in self._open)

    def keep(self, instance: ContainerInstance, offered: Resources, *, in_flight: int, now_ms: int) -> None:
        """An instance arrived. It keeps the promise that suits it best, or breaks the oldest.

        While as many instances are in flight as there are promises, one that holds none was not bought here.
        """
        held = [each for each in self._open if each.ask.fits_in(offered)]
        if held:
            best = max(held, key=lambda each: (each.instance_type == instance.instance_type, each.ask))
            self._open.remove(best)
            self._kept[instance.arn] = _Kept(best.ask, now_ms + self._policy.settling_ms)
        elif len(self._open) > in_flight:
            self._break(self._open.pop(0).ask, now_ms)

    def look_ahead(self, launched: Sequence[Resources], in_flight: int, now_ms: int) -> None:
        """Breaks promises that no instance in flight can keep; `launched` are the sizes of those known.

        Each of the others may still be of any type.
        """
        unkept = self._open[-in_flight:] if in_flight else []
        for size in sorted(launched):
            held = [each for each in unkept if each.ask.fits_in(size)]
            if held:
                unkept.remove(max(held, key=lambda each: each.ask))
        unknown = in_flight - len(launched)
        for promise in unkept[: max(0, len(unkept) - unknown)]:
            self._break(promise.ask, now_ms)

    def settle(self, offered: Callable[[str], Resources | None], now_ms: int) -> None:
        """Takes back promises that looked kept until daemons took their room."""
        for arn, kept in list(self._kept.items()):
            room = offered(arn)
            if room is not None and not kept.ask.fits_in(room):
                self._break(kept.ask, now_ms)
                del self._kept[arn]
            elif room is None or now_ms >= kept.until_ms:
                del self._kept[arn]

    def broken(self, now_ms: int) -> frozenset[Resources]:
        """Shapes that nothing is to be bought for now."""
        self._broken = {ask: until_ms for ask, until_ms in self._broken.items() if until_ms > now_ms}
        return frozenset(self._broken)

    def _break(self, ask: Resources, now_ms: int) -> None:
        self._broken[ask] = now_ms + self._policy.disappointment_ms
