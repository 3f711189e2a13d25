"""Whatever happens in whatever order, the World keeps its books: a machine that tries."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scheduler.core.decide import decide
from scheduler.core.model.calls import Answer, Call, Failure, InstancesSeen, StartTask
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.core.world.world import World
from tests.builders import M4_4XLARGE, submitted
from tests.core.clusters import LOST, NO_ROOM, THROTTLED
from tests.core.history import History
from tests.core.steps import Steps
from tests.core.truth import Truth
from tests.strategies import index_of

SHAPES = (
    Resources(cpu=2048, memory_mib=8004),
    Resources(cpu=8356, memory_mib=32854),
    M4_4XLARGE,
    M4_4XLARGE + Resources(cpu=1),
)

nth = st.integers(0, 20)
pauses = st.sampled_from([0, 1_000, 3_000, 61_000])


class Cluster(RuleBasedStateMachine):
    """Tasks come, AWS answers well, badly, late or never, instances come and go; time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy()
        self.steps = Steps(World(self.policy, "ci"))
        self.truth = Truth()
        self.history = History()
        self.submissions = 0

    @property
    def world(self) -> World:
        return self.steps.world

    @rule(
        ask=st.sampled_from(SHAPES),
        tenant=st.sampled_from(["bamboo", "other"]),
        priority=st.sampled_from([0, 5]),
        key=st.sampled_from(["definition-1", "definition-2"]),
    )
    def submit(self, ask: Resources, tenant: str, priority: int, key: str) -> None:
        self.submissions += 1
        task = submitted(self.submissions, ask=ask, tenant=tenant, priority=priority, definition_key=key)
        self.truth.asks[task.task_id] = ask
        self.steps.commit(task)

    @initialize(warm=st.booleans())
    def begin(self, warm: bool) -> None:
        """Cold: nothing was read. Warm: two instances work, some tasks start, and one runs."""
        if not warm:
            return
        self.truth.desired = 2
        for ask in SHAPES:
            self.truth.join()
            self.submit(ask, "bamboo", 0, "definition-1")
        for _ in range(4):
            self.turn(0)
        self.task_moves(0, 0)
        self.turn(3_000)
        self.turn(0)

    @rule(ms=pauses)
    def turn(self, ms: int) -> None:
        """Time passes, all calls are answered well, and the next decision is made."""
        self.steps.now_ms += ms
        for _ in range(len(self.steps.under_way)):
            self.answer_well(0)
        self.decide()

    @rule()
    def decide(self) -> None:
        self.steps.step()

    @rule()
    def decide_and_fail_to_commit(self) -> None:
        """Nothing of a plan that was not committed is true, and the next one is the same."""
        plan = decide(self.steps.view(), self.policy)
        assert decide(self.steps.view(), self.policy) == plan

    @precondition(lambda self: self.steps.under_way)
    @rule(which=nth)
    def answer_well(self, which: int) -> None:
        call = self.pick(which)
        if isinstance(call, StartTask) and call.container_instance_arn not in self.truth.instances:
            self.hear(call, NO_ROOM)
        else:
            self.hear(call, self.truth.answer(call))

    @precondition(lambda self: self.steps.under_way)
    @rule(which=nth, failure=st.sampled_from([THROTTLED, NO_ROOM, LOST]))
    def answer_badly(self, which: int, failure: Failure) -> None:
        self.hear(self.pick(which), failure)

    @precondition(lambda self: self.steps.under_way)
    @rule(which=nth)
    def lose_the_answer(self, which: int) -> None:
        """The call had its effect, and nobody was told."""
        call = self.pick(which)
        self.truth.answer(call)
        self.hear(call, LOST)

    @precondition(lambda self: self.truth.moving())
    @rule(which=nth, exit_code=st.sampled_from([0, 1, None]))
    def task_moves(self, which: int, exit_code: int | None) -> None:
        moving = self.truth.moving()
        self.truth.advance(moving[which % len(moving)], exit_code)

    @rule()
    def instance_joins(self) -> None:
        self.truth.join()

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth)
    def instance_dies(self, which: int) -> None:
        self.truth.leave(self.instance(which))

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth, status=st.sampled_from(["ACTIVE", "ACTIVE", "DRAINING"]), connected=st.booleans())
    def instance_turns(self, which: int, status: str, connected: bool) -> None:
        self.truth.turn(self.instance(which), status=status, agent_connected=connected)

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth, amount=st.sampled_from([NOTHING, *SHAPES[:2]]))
    def others_take_room(self, which: int, amount: Resources) -> None:
        self.truth.foreign[self.instance(which)] = amount

    @rule(ms=pauses)
    def time_passes(self, ms: int) -> None:
        self.steps.now_ms += ms

    def pick(self, which: int) -> Call:
        return self.steps.under_way[which % len(self.steps.under_way)][0]

    def instance(self, which: int) -> str:
        return list(self.truth.instances)[which % len(self.truth.instances)]

    def hear(self, call: Call, answer: Answer) -> None:
        self.fold()
        if isinstance(answer, InstancesSeen):
            self.history.read(answer)
        self.steps.answer(call, answer)

    def fold(self) -> None:
        self.history.fold(self.steps.committed)
        self.steps.committed.clear()

    @invariant()
    def books_are_kept(self) -> None:
        """Every check reads the history of the records; what the World says of itself is no witness."""
        self.fold()
        self.index_is_as_rebuilt()
        self.queue_is_whole()
        self.nothing_is_given_twice()
        self.truth_is_kept()

    def index_is_as_rebuilt(self) -> None:
        spares = self.history.spares(self.world.fleet, self.policy.max_starting_per_instance)
        rebuilt = {room.arn: (size.registered, room) for size, room in index_of(spares).spots()}
        kept = {room.arn: (size.registered, room) for size, room in self.world.fleet.rooms.spots()}
        assert kept == rebuilt

    def queue_is_whole(self) -> None:
        queued = {key for key, state in self.history.states.items() if state is TaskState.QUEUED}
        groups = self.steps.view().backlog
        heads = [[task.task_id for task in group.heads] for group in groups]
        assert sum(group.count for group in groups) == len(queued)
        assert {task_id for line in heads for task_id in line} <= queued
        assert all(line == sorted(line) for line in heads), "ids sort as their tasks were accepted"

    def nothing_is_given_twice(self) -> None:
        out = Counter(each.task_id for each in self.history.holding())
        assert all(count == 1 for count in out.values())
        assert out.keys() == {
            key
            for key, state in self.history.states.items()
            if state is not TaskState.QUEUED and state not in TERMINAL_STATES
        }
        for arn in {each.container_instance_arn for each in self.history.holding()}:
            assert self.world.ledger.load(arn).taken == self.history.taken(arn)
            assert self.history.taken(arn).fits_in(M4_4XLARGE)

    def truth_is_kept(self) -> None:
        starts = Counter(call.attempt_id for call in self.steps.awaited(StartTask))
        assert all(count == 1 for count in starts.values())
        assert all(len(self.truth.alive_of(task_id)) <= 1 for task_id in self.history.states)
        counts = Counter(state for state in self.history.states.values() if state not in TERMINAL_STATES)
        assert +self.world.attempts.counts == counts

    def teardown(self) -> None:
        """Once AWS behaves, every task ends: none is lost, and none waits for nothing."""
        self.truth.foreign.clear()
        for _ in range(400):
            self.behave()
            self.fold()
            if all(state in TERMINAL_STATES for state in self.history.states.values()):
                return
        assert not {key: state for key, state in self.history.states.items() if state not in TERMINAL_STATES}

    def behave(self) -> None:
        for arn, instance in self.truth.instances.items():
            if instance.status != "ACTIVE" or not instance.agent_connected:
                self.truth.turn(arn, status="ACTIVE", agent_connected=True)
        for attempt_id in self.truth.moving():
            self.truth.advance(attempt_id, 0)
        self.truth.join()
        self.turn(1_000)


TestCluster = pytest.mark.timeout(60)(Cluster.TestCase)
TestCluster.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
