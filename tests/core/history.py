"""What the committed records say, folded plainly: the model that the World is held against."""

from collections.abc import Iterable

from scheduler.core.lifecycle.health import classify
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.calls import InstancesSeen
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.records import AttemptRecorded, Record, TaskSubmitted, TaskTransitioned
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState
from scheduler.core.world.fleet import Fleet
from tests.strategies import Spare


class History:
    """States by task, attempts by id, in the order of the records. Whatever cannot follow stops it."""

    def __init__(self) -> None:
        self.states: dict[str, TaskState] = {}
        self.attempts: dict[str, Attempt] = {}
        self.asks: dict[str, Resources] = {}
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
                case _:
                    continue

    def read(self, seen: InstancesSeen) -> None:
        """A reading of the instances: what others hold is what it shows beyond our own."""
        before, self._beyond = self._beyond, {}
        for each in seen.instances:
            beyond = (each.registered - each.remaining - self.taken(each.arn)).floored()
            self._beyond[each.arn] = (before.get(each.arn, (beyond, beyond))[1], beyond)

    def holding(self, arn: str | None = None) -> list[Attempt]:
        """Attempts that hold room, on one instance or anywhere."""
        attempts = (each for each in self.attempts.values() if each.holds_room)
        return [each for each in attempts if arn in (None, each.container_instance_arn)]

    def taken(self, arn: str) -> Resources:
        """What our open attempts hold on an instance."""
        return sum((self.asks[each.task_id] for each in self.holding(arn)), start=NOTHING)

    def spares(self, fleet: Fleet, max_starting: int) -> list[Spare]:
        """The free index's input, computed anew for every schedulable instance."""
        members = fleet.group.members if fleet.group else {}
        return [
            Spare(
                arn=each.arn,
                registered=each.registered,
                free=(each.registered - self.taken(each.arn) - self._foreign(each.arn)).floored(),
                launched_ms=each.launched_ms,
                slots=max(0, max_starting - self._starting(each.arn)),
            )
            for each in fleet.instances.values()
            if classify(each, members.get(each.ec2_instance_id)) is InstanceHealth.SCHEDULABLE
        ]

    def _keep(self, attempt: Attempt | None) -> None:
        if attempt is not None:
            self.attempts[attempt.attempt_id] = attempt

    def _starting(self, arn: str) -> int:
        return sum(self.states[each.task_id] is not TaskState.RUNNING for each in self.holding(arn))

    def _foreign(self, arn: str) -> Resources:
        """The smaller of the last two readings, because a reading may lag behind our own records."""
        last, latest = self._beyond[arn]
        return last.smaller(latest)
