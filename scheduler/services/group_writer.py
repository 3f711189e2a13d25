"""The group's one writer: every reading and every change of the group passes here, one at a time.

Desired capacity has no compare-and-set, and Auto Scaling promises no reading that shows the last write. A
lower desired capacity makes the group end instances, busy or not. So what was accepted here is remembered for
a while: no reading is believed that shows less, and nothing less is ever set.
"""

from dataclasses import dataclass, replace

from scheduler.core.model.answers import Accepted, Answer, GroupSeen
from scheduler.core.model.calls import DetachInstances, SetDesiredCapacity
from scheduler.core.model.group import InstanceGroup
from scheduler.ports.clock import Clock
from scheduler.ports.cloud import Cloud, CloudError

LAG_MS = 60_000
"""How long a reading may show what was before our last change. Nothing is documented; seconds are seen."""


@dataclass(frozen=True, slots=True)
class _Wrote:
    desired: int
    at_ms: int


class GroupWriter:
    """Reads and changes one group. The lane of the group lets one call out at a time."""

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        """Nothing was written."""
        self._cloud = cloud
        self._clock = clock
        self._wrote: _Wrote | None = None

    def read(self, name: str) -> InstanceGroup:
        """The group, with no less desired capacity than was accepted a moment ago."""
        group = self._cloud.group(name)
        wrote = self._wrote
        if wrote is None or self._clock.now_ms() - wrote.at_ms >= LAG_MS:
            return group
        return replace(group, desired=max(group.desired, wrote.desired))

    def raise_desired(self, call: SetDesiredCapacity) -> Answer:
        """A fresh reading before, and one after.

        It is raised by no more than was decided to buy: the group may have become smaller since.
        """
        fresh = self.read(call.group)
        wanted = min(call.desired, fresh.desired + len(call.types), fresh.max_size)
        if wanted <= fresh.desired:
            return GroupSeen(group=fresh)
        self._cloud.set_desired_capacity(call.group, wanted)
        self._wrote = _Wrote(wanted, self._clock.now_ms())
        try:
            return GroupSeen(group=self.read(call.group))
        except CloudError:
            # The act had its effect, whatever became of the reading: the fresh one with it is the next best.
            return GroupSeen(group=replace(fresh, desired=wanted))

    def detach(self, call: DetachInstances) -> Answer:
        """The group as it is afterwards; that it cannot be read does not undo what was accepted."""
        self._cloud.detach(call.group, call.ec2_instance_ids, decrement=call.decrement)
        if self._wrote is not None and call.decrement:
            self._wrote = replace(self._wrote, desired=self._wrote.desired - len(call.ec2_instance_ids))
        try:
            return GroupSeen(group=self.read(call.group))
        except CloudError:
            return Accepted()
