"""What the committed records and the readings say, folded plainly: what the World is held against."""

from collections.abc import Collection, Iterable

from scheduler.core.lifecycle.health import Standing, classify
from scheduler.core.model.answers import Answer, GroupSeen, InstancesSeen
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.records import (
    AttemptRecorded,
    IntentRecorded,
    IntentState,
    Record,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.removal import REMOVE, Removal, read_removal
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState
from tests.strategies import Spare

OLD_MS = 8 * 86_400_000
"""An age beyond `Policy.instance_max_age_ms`, whatever the jitter."""


class History:
    """States by task, attempts by id, in the order of the records. Whatever cannot follow stops it.

    `removals` are those under way, by EC2 id.
    """

    def __init__(self) -> None:
        self.states: dict[str, TaskState] = {}
        self.attempts: dict[str, Attempt] = {}
        self.asks: dict[str, Resources] = {}
        self.removals: dict[str, Removal] = {}
        self.instances: dict[str, ContainerInstance] = {}
        self.group: InstanceGroup | None = None
        self._read_ms: int | None = None
        self._beyond: dict[str, tuple[Resources, Resources]] = {}

    def fold(self, records: Iterable[Record]) -> None:
        """Folds more records in."""
        for record in records:
            match record:
                case TaskSubmitted(task_id=task_id, ask=ask):
                    assert task_id not in self.states
                    self.states[task_id], self.asks[task_id] = TaskState.QUEUED, ask
                case TaskTransitioned(task_id=task_id, previous=previous, state=state, attempt=attempt):
                    assert self.states[task_id] is previous
                    self.states[task_id] = state
                    self._keep(attempt)
                case AttemptRecorded(attempt=attempt):
                    self._keep(attempt)
                case IntentRecorded() as intent:
                    self._settle(intent)
                case _:
                    continue

    def read(self, answer: Answer, sent_ms: int) -> None:
        """A reading: what others hold is what instances show beyond our own."""
        if isinstance(answer, GroupSeen):
            self.group = answer.group
        if not isinstance(answer, InstancesSeen):
            return
        self._read_ms = sent_ms
        self.instances = {each.arn: each for each in answer.instances}
        before, self._beyond = self._beyond, {}
        for each in answer.instances:
            beyond = (each.registered - each.remaining - self.taken(each.arn)).floored()
            self._beyond[each.arn] = (before.get(each.arn, (beyond, beyond))[1], beyond)

    def restart(self) -> None:
        """A new life has read nothing."""
        self.instances, self.group, self._read_ms = {}, None, None
        self._beyond.clear()

    def holding(self, arn: str | None = None) -> list[Attempt]:
        """Attempts that hold room, on one instance or anywhere."""
        attempts = (each for each in self.attempts.values() if each.holds_room)
        return [each for each in attempts if arn in (None, each.container_instance_arn)]

    def taken(self, arn: str) -> Resources:
        """What our open attempts hold on an instance."""
        return sum((self.asks[each.task_id] for each in self.holding(arn)), start=NOTHING)

    def spares(self, max_starting: int, ceiling: int, in_turn: Collection[str]) -> list[Spare]:
        """The free index's input, computed anew for every schedulable instance.

        `ceiling` is how large an operator lets the group become, as the last decision knew it; `in_turn` are
        those that go for their age.
        """
        return [
            self._spare(each, max_starting)
            for each in self.instances.values()
            if self._health(each, ceiling, each.arn in in_turn) is InstanceHealth.SCHEDULABLE
        ]

    def asks_below(self, ec2_instance_id: str) -> list[Resources]:
        """What we hold on an EC2 instance: what began under an earlier ARN may run there still."""
        below = (each for each in self.holding() if each.ec2_instance_id == ec2_instance_id)
        return [self.asks[each.task_id] for each in below]

    def _spare(self, instance: ContainerInstance, max_starting: int) -> Spare:
        """A task that has the instance for itself leaves nothing."""
        asks = self.asks_below(instance.ec2_instance_id)
        alone = any(each.exclusive for each in asks)
        free = instance.registered - sum(asks, start=NOTHING) - self._foreign(instance.arn)
        return Spare(
            arn=instance.arn,
            registered=instance.registered,
            free=NOTHING if alone else free.floored(),
            launched_ms=instance.launched_ms,
            slots=0 if alone else max(0, max_starting - self._starting(instance.arn)),
            empty=not asks and self._foreign(instance.arn) == NOTHING,
        )

    def expired(self) -> set[str]:
        """Members that can work and are too old by the last reading, and none that is being removed."""
        members = self.group.members if self.group else {}
        return {
            each.arn
            for each in self.instances.values()
            if self._read_ms is not None
            and self._read_ms - each.launched_ms >= OLD_MS
            and each.ec2_instance_id in members.keys() - self.removals.keys()
            and each.agent_connected
            and each.status == "ACTIVE"
        }

    def _health(self, instance: ContainerInstance, ceiling: int, in_turn: bool) -> InstanceHealth:
        members = self.group.members if self.group else {}
        clamped = self.group is not None and self.group.desired >= min(self.group.max_size, ceiling)
        standing = Standing(
            claimed=instance.ec2_instance_id in self.removals, too_old=in_turn and not clamped
        )
        return classify(instance, members.get(instance.ec2_instance_id), standing)

    def _settle(self, intent: IntentRecorded) -> None:
        if intent.kind != REMOVE:
            return
        if intent.state is IntentState.OPEN:
            self.removals[intent.key] = read_removal(intent.key, intent.payload)
        else:
            del self.removals[intent.key]

    def _keep(self, attempt: Attempt | None) -> None:
        if attempt is not None:
            self.attempts[attempt.attempt_id] = attempt

    def _starting(self, arn: str) -> int:
        starting = (TaskState.ASSIGNED, TaskState.STARTING)
        return sum(self.states[each.task_id] in starting for each in self.holding(arn))

    def _foreign(self, arn: str) -> Resources:
        """The smaller of the last two readings, because a reading may lag behind our own records."""
        last, latest = self._beyond[arn]
        return last.smaller(latest)
