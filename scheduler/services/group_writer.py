"""The group's one writer: every reading and every change of the group passes here, one at a time.

Desired capacity has no compare-and-set, and Auto Scaling promises no reading that shows the last write. A
lower desired capacity makes the group end instances, busy or not. So what was accepted here is remembered for
a while, and no reading is believed that shows less. Nor is anything set that is less than what was accepted,
or may have been: the answer that was lost may have been a yes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from scheduler.core.model.answers import Accepted, Answer, Failure, GroupSeen
from scheduler.core.model.calls import DetachInstances, SetDesiredCapacity
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.ports.clock import Clock
from scheduler.ports.cloud import Cloud, CloudError

LAG_MS = 60_000
"""How long a reading may show what was before our last change. Nothing is documented; seconds are seen."""

_RECALLED_MS = 2 * LAG_MS
"""How long before the end of the log a growth counts: it may be granted long after it was decided."""

_DETACHING = "Detaching"

UNSETTLED = "DESIRED_CAPACITY_UNSETTLED"
"""The code of a SetDesiredCapacity that was not sent: an earlier, higher one may have had its effect."""


@dataclass(frozen=True, slots=True)
class _Wrote:
    desired: int = 0
    at_ms: int = 0


class GroupWriter:
    """Reads and changes one group. The lane of the group lets one call out at a time."""

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        """Nothing was written."""
        self._cloud = cloud
        self._clock = clock
        self._accepted = _Wrote()
        self._perhaps_accepted = _Wrote()
        self._detached_ms: dict[str, int] = {}

    def recall(self, log: Iterable[ScalingEvent]) -> None:
        """The end of the scaling log: what an earlier life asked for at its end may have been granted.

        By the clock of the log, and not by this life's, which may have been set: however long ago that end
        seems, what it bought may be too young for a reading.
        """
        told = list(log)
        end_ms = max((each.at_ms for each in told), default=0)
        asked = [
            each.desired_after or 0
            for each in told
            if each.kind is ScalingKind.GROW and not each.held and end_ms - each.at_ms < _RECALLED_MS
        ]
        self._perhaps_accepted = _Wrote(max(asked, default=0), self._clock.now_ms())

    def read(self, name: str) -> InstanceGroup:
        """The group, with no less desired capacity than was accepted a moment ago.

        Nor is a member taken for one that stays if its detach was: it would count twice, as there and as what
        desired capacity is lower by, and another would be bought for it.
        """
        group = self._cloud.group(name)
        from_ms = self._clock.now_ms() - LAG_MS
        self._detached_ms = {each: at_ms for each, at_ms in self._detached_ms.items() if at_ms > from_ms}
        members = {
            each: replace(member, lifecycle_state=_DETACHING) if each in self._detached_ms else member
            for each, member in group.members.items()
        }
        return replace(group, desired=max(group.desired, self._recent(self._accepted)), members=members)

    def raise_desired(self, call: SetDesiredCapacity) -> Answer:
        """A fresh reading before, and one after.

        It is raised by no more than was decided to buy: the group may have become smaller since.
        """
        fresh = self.read(call.group)
        wanted = min(call.desired, fresh.desired + len(call.types), fresh.max_size)
        if wanted <= fresh.desired:
            return GroupSeen(group=fresh)
        self._set(call.group, wanted)
        try:
            return GroupSeen(group=self.read(call.group))
        except CloudError:
            # The act had its effect, whatever became of the reading: the fresh one with it is the next best.
            return GroupSeen(group=replace(fresh, desired=wanted))

    def detach(self, call: DetachInstances) -> Answer:
        """The group as it is afterwards; that it cannot be read does not undo what was accepted."""
        self._cloud.detach(call.group, call.ec2_instance_ids, decrement=call.decrement)
        self._detached_ms |= dict.fromkeys(call.ec2_instance_ids, self._clock.now_ms())
        if call.decrement:
            self._accepted = _less(self._accepted, len(call.ec2_instance_ids))
            self._perhaps_accepted = _less(self._perhaps_accepted, len(call.ec2_instance_ids))
        try:
            return GroupSeen(group=self.read(call.group))
        except CloudError:
            return Accepted()

    def _set(self, group: str, desired: int) -> None:
        """The same again as what may have been accepted settles it; less would end what it launched."""
        perhaps = self._recent(self._perhaps_accepted)
        if desired < perhaps:
            raise CloudError(_unsettled(perhaps, desired))
        try:
            self._cloud.set_desired_capacity(group, desired)
        except CloudError as error:
            if not error.failure.definite:
                self._perhaps_accepted = _Wrote(desired, self._clock.now_ms())
            raise
        self._accepted = self._perhaps_accepted = _Wrote(desired, self._clock.now_ms())

    def _recent(self, wrote: _Wrote) -> int:
        return wrote.desired if self._clock.now_ms() - wrote.at_ms < LAG_MS else 0


def _less(wrote: _Wrote, count: int) -> _Wrote:
    return replace(wrote, desired=wrote.desired - count)


def _unsettled(perhaps: int, desired: int) -> Failure:
    message = (
        f"desired capacity may have been set to {perhaps} a moment ago: the answer was lost, or this service "
        f"began anew; {desired} would end instances then, so it waits for up to {LAG_MS // 1000} seconds"
    )
    return Failure(definite=True, code=UNSETTLED, message=message)
