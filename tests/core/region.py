"""A World beside the truth: time passes, every call is answered as things are, and decisions follow."""

from scheduler.core.model.calls import Call
from scheduler.core.model.facts import instance_type_fact
from scheduler.core.model.plan import Plan
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import Removal
from scheduler.core.model.resources import Resources
from scheduler.core.world.world import World
from tests.builders import M4_4XLARGE, REGULAR, ec2_id, instance_arn, submitted
from tests.clocks import START_MS
from tests.core.clusters import KNOWN
from tests.core.history import OLD_MS
from tests.core.steps import Steps
from tests.core.truth import Truth


class Region:
    """`count` instances that work, numbered from 1, in a group that desires as many; `old` are too old."""

    def __init__(self, count: int, *, old: int = 0, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.truth = Truth()
        self.truth.desired = count
        for number in range(count):
            self.truth.join(START_MS - (OLD_MS if number < old else 600_000 - number))
        self.steps = Steps(World(self.policy, "ci"))
        self.steps.commit(KNOWN, instance_type_fact("m4.4xlarge", M4_4XLARGE))
        self.turn(0)
        self.turn(5_000)
        self.turn(5_000)

    @property
    def world(self) -> World:
        return self.steps.world

    def turn(self, ms: int = 1_000) -> Plan:
        """Time passes, what was asked is answered, and the next decision is made."""
        self.steps.now_ms += ms
        for call, _ in list(self.steps.under_way):
            self.steps.answer(call, self.truth.answer(call))
        return self.steps.step()

    def minutes(self, minutes: float) -> None:
        """So many pass, a few seconds at a time."""
        for _ in range(int(minutes * 12)):
            self.turn(5_000)

    def submit(self, number: int, ask: Resources = REGULAR) -> None:
        """Task `number` enters the queue."""
        task = submitted(number, ask=ask, at_ms=self.steps.now_ms)
        self.truth.asks[task.task_id] = ask
        self.steps.commit(task)

    def run(self, *numbers: int, ask: Resources = REGULAR) -> None:
        """These tasks come, start and run."""
        for number in numbers:
            self.submit(number, ask)
        for _ in range(3):
            self.turn()
        for attempt_id in self.truth.moving():
            if self.truth.tasks[attempt_id].last_status == "PENDING":
                self.truth.advance(attempt_id, None)
        self.turn(2_000)
        self.turn()

    def end_all(self) -> None:
        """All tasks end well, and are seen to."""
        for _ in range(3):
            for attempt_id in self.truth.moving():
                self.truth.advance(attempt_id, 0)
            self.turn(2_000)

    def go_silent(self, number: int) -> None:
        """The agent of an instance is away."""
        self.truth.turn(instance_arn(number), status=self._status(number), agent_connected=False)

    def come_back(self, number: int) -> None:
        """It is there again."""
        self.truth.turn(instance_arn(number), status=self._status(number), agent_connected=True)

    def removals(self) -> list[Removal]:
        """Those under way."""
        return list(self.world.removals)

    def removal(self, number: int = 1) -> Removal | None:
        """An instance's."""
        return self.world.removals.of(ec2_id(number))

    def awaited(self, kind: type[Call]) -> list[Call]:
        """Calls of a kind that have no answer yet."""
        return [call for call, _ in self.steps.under_way if isinstance(call, kind)]

    def restart(self, downtime_ms: int = 0) -> None:
        """The process dies with all its calls, which had no effect; the next one reads what was committed."""
        self.steps.now_ms += downtime_ms
        self.steps.restart()

    def _status(self, number: int) -> str:
        return self.truth.instances[instance_arn(number)].status
