"""A cluster that anything may happen to: the machine that tries, and the books that must be kept."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scheduler.core.decide import decide
from scheduler.core.model.answers import Answer, Failure
from scheduler.core.model.calls import (
    CAPACITY_ACTS,
    Call,
    DetachInstances,
    SetDesiredCapacity,
    StartTask,
    TerminateInstances,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.facts import member_fact
from scheduler.core.model.plan import Plan
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.core.world.world import World
from tests.builders import M4_4XLARGE, cancel_requested, submitted
from tests.core.clusters import LOST, NO_ROOM, THROTTLED
from tests.core.fleets import candidates_of, ranks_of, ranks_rebuilt
from tests.core.history import OLD_MS, History
from tests.core.interlock_history import InterlockHistory
from tests.core.rebirth import Kept
from tests.core.steps import Steps
from tests.core.truth import Truth
from tests.strategies import index_of

SHAPES = (
    Resources(cpu=2048, memory_mib=8006),
    Resources(cpu=8356, memory_mib=32854),
    M4_4XLARGE,
    M4_4XLARGE + Resources(cpu=1),
    Resources(cpu=2048, memory_mib=8006, exclusive=True),
)

nth = st.integers(0, 20)
pauses = st.sampled_from([0, 1_000, 3_000, 61_000, 130_000])


class Cluster(RuleBasedStateMachine):
    """Tasks come and go, AWS answers well, badly, late or never, instances come and go, and time passes.

    `given_up` tells, for each call that tells the group to let instances go, which of them had been without
    an agent for so long when it was sent that what ran on them was lost; `excused` are those that it met.
    """

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy()
        self.steps = Steps(World(self.policy, "ci"))
        self.truth = Truth()
        self.history = History()
        self.interlocks = InterlockHistory()
        self.given_up: dict[Call, set[str]] = {}
        self.excused: set[str] = set()
        self.submissions = 0

    @property
    def world(self) -> World:
        return self.steps.world

    # ---- what clients do

    @rule(
        ask=st.sampled_from(SHAPES),
        tenant=st.sampled_from(["bamboo", "other"]),
        priority=st.sampled_from([0, 5]),
        key=st.sampled_from(["definition-1", "definition-2"]),
    )
    def submit(self, ask: Resources, tenant: str, priority: int, key: str) -> None:
        self.submissions += 1
        task = submitted(
            self.submissions,
            ask=ask,
            tenant=tenant,
            priority=priority,
            definition_key=key,
            at_ms=self.steps.now_ms,
        )
        self.truth.asks[task.task_id] = ask
        self.steps.commit(task)

    @precondition(lambda self: self.submissions)
    @rule(which=nth)
    def cancel(self, which: int) -> None:
        """Of a task in any state, ended ones included."""
        self.steps.commit(cancel_requested(which % self.submissions + 1))

    # ---- what time and AWS do

    @rule(ms=pauses)
    def turn(self, ms: int) -> None:
        """Time passes, all calls are answered well, and the next decision is made."""
        self.steps.now_ms += ms
        for _ in range(len(self.steps.under_way)):
            self.answer_well(0)
        self.decide()

    @rule(minutes=st.integers(2, 12))
    def minutes_pass(self, minutes: int) -> None:
        """Nothing happens but what we do: instances idle, and agents that are away stay away."""
        for _ in range(2 * minutes):
            self.turn(30_000)

    @rule()
    def decide(self) -> None:
        lost = self.interlocks.lost(self.world.fleet.ec2_ids.values())
        desired = self.world.fleet.group.desired if self.world.fleet.group else 0
        plan = self.steps.step()
        self.plan_is_right(plan, desired)
        for call in plan.calls:
            if isinstance(call, DetachInstances | TerminateInstances):
                self.given_up[call] = lost.intersection(call.ec2_instance_ids)

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
            self.hear(call, self.take_effect(call))

    @precondition(lambda self: self.steps.under_way)
    @rule(which=nth, failure=st.sampled_from([THROTTLED, NO_ROOM, LOST]))
    def answer_badly(self, which: int, failure: Failure) -> None:
        self.hear(self.pick(which), failure)

    @precondition(lambda self: self.steps.under_way)
    @rule(which=nth)
    def lose_the_answer(self, which: int) -> None:
        """The call had its effect, and nobody was told."""
        call = self.pick(which)
        self.take_effect(call)
        self.hear(call, LOST)

    @precondition(lambda self: self.truth.moving())
    @rule(which=nth, exit_code=st.sampled_from([0, 1, None]))
    def task_moves(self, which: int, exit_code: int | None) -> None:
        moving = self.truth.moving()
        self.truth.advance(moving[which % len(moving)], exit_code)

    @rule(old=st.booleans())
    def instance_joins(self, old: bool) -> None:
        self.truth.join(self.steps.now_ms - 2 * OLD_MS * old)

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth)
    def instance_dies(self, which: int) -> None:
        self.truth.leave(self.instance(which))

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth, status=st.sampled_from(["ACTIVE", "ACTIVE", "DRAINING"]), connected=st.booleans())
    def instance_turns(self, which: int, status: str, connected: bool) -> None:
        arn = self.instance(which)
        self.truth.turn(arn, status=status, agent_connected=connected and self.truth.present(arn))

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth, amount=st.sampled_from([None, NOTHING, *SHAPES[:2]]))
    def others_come_and_go(self, which: int, amount: Resources | None) -> None:
        """Somebody else's task, be it one that asks for nothing.

        None begins where we have drained, nor on an instance that registers anew on its way out.
        """
        arn = self.instance(which)
        if amount is None:
            self.truth.foreign.pop(arn, None)
        elif self.takes_tasks_of_others(self.truth.instances[arn]):
            self.truth.foreign[arn] = amount

    @precondition(lambda self: len(self.known_members()) > 1)
    @rule(which=nth)
    def somebody_detaches(self, which: int) -> None:
        """The group replaces it. One that was never seen to be a member would be nobody's to end."""
        known = self.known_members()
        del self.truth.members[known[which % len(known)]]

    @rule(downtime_ms=pauses, had_effect=st.booleans())
    def restart(self, downtime_ms: int, had_effect: bool) -> None:
        """The process dies; what it had sent has its effect all the same, or was never sent."""
        for call, _ in self.steps.under_way if had_effect else ():
            if not isinstance(call, StartTask) or call.container_instance_arn in self.truth.instances:
                self.take_effect(call)
        self.fold()
        returned = self.returned()
        self.steps.now_ms += downtime_ms
        self.steps.restart()
        self.history.restart()
        assert self.returned() == returned

    @rule(ms=pauses)
    def time_passes(self, ms: int) -> None:
        self.steps.now_ms += ms

    # ---- how it is done

    def returned(self) -> dict[str, int | None]:
        """When each task came back to the queue, as far as that gives it more time."""
        return {each: track.returned_ms for each, track in self.world.attempts.tracks.items()}

    def known_members(self) -> list[str]:
        """Members that the records tell of."""
        facts = Kept(self.steps.journal).facts
        return [each for each in self.truth.members if facts.get(member_fact(each, "ci").key)]

    def takes_tasks_of_others(self, instance: ContainerInstance) -> bool:
        removal = self.history.removals.get(instance.ec2_instance_id)
        on_its_way_out = removal is not None and removal.step is not RemovalStep.DRAINING
        open_to_all = instance.status == "ACTIVE" and instance.agent_connected
        return open_to_all and not on_its_way_out and instance.arn not in self.truth.drained

    def take_effect(self, call: Call) -> Answer:
        answer = self.truth.answer(call)
        if not isinstance(answer, Failure):
            self.excused |= self.given_up.get(call, set())
        return answer

    def pick(self, which: int) -> Call:
        return self.steps.under_way[which % len(self.steps.under_way)][0]

    def instance(self, which: int) -> str:
        return list(self.truth.instances)[which % len(self.truth.instances)]

    def hear(self, call: Call, answer: Answer) -> None:
        self.fold()
        sent_ms = next(sent_ms for each, sent_ms in self.steps.under_way if each == call)
        self.history.read(answer, sent_ms)
        self.interlocks.read(answer, sent_ms)
        self.steps.answer(call, answer)

    def fold(self) -> None:
        self.history.fold(self.steps.committed)
        self.steps.committed.clear()

    # ---- what never happens

    def plan_is_right(self, plan: Plan, desired: int) -> None:
        """Held against what was true before and after it was committed."""
        self.fold()
        assert all(each.ec2_instance_id not in self.history.removals for each in plan.placements)
        asks = [call for call in plan.calls if isinstance(call, SetDesiredCapacity)]
        assert all(call.desired > desired for call in asks), "desired capacity is only ever raised"
        if self.interlocks.contradicts():
            assert not plan.placements
            assert not [call for call in plan.calls if isinstance(call, CAPACITY_ACTS)]

    @invariant()
    def books_are_kept(self) -> None:
        """Every check reads the history of the records; what the World says of itself is no witness."""
        self.fold()
        self.index_is_as_rebuilt()
        self.queue_is_whole()
        self.nothing_is_given_twice()
        self.truth_is_kept()
        self.nobody_is_harmed()

    def index_is_as_rebuilt(self) -> None:
        ceiling = self.world.fleet.ceiling
        in_turn = self.world.fleet.ages.in_turn
        spares = self.history.spares(self.policy.max_starting_per_instance, ceiling, in_turn)
        rebuilt = {room.arn: (size.registered, room) for size, room in index_of(spares).spots()}
        # Of tasks of others that ask for nothing a census tells, which is not in this history.
        others = {arn for arn in rebuilt if self.world.fleet.is_occupied(self.world.fleet.ec2_ids[arn])}
        rebuilt |= {arn: (rebuilt[arn][0], rebuilt[arn][1]._replace(empty=False)) for arn in others}
        kept = {room.arn: (size.registered, room) for size, room in self.world.fleet.rooms.spots()}
        assert kept == rebuilt
        assert self.world.fleet.candidates == candidates_of(self.world.fleet)
        assert ranks_of(self.world.fleet) == ranks_rebuilt(self.world.fleet)

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
        for ec2_instance_id in {each.ec2_instance_id for each in self.history.holding()}:
            asks = self.history.asks_below(ec2_instance_id)
            assert len(asks) == 1 or not any(each.exclusive for each in asks)

    def truth_is_kept(self) -> None:
        starts = Counter(call.attempt_id for call in self.steps.awaited(StartTask))
        assert all(count == 1 for count in starts.values())
        assert all(len(self.truth.alive_of(task_id)) <= 1 for task_id in self.history.states)
        counts = Counter(state for state in self.history.states.values() if state not in TERMINAL_STATES)
        assert +self.world.attempts.counts == counts

    def nobody_is_harmed(self) -> None:
        """Nothing on which a task is alive is taken away, unless its agent was away for long."""
        assert [each for each in self.truth.harms if each.ec2_instance_id not in self.excused] == []
        assert self.truth.lowest >= 1, "the last instance stays"
        assert {each.ec2_instance_id for each in self.history.removals.values()} == {
            each.ec2_instance_id for each in self.world.removals
        }

    # ---- how it ends

    def teardown(self) -> None:
        """Once AWS behaves, every task ends: none is lost, and none waits for nothing."""
        self.truth.foreign.clear()
        for _ in range(400):
            self.behave(1_000)
            if all(state in TERMINAL_STATES for state in self.history.states.values()):
                break
        assert not {key: state for key, state in self.history.states.items() if state not in TERMINAL_STATES}
        self.shrink()

    def shrink(self) -> None:
        """Then nothing is left to do, and the group comes down to its floor; nothing is left behind."""
        for _ in range(400):
            self.behave(30_000)
            if self.is_at_rest():
                return
        assert self.history.removals == {}
        assert self.truth.desired == self.floor()
        launched, listed = self.truth.belongings()
        assert launched == self.truth.members.keys(), "what EC2 runs is in the group"
        assert sorted(listed) == sorted(launched), "ECS lists them, and nothing else"
        raise AssertionError("old or disconnected instances were left")

    def floor(self) -> int:
        """The last instance stays, if ever there was one."""
        return max(self.truth.min_size, min(1, self.truth.desired))

    def is_at_rest(self) -> bool:
        launched, listed = self.truth.belongings()
        return (
            not self.history.removals
            and self.truth.desired == self.floor() == len(self.truth.members)
            and launched == self.truth.members.keys()
            and sorted(listed) == sorted(launched)
            and all(self.steps.now_ms - self.truth.launched[each] < OLD_MS for each in launched)
        )

    def behave(self, ms: int) -> None:
        """AWS does what it should: agents are connected, tasks go on, what was asked for comes."""
        self.truth.settle()
        for arn, instance in self.truth.instances.items():
            if instance.ec2_instance_id not in self.history.removals and self.truth.present(arn):
                self.truth.turn(arn, status="ACTIVE", agent_connected=True)
        for attempt_id in self.truth.moving():
            self.truth.advance(attempt_id, 0)
        self.truth.join(self.steps.now_ms)
        for member in self.truth.unregistered() - self.history.removals.keys():
            self.truth.register(member)
        self.turn(ms)
        self.fold()
