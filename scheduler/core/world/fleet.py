"""The fleet: container instances, the group they belong to, and the free index over them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.lifecycle.health import Standing, classify
from scheduler.core.model.container_instance import GONE, ContainerInstance, InstanceHealth
from scheduler.core.model.group import Candidate, InstanceGroup, SilentInstance, Supply
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.placement.orders import SIZE_CLASSES
from scheduler.core.world.ages import Ages
from scheduler.core.world.daemons import Daemons
from scheduler.core.world.disconnections import Disconnections
from scheduler.core.world.idleness import Idleness
from scheduler.core.world.interlocks import MassFailure
from scheduler.core.world.ledger import Ledger
from scheduler.core.world.muster import Muster, is_staying, muster
from scheduler.core.world.ranks import Rank, Ranks

_REMOVABLE = (InstanceHealth.SCHEDULABLE, InstanceHealth.STALE)

_COUNTED = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")
"""Lifecycle states in which a group compares a member with its desired capacity."""

_NO_CEILING = 1 << 31
"""More instances than any group may have."""

_ENDED = ("terminated", GONE)
"""What EC2 says of an instance that it has ended; of one that it does not know it may be wrong for once."""


class Fleet:
    """What is known of capacity. Instances are replaced as a whole; only changed ones are re-judged."""

    def __init__(self, policy: Policy, ledger: Ledger) -> None:
        """An empty fleet that takes what our attempts hold from `ledger`."""
        self._policy = policy
        self._ledger = ledger
        self._unexplained: dict[str, tuple[Resources, Resources]] = {}
        self._foreign_tasks: dict[str, int] = {}
        self._claimed: dict[str, bool] = {}
        self._arns_of: dict[str, set[str]] = {}
        self._known_to_work: set[str] = set()
        self._replaced_ms: dict[str, int] = {}
        self._arrivals: list[ContainerInstance] = []
        self.instances: dict[str, ContainerInstance] = {}
        self.health: dict[str, InstanceHealth] = {}
        self.ranks = Ranks()
        self.counts = self.ranks.counts
        self.disconnected: dict[str, None] = {}
        self.counted: frozenset[str] = frozenset()
        self.ec2_ids: dict[str, str] = {}
        self.group: InstanceGroup | None = None
        self.rooms = FreeIndex(SIZE_CLASSES[policy.placement])
        self.registered_by_type: dict[str, Resources] = {}
        self.disconnections = Disconnections(policy)
        self.daemons = Daemons(policy)
        self.idleness = Idleness()
        self.candidates = Candidates()
        self.ages = Ages(policy)
        self.ceiling = _NO_CEILING
        self.frozen = False
        self._suspects: frozenset[str] = frozenset()
        self.mass_failure = MassFailure(policy)
        self._ended: Counter[str] = Counter()

    def see_instances(self, instances: Iterable[ContainerInstance], as_of_ms: int) -> list[FactRecorded]:
        """A complete reading: what is not in it is gone. Returns what should be made durable of it."""
        seen = {each.arn: each for each in instances}
        for arn in self.instances.keys() - seen.keys():
            self._forget(arn)
        for instance in seen.values():
            known = self.instances.get(instance.arn)
            if known is None or instance.version >= known.version:
                self._see(instance)
        ended = [arn for arn, each in seen.items() if not each.agent_connected and each.ec2_state in _ENDED]
        self._ended = Counter({arn: self._ended[arn] + 1 for arn in ended})
        self.ages.see(self.instances, as_of_ms)
        self._take_turns()
        self._refresh_all(self.daemons.see_instances(self.instances, as_of_ms))
        for arn in self.instances:
            if self.idleness.see(arn, as_of_ms, idle=not self.is_busy(arn)):
                self._nominate(arn)
        self._note_replaced(as_of_ms)
        return self.disconnections.see(self._connected(), as_of_ms)

    def see_group(self, group: InstanceGroup) -> None:
        """A reading of the group; membership decides who is schedulable."""
        before, was_clamped = self.group.members if self.group else {}, self._is_clamped()
        self.group = group
        self._known_to_work &= self._arns_of.keys() | group.members.keys()
        self.counted = frozenset(
            ec2_id for ec2_id, each in group.members.items() if each.lifecycle_state in _COUNTED
        )
        changed = {
            ec2_id
            for ec2_id in before.keys() | group.members.keys()
            if before.get(ec2_id) != group.members.get(ec2_id)
        }
        for arn, ec2_id in self.ec2_ids.items():
            if ec2_id in changed:
                self.refresh(self.ec2_ids[arn])
                self._welcome(arn)
        if self._is_clamped() is not was_clamped:
            self._refresh_all(self.ages.in_turn)
        self._take_turns()

    def refresh(self, ec2_instance_id: str) -> None:
        """Judges one instance anew, under every ARN that it has: what is taken under one is under all."""
        for arn in tuple(self._arns_of.get(ec2_instance_id, ())):
            self._judge(arn)

    def in_flight(self, now_ms: int) -> int:
        """Desired capacity less the members able to work, those lost and those leaving: what EC2 still owes.

        The group does not replace a member whose agent is lost: EC2 sees nothing wrong with it.
        """
        return self.muster(now_ms).owed(self.group)

    def supply(self, now_ms: int) -> Supply:
        """What is on its way, and what is silent for a moment."""
        seen = self.muster(now_ms)
        return Supply(
            group=self.group,
            in_flight=seen.owed(self.group),
            launched_types=tuple(self._launched_types(seen)),
            silent=tuple(
                SilentInstance(
                    registered=self.instances[arn].registered,
                    free=self._free(arn),
                    empty=not self.is_occupied(ec2_id),
                    arn=arn,
                )
                for ec2_id, arn in seen.silent.items()
            ),
        )

    def take_arrivals(self) -> list[ContainerInstance]:
        """Instances that became schedulable for the first time since this was last asked."""
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def offered(self, arn: str) -> Resources | None:
        """What an instance has for tasks of ours, were there none; None when it is gone."""
        instance = self.instances.get(arn)
        return (instance.registered - self.foreign(arn)).floored() if instance else None

    def idle(self) -> int:
        """Schedulable instances without a task of ours and without foreign load."""
        return sum(
            health is InstanceHealth.SCHEDULABLE and not self.is_busy(arn)
            for arn, health in self.health.items()
        )

    def is_busy(self, arn: str) -> bool:
        """Whether attempts of ours or somebody else's tasks are on it, under whichever ARN it had."""
        return self._ledger.load_of(self.ec2_ids[arn]).attempts > 0 or self.has_others(arn)

    def is_occupied(self, ec2_instance_id: str) -> bool:
        """Whether anything of anybody's is on it, under whichever ARN."""
        return any(self.is_busy(each) for each in self._arns_of.get(ec2_instance_id, ()))

    def is_connected(self, ec2_instance_id: str) -> bool:
        """Whether its agent is, under whichever ARN."""
        return any(self.instances[each].agent_connected for each in self._arns_of.get(ec2_instance_id, ()))

    def is_replaced(self, arn: str) -> bool:
        """Whether its agent registered again, under another ARN that is connected."""
        alike = self._arns_of[self.ec2_ids[arn]]
        return any(each != arn and self.instances[each].agent_connected for each in alike)

    def replaced_ms(self, arn: str) -> int | None:
        """Since which reading its agent has been under another ARN; None for one that is not so replaced."""
        return self._replaced_ms.get(arn)

    def has_ended(self, arn: str) -> bool:
        """Whether EC2 has ended it, by the last two readings, and the group does not say otherwise."""
        return self._ended[arn] > 1 and not self.is_in_service(self.ec2_ids[arn])

    def is_in_service(self, ec2_instance_id: str) -> bool:
        """Whether the group lists it so: of others, it or an operator is at them."""
        member = self.group.members.get(ec2_instance_id) if self.group else None
        return member is not None and member.lifecycle_state == "InService"

    def foreign(self, arn: str) -> Resources:
        """Room that others hold: a task that the store does not know is occupied room, never ours to stop."""
        last, latest = self._unexplained.get(arn, (NOTHING, NOTHING))
        return last.smaller(latest)

    def see_foreign(self, tasks_by_arn: Mapping[str, int], daemons_on: Iterable[str] = ()) -> None:
        """A census: how many tasks of others each instance has, and which have other daemons than before."""
        before, self._foreign_tasks = self._foreign_tasks, dict(tasks_by_arn)
        for arn in tasks_by_arn:
            self.idleness.end(arn)
        self._refresh_all({*before, *tasks_by_arn, *daemons_on})

    def claim(self, ec2_instance_id: str, *, replaced: bool) -> None:
        """It is being removed. `replaced`: the group launches another one, which is in flight from now on."""
        self._claimed[ec2_instance_id] = replaced
        self.refresh(ec2_instance_id)

    def suspect(self, ec2_instance_ids: Iterable[str]) -> None:
        """These, by EC2 id, get no tasks; whoever was suspect before and is not any more gets some again."""
        before, self._suspects = self._suspects, frozenset(ec2_instance_ids)
        for ec2_id in before ^ self._suspects:
            self.refresh(ec2_id)

    def release(self, ec2_instance_id: str) -> None:
        """It is not being removed any more."""
        self._claimed.pop(ec2_instance_id, None)
        self.refresh(ec2_instance_id)

    def limit(self, ceiling: int) -> None:
        """The group is not to be larger than this, by an operator's wish; old instances are judged by it."""
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            self._refresh_all(self.ages.in_turn)

    def muster(self, now_ms: int) -> Muster:
        """Members by what they are good for."""
        silent: dict[str, str] = {}
        lost: set[str] = set()
        for arn in self.disconnected:
            if self.health[arn] is InstanceHealth.DISCONNECTED:
                ec2_id = self.ec2_ids[arn]
                since_ms = self.disconnections.since_ms(ec2_id)
                recent = since_ms is not None and now_ms - since_ms < self._policy.purchase_grace_ms
                if recent or self.frozen:
                    silent[ec2_id] = arn
                else:
                    lost.add(ec2_id)
        going = [ec2_id for ec2_id, replaced in self._claimed.items() if not replaced]
        return muster(self.group, self.ranks.of, silent, lost, going)

    def _launched_types(self, seen: Muster) -> Iterator[str]:
        members = self.group.members if self.group and seen.owed(self.group) else {}
        there = seen.there | self._claimed.keys() if members else ()
        for ec2_id, member in members.items():
            if ec2_id not in there and member.instance_type and is_staying(self.group, ec2_id):
                yield member.instance_type

    def _free(self, arn: str) -> Resources:
        load = self._ledger.load_of(self.ec2_ids[arn])
        if load.exclusive:
            return NOTHING
        return (self.instances[arn].registered - self.foreign(arn) - load.taken).floored()

    def _note_replaced(self, as_of_ms: int) -> None:
        """A list may leave out either ARN: time goes on until the old one is connected again, or idle."""
        replaced = [arn for arn in self.disconnected if self.is_replaced(arn)]
        going_on = {arn: at_ms for arn, at_ms in self._replaced_ms.items() if self._stays_replaced(arn)}
        self._replaced_ms = dict.fromkeys(replaced, as_of_ms) | going_on

    def _stays_replaced(self, arn: str) -> bool:
        unlisted = arn not in self.instances
        return arn in self.disconnected or (unlisted and self._ledger.load(arn).attempts > 0)

    def _connected(self) -> dict[str, bool]:
        """By EC2 id; of an instance with two ARNs the connected one counts, and none rests in a warm pool."""
        connected: dict[str, bool] = {}
        members = self.group.members if self.group and self.group.has_warm_pool else self._arns_of
        for instance in self.instances.values():
            if instance.ec2_instance_id not in members:
                continue
            before = connected.get(instance.ec2_instance_id, False)
            connected[instance.ec2_instance_id] = before or instance.agent_connected
        return connected

    def _see(self, instance: ContainerInstance) -> None:
        arn = instance.arn
        known, before = self.instances.get(arn), self._unexplained.get(arn)
        self.instances[arn] = instance
        self.ec2_ids[arn] = instance.ec2_instance_id
        if instance.agent_connected:
            self.disconnected.pop(arn, None)
        else:
            self.disconnected[arn] = None
        self._arns_of.setdefault(instance.ec2_instance_id, set()).add(arn)
        # What ECS counts as taken beyond our ledger; the smaller of the last two readings, because a
        # task of ours may be counted there before it is closed here.
        registered = instance.registered.on(Architecture.ANY)
        beyond = (registered - instance.remaining - self._ledger.load(arn).taken).floored()
        self._unexplained[arn] = (before[1] if before else beyond, beyond)
        if known != instance or self._unexplained[arn] != before:
            self.refresh(self.ec2_ids[arn])
        self._welcome(arn)

    def has_others(self, arn: str) -> bool:
        """Whether tasks of others are on it, be it such as ask for nothing; daemons aside.

        Where daemons are, the room that is taken is theirs, unless ECS counts more tasks than them and ours.
        """
        if self._foreign_tasks.get(arn):
            return True
        daemons, instance = self.daemons.count(arn), self.instances[arn]
        ours = self._ledger.load_of(instance.ec2_instance_id).attempts
        return self.foreign(arn) != NOTHING and (not daemons or instance.tasks > daemons + ours)

    def _judge(self, arn: str) -> None:
        """Puts an instance's room into the index, or takes it out."""
        instance, ec2_id = self.instances[arn], self.ec2_ids[arn]
        members = self.group.members if self.group else {}
        too_old = arn in self.ages.in_turn and not self._is_clamped()
        standing = Standing(
            claimed=ec2_id in self._claimed, suspect=ec2_id in self._suspects, too_old=too_old
        )
        health = self.health[arn] = classify(instance, members.get(ec2_id), standing)
        self.ranks.put(arn, Rank(ec2_id, health, instance.availability_zone))
        if self._ledger.load_of(ec2_id).attempts:
            self.idleness.end(arn)
        self._nominate(arn)
        if health is not InstanceHealth.SCHEDULABLE:
            self.rooms.discard(arn)
            return
        load = self._ledger.load_of(ec2_id)
        kept = self.daemons.room(instance, load.attempts)
        slots = self._policy.max_starting_per_instance - self._ledger.load(arn).starting
        self.rooms.put(
            arn,
            registered=instance.registered,
            free=(self._free(arn) - (kept or NOTHING)).floored(),
            launched_ms=instance.launched_ms,
            slots=max(0, slots) if kept is None and not load.exclusive else 0,
            empty=not self.is_occupied(ec2_id),
            awaits_daemons=kept is not None,
        )

    def _nominate(self, arn: str) -> None:
        """It could be removed, idle or too old, or could not; those claimed already are left out."""
        idle_since_ms, too_old = self.idleness.since_ms(arn), arn in self.ages.in_turn
        if (idle_since_ms is None and not too_old) or self.health[arn] not in _REMOVABLE:
            self.candidates.discard(arn)
            return
        instance = self.instances[arn]
        candidate = Candidate(
            arn=arn,
            ec2_instance_id=instance.ec2_instance_id,
            availability_zone=instance.availability_zone,
            launched_ms=instance.launched_ms,
            too_old=too_old,
            idle_since_ms=idle_since_ms,
        )
        if self.candidates.get(arn) != candidate:
            self.candidates.put(candidate)

    def _take_turns(self) -> None:
        """Who of the expired is to go now; those on their way count, whatever they go for."""
        members = self.group.members if self.group else {}
        listed = [arn for arn in self.ages.expired if self.ec2_ids[arn] in members]
        leaving = [arn for arn in listed if self.ec2_ids[arn] in self._claimed]
        able = [arn for arn in listed if self.instances[arn].agent_connected and arn not in leaving]
        serving = [arn for arn in able if self.instances[arn].status == "ACTIVE"]
        self._refresh_all(self.ages.take_turns(serving, leaving=len(leaving), members=len(members)))

    def _refresh_all(self, arns: Iterable[str]) -> None:
        for arn in arns:
            self.refresh(self.ec2_ids.get(arn, ""))

    def _is_clamped(self) -> bool:
        """The group cannot grow: an old instance is better than none."""
        if self.group is None:
            return False
        return self.group.desired >= min(self.group.max_size, self.ceiling)

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
        self.health.pop(arn)
        self.ranks.discard(arn)
        self.candidates.discard(arn)
        self.disconnected.pop(arn, None)
        self.ec2_ids.pop(arn)
        self._unexplained.pop(arn, None)
        self._foreign_tasks.pop(arn, None)
        self.idleness.end(arn)
        alike = self._arns_of[instance.ec2_instance_id]
        alike.discard(arn)
        if not alike:
            del self._arns_of[instance.ec2_instance_id]
            # A member that a list leaves out is no arrival when the next one has it again.
            if self.group is None or instance.ec2_instance_id not in self.group.members:
                self._known_to_work.discard(instance.ec2_instance_id)
        self.rooms.discard(arn)
        self.rooms.images.forget(arn)
        self.refresh(instance.ec2_instance_id)
