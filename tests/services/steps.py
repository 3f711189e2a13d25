"""A control loop on a memory store, turned by hand: what the drivers do, without their threads and heaps."""

from collections.abc import Sequence

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.model.answers import Answer, Committed, Message, Outcome
from scheduler.core.model.calls import Call, Lane
from scheduler.core.model.facts import definition_fact, instance_type_fact
from scheduler.core.model.records import Record, StoredRecord
from scheduler.core.world.world import World
from scheduler.ports.store import Written
from scheduler.services.control_loop import ControlLoop, Step
from scheduler.services.lanes import LaneLimit, Lanes, default_limits
from scheduler.services.writer import number
from tests.builders import M4_4XLARGE, submitted
from tests.clocks import START_MS
from tests.services.fakes import CountedIds

DEFINITION_ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/agents:1"


def stored(*records: Record, first_revision: int = 1) -> tuple[StoredRecord, ...]:
    """The records as a commit numbers them."""
    return number(records, first_revision)


def answered(call: Call, answer: Answer, sent_ms: int = START_MS) -> Outcome:
    """What came of a call."""
    return Outcome(call=call, answer=answer, sent_ms=sent_ms)


def ready(world: World) -> World:
    """The world, with nothing left to learn of the builders' definition and instance type."""
    for fact in (
        definition_fact("definition-1", DEFINITION_ARN),
        instance_type_fact("m4.4xlarge", M4_4XLARGE),
    ):
        world.remember(fact.key, fact.value)
    world.settled.clear()
    return world


class HandDriver:
    """Steps, commits and confirms when told to. Its clock is a number, `wake_ms` when it would look again."""

    def __init__(
        self, world: World, store: MemoryStore | None = None, *, limits: dict[Lane, LaneLimit] | None = None
    ) -> None:
        """A loop over `world`, which is made ready."""
        self.now_ms = self.wake_ms = START_MS
        self.store = store or MemoryStore()
        self.world = ready(world)
        self.lanes = Lanes(limits or default_limits(0.5))
        self.loop = ControlLoop(world, self.lanes, CountedIds(), "ci")

    def submission(self, *tasks: int) -> Committed:
        """Makes submissions durable, as the writer does, and returns what the loop is told of it."""
        records = tuple(submitted(each) for each in tasks)
        return Committed(records=self._commit(records))

    def step(self, *messages: Message) -> Step:
        """A step whose commit is still to come, or fails."""
        return self.loop.step(self.now_ms, messages)

    def turn(self, *messages: Message, after_ms: int = 0) -> Step:
        """A whole turn: step, commit, confirm."""
        self.now_ms += after_ms
        step = self.step(*messages)
        self.wake_ms = self.loop.confirm(step, self._commit(step.records))
        return step

    def _commit(self, records: Sequence[Record]) -> tuple[StoredRecord, ...]:
        if not records:
            return ()
        result = self.store.commit([records])[0]
        assert isinstance(result, Written)
        return number(records, result.first_revision)
