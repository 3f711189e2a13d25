"""Interlocks: what must hold before anything is done to instances, groups and tasks.

Each guards against a mistake that no single reading shows: settings that name somebody else's group, a second
scheduler, a group that is steered by others, a failure of the region taken for that of its instances.
"""

from collections import deque
from collections.abc import Iterable

from scheduler.core.model.answers import EcsTask
from scheduler.core.model.group import Hazard, InstanceGroup
from scheduler.core.model.mark import Mark
from scheduler.core.model.policy import Policy
from scheduler.core.model.scaling import Hold

OBSERVE_ONLY = Hold(
    reason="OBSERVE_ONLY", message="started with --observe-only: what would be done is logged, not done"
)
MISMATCH = "GROUP_NOT_IN_CLUSTER"
RIVAL = "SECOND_SCHEDULER"

_UNASKED = Hold(
    reason="HAZARDS_NOT_READ",
    message="the group's features have not been read yet",
    everything=False,
    passing=True,
)

_LAST_BREATH_MS = 10_000
"""How long after our start a StartTask of our own former life may still take effect."""

_AGREEING = 2
"""Complete readings in a row that must show a member in the cluster before anything is removed."""


class PairProof:
    """Whether the cluster and the group belong together: a member of the group was seen in the cluster.

    An empty group contradicts nothing: it may grow, and what it launches will prove the pair.
    """

    def __init__(self, cluster: str, group: str) -> None:
        """Nothing was seen. The names are for the message."""
        self._names = cluster, group
        self._in_a_row = 0
        self._strangers = 0
        self._members = 0
        self.proven = False

    @property
    def agreed(self) -> bool:
        """True when the last complete readings agree, as every removal demands."""
        return self._in_a_row >= _AGREEING

    def see(self, group: InstanceGroup, ec2_instance_ids: Iterable[str], *, again: bool) -> bool:
        """A complete reading of both; True when it is the first that proves the pair.

        `again`: the instances were read anew, so that one more reading agrees, or does not.
        """
        listed = set(ec2_instance_ids)
        shared = len(listed & group.members.keys())
        self._strangers = len(listed) - shared
        self._members = len(group.members)
        if not shared:
            self._in_a_row = 0
        elif again:
            self._in_a_row += 1
        is_news = bool(shared) and not self.proven
        self.proven = self.proven or is_news
        return is_news

    def hold(self) -> Hold | None:
        """Nothing is done while no member was ever seen in the cluster."""
        if self.proven or not self._members:
            return None
        cluster, group = self._names
        return Hold(
            reason=MISMATCH,
            message=(
                f"none of the {self._members} members of the group {group} is registered in the cluster "
                f"{cluster}, where {self._strangers} others are; nothing is started, bought or removed until "
                "one registers; if they should have, correct ECS_ASG or ECS_CLUSTER"
            ),
        )


class Rivals:
    """Marks of other schedulers on tasks: our service id, from another store or a copy of ours."""

    def __init__(self, policy: Policy, own: Mark) -> None:
        """None were seen."""
        self._window_ms = policy.rival_window_ms
        self._own = own
        self._newest: tuple[int, Mark] | None = None

    def see(self, tasks: Iterable[EcsTask]) -> None:
        """A census: every task of the cluster."""
        own = self._own
        marks = [
            (task.created_ms, task.mark)
            for task in tasks
            if task.created_ms is not None
            and task.mark is not None
            and task.mark.service_id == own.service_id
            and (task.mark.store_epoch != own.store_epoch or self._lives_on(task.mark, task.created_ms))
        ]
        self._newest = max(marks, key=lambda each: each[0], default=None)

    def _lives_on(self, mark: Mark, created_ms: int) -> bool:
        """A process on a copy of our store: it marks tasks long after we have begun, and is not we."""
        return mark.since_ms != self._own.since_ms and created_ms > self._own.since_ms + _LAST_BREATH_MS

    def hold(self, now_ms: int) -> Hold | None:
        """The one that began later does nothing while the other goes on marking tasks."""
        if self._newest is None or now_ms - self._newest[0] >= self._window_ms:
            return None
        mark = self._newest[1]
        if (mark.since_ms, mark.store_epoch) > (self._own.since_ms, self._own.store_epoch):
            return None
        return Hold(
            reason=RIVAL,
            message=(
                f"another scheduler with the service id {mark.service_id} and the store {mark.store_epoch} "
                "started tasks in this cluster a moment ago; nothing is done until it has stopped; give the "
                "two different groups, or end one"
            ),
        )


class Hazards:
    """Features of the group that fight this service, as read; `asked` once they were, or never will be."""

    def __init__(self) -> None:
        """None are known."""
        self.found: tuple[Hazard, ...] = ()
        self.asked = False

    def hold(self) -> Hold | None:
        """With some of them every number would be wrong: capacity is left alone."""
        if not self.asked:
            return _UNASKED
        wrong = next((each for each in self.found if each.stops_scaling), None)
        return Hold(reason=wrong.reason, message=wrong.message, everything=False) if wrong else None


class Replacements:
    """What was done because something was absent, counted over time: absence may be a lie of AWS's lists."""

    def __init__(self, policy: Policy) -> None:
        """Nothing was done."""
        self._policy = policy
        self._absences: deque[int] = deque()
        self._never_joined: deque[int] = deque()

    def note(self, now_ms: int, *, never_joined: bool) -> None:
        """One more."""
        self._absences.append(now_ms)
        if never_joined:
            self._never_joined.append(now_ms)

    def allowed(self, members: int, now_ms: int) -> int:
        """How many more may be acted on now: a tenth of the group in ten minutes, one always."""
        _drop_before(self._absences, now_ms - self._policy.absence_ms)
        most = max(1, int(members * self._policy.absence_share))
        return max(0, most - len(self._absences))

    def too_many_never_joined(self, now_ms: int) -> bool:
        """True when it is the image and not the instances."""
        _drop_before(self._never_joined, now_ms - _HOUR_MS)
        return len(self._never_joined) >= self._policy.max_replacements_per_hour


class MassFailure:
    """Whether so many agents went at a time that it cannot be they; and for a while after that."""

    def __init__(self, policy: Policy) -> None:
        """Nothing of the kind."""
        self._policy = policy
        self._until_ms: int | None = None

    def see(self, burst: int, members: int, now_ms: int) -> bool:
        """True when `burst` agents, of so many members, are more than is likely."""
        befallen = burst > likely_failures(members, self._policy)
        if befallen:
            self._until_ms = now_ms + self._policy.mass_failure_ms
        return befallen

    def frozen(self, now_ms: int) -> bool:
        """Agents come back one by one: the last ones are not judged when the first are there."""
        return self._until_ms is not None and now_ms < self._until_ms


def likely_failures(members: int, policy: Policy) -> int:
    """How many members may be disconnected at a time before it is taken for a mass failure."""
    return max(policy.mass_failure_least, int(members * policy.mass_failure_share))


def _drop_before(times: deque[int], at_ms: int) -> None:
    while times and times[0] <= at_ms:
        times.popleft()


_HOUR_MS = 3_600_000
