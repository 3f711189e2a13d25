"""The fleet: container instances, the group they belong to, and the free index over them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from scheduler.core.lifecycle.health import classify
from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.group import InstanceGroup, SilentInstance, Supply
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.world.ledger import Ledger

_LEAVING = ("Terminating", "Terminated", "Detaching", "Detached")


class _Muster(NamedTuple):
    """Members by EC2 id: able to work, silent for a moment (with their ARN), and lost."""

    working: set[str]
    silent: dict[str, str]
    lost: set[str]


class Fleet:
    """What is known of capacity. Instances are replaced as a whole; only changed ones are re-judged."""

    def __init__(self, policy: Policy, ledger: Ledger) -> None:
        """An empty fleet that takes what our attempts hold from `ledger`."""
        self._policy = policy
        self._ledger = ledger
        self._unexplained: dict[str, tuple[Resources, Resources]] = {}
        self._disconnected_ms: dict[str, int] = {}
        self._known_to_work: set[str] = set()
        self._arrivals: list[ContainerInstance] = []
        self.instances: dict[str, ContainerInstance] = {}
        self.health: dict[str, InstanceHealth] = {}
        self.counts: Counter[InstanceHealth] = Counter()
        self.ec2_ids: dict[str, str] = {}
        self.group: InstanceGroup | None = None
        self.rooms = FreeIndex()
        self.registered_by_type: dict[str, Resources] = {}

    def see_instances(self, instances: Iterable[ContainerInstance], as_of_ms: int) -> None:
        """A complete reading: what is not in it is gone."""
        seen = {each.arn: each for each in instances}
        for arn in self.instances.keys() - seen.keys():
            self._forget(arn)
        for instance in seen.values():
            known = self.instances.get(instance.arn)
            if known is None or instance.version >= known.version:
                self._see(instance, as_of_ms)

    def see_group(self, group: InstanceGroup) -> None:
        """A reading of the group; membership decides who is schedulable."""
        before = self.group.members if self.group else {}
        self.group = group
        changed = {
            ec2_id
            for ec2_id in before.keys() | group.members.keys()
            if before.get(ec2_id) != group.members.get(ec2_id)
        }
        for arn, ec2_id in self.ec2_ids.items():
            if ec2_id in changed:
                self.refresh(arn)
                self._welcome(arn)

    def refresh(self, arn: str) -> None:
        """Judges one instance anew and puts its room into the index, or takes it out."""
        instance = self.instances.get(arn)
        if instance is None:
            return
        members = self.group.members if self.group else {}
        health = classify(instance, members.get(instance.ec2_instance_id))
        self._set_health(arn, health)
        if health is not InstanceHealth.SCHEDULABLE:
            self.rooms.discard(arn)
            return
        load = self._ledger.load(arn)
        self.rooms.put(
            arn,
            registered=instance.registered,
            free=self._free(arn),
            launched_ms=instance.launched_ms,
            slots=max(0, self._policy.max_starting_per_instance - load.starting),
        )

    def able(self, now_ms: int) -> int:
        """Members that are able to work: InService, registered, ACTIVE, and connected a moment ago."""
        muster = self._muster(now_ms)
        return len(muster.working) + len(muster.silent)

    def in_flight(self, now_ms: int) -> int:
        """Desired capacity less the members able to work and those lost: what EC2 still owes.

        The group does not replace a member whose agent is lost: EC2 sees nothing wrong with it.
        """
        return self._owed(self._muster(now_ms))

    def supply(self, now_ms: int) -> Supply:
        """What is on its way, and what is silent for a moment."""
        muster = self._muster(now_ms)
        return Supply(
            group=self.group,
            in_flight=self._owed(muster),
            launched_types=tuple(self._launched_types(muster)),
            silent=tuple(
                SilentInstance(registered=self.instances[arn].registered, free=self._free(arn))
                for arn in muster.silent.values()
            ),
        )

    def take_arrivals(self) -> list[ContainerInstance]:
        """Instances that became schedulable for the first time since this was last asked."""
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def offered(self, arn: str) -> Resources | None:
        """What an instance has for tasks of ours, were there none; None when it is gone."""
        instance = self.instances.get(arn)
        return (instance.registered - self._foreign(arn)).floored() if instance else None

    def idle(self) -> int:
        """Schedulable instances without a task of ours and without foreign load."""
        return sum(
            health is InstanceHealth.SCHEDULABLE
            and self._ledger.load(arn).attempts == 0
            and self._foreign(arn) == NOTHING
            for arn, health in self.health.items()
        )

    def _muster(self, now_ms: int) -> _Muster:
        """Sorts members by EC2 id: an instance that registered again has a stale ARN beside its new one."""
        with_health = self.health.items()
        working = {self.ec2_ids[arn] for arn, health in with_health if health is InstanceHealth.SCHEDULABLE}
        silent: dict[str, str] = {}
        lost: set[str] = set()
        if self.counts[InstanceHealth.DISCONNECTED]:
            for arn, since_ms in self._disconnected_ms.items():
                ec2_id = self.ec2_ids[arn]
                if ec2_id in working or not self._is_disconnected_member(arn):
                    continue
                if now_ms - since_ms < self._policy.purchase_grace_ms:
                    silent[ec2_id] = arn
                else:
                    lost.add(ec2_id)
        return _Muster(working, silent, lost - silent.keys())

    def _is_disconnected_member(self, arn: str) -> bool:
        """A member that the group is about to take away is no capacity, and it is replaced."""
        return self.health[arn] is InstanceHealth.DISCONNECTED and not self._leaving(self.ec2_ids[arn])

    def _owed(self, muster: _Muster) -> int:
        there = len(muster.working) + len(muster.silent) + len(muster.lost)
        return max(0, self.group.desired - there) if self.group else 0

    def _launched_types(self, muster: _Muster) -> Iterator[str]:
        members = self.group.members if self.group else {}
        there = muster.working | muster.silent.keys() | muster.lost
        for ec2_id, member in members.items():
            if ec2_id not in there and member.instance_type and not self._leaving(ec2_id):
                yield member.instance_type

    def _free(self, arn: str) -> Resources:
        taken = self._ledger.load(arn).taken + self._foreign(arn)
        return (self.instances[arn].registered - taken).floored()

    def _leaving(self, ec2_id: str) -> bool:
        member = self.group.members.get(ec2_id) if self.group else None
        return member is None or member.lifecycle_state.startswith(_LEAVING)

    def _see(self, instance: ContainerInstance, as_of_ms: int) -> None:
        arn = instance.arn
        self.instances[arn] = instance
        self.ec2_ids[arn] = instance.ec2_instance_id
        if instance.agent_connected:
            self._disconnected_ms.pop(arn, None)
        else:
            self._disconnected_ms.setdefault(arn, as_of_ms)
        # What ECS counts as taken beyond our ledger; the smaller of the last two readings, because a
        # task of ours may be counted there before it is closed here.
        beyond = (instance.registered - instance.remaining - self._ledger.load(arn).taken).floored()
        self._unexplained[arn] = (self._unexplained.get(arn, (beyond, beyond))[1], beyond)
        self.refresh(arn)
        self._welcome(arn)

    def _foreign(self, arn: str) -> Resources:
        """Room that others hold: a task that the store does not know is occupied room, never ours to stop."""
        last, latest = self._unexplained.get(arn, (NOTHING, NOTHING))
        return last.smaller(latest)

    def _welcome(self, arn: str) -> None:
        """Learns from members that can work, and from no others: a stranger may be set up differently."""
        if self.health.get(arn) is not InstanceHealth.SCHEDULABLE:
            return
        instance = self.instances[arn]
        if instance.ec2_instance_id not in self._known_to_work:
            self._known_to_work.add(instance.ec2_instance_id)
            self._arrivals.append(instance)
        least = self.registered_by_type.get(instance.instance_type)
        registered = instance.registered
        self.registered_by_type[instance.instance_type] = least.smaller(registered) if least else registered

    def _forget(self, arn: str) -> None:
        instance = self.instances.pop(arn)
        self.counts[self.health.pop(arn)] -= 1
        self.ec2_ids.pop(arn)
        self._unexplained.pop(arn, None)
        self._disconnected_ms.pop(arn, None)
        self._known_to_work.discard(instance.ec2_instance_id)
        self.rooms.discard(arn)

    def _set_health(self, arn: str, health: InstanceHealth) -> None:
        before = self.health.get(arn)
        if before is not None:
            self.counts[before] -= 1
        self.counts[health] += 1
        self.health[arn] = health
