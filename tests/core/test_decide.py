"""decide: same view, same plan; and what a plan never holds."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.decide import decide
from scheduler.core.model.answers import Failure
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.backlog import WantedDefinition
from scheduler.core.model.calls import (
    LANE_OF,
    Call,
    DeregisterInstance,
    DescribeContainerInstances,
    DescribeGroup,
    FindAttempt,
    Lane,
    RegisterTaskDefinition,
    SetDesiredCapacity,
    StartTask,
)
from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.digest import Unplaced
from scheduler.core.model.facts import instance_type_fact
from scheduler.core.model.group import InstanceType
from scheduler.core.model.plan import Plan
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import IntentRecorded, IntentState, ScalingRecorded
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.scaling import Limits
from scheduler.core.model.task import TaskState
from scheduler.core.view import ClusterView
from tests.builders import (
    M4_4XLARGE,
    a_capacity,
    a_group,
    a_task,
    a_type,
    a_view,
    an_ecs_task,
    an_evidence,
    an_instance,
    attempt,
    attempt_id,
    instance_arn,
)
from tests.strategies import MODEST, queues

POLICY = Policy()

START = StartTask(
    attempt_id=attempt_id(99, 1),
    task_id="t-99",
    container_instance_arn=instance_arn(1),
    task_definition_arn="definition-1:1",
)
FIND = FindAttempt(attempt_id=attempt_id(98, 1), container_instance_arn=instance_arn(1))
DUE: tuple[Call, ...] = (START, FIND, DescribeContainerInstances(), DescribeGroup(group="ci"))
NOT_AUTHORIZED = Failure(definite=True, code="ClientException", message="Role is not valid")
TIMED_OUT = Failure(definite=False, code="ReadTimeout", message="no answer")
WANTED = tuple(WantedDefinition(definition_key=f"key-{n}", task_id=f"t-{n}") for n in range(5))


def instances(count: int) -> tuple[ContainerInstance, ...]:
    return tuple(an_instance(number) for number in range(1, count + 1))


views = st.builds(
    lambda tasks, count, ready, growing, slots, due, wanted, leftovers: a_view(
        *tasks,
        instances=instances(count),
        ready=ready,
        capacity=a_capacity(group=a_group(desired=count), growing=growing),
        slots=dict(zip(Lane, slots, strict=True)),
        due=tuple(due),
        wanted_definitions=WANTED[:wanted],
        upkeep=Upkeep(
            limits=Limits(floor=0, ceiling=50),
            size=count,
            leftovers=tuple(map(instance_arn, range(leftovers))),
        ),
    ),
    tasks=queues(),
    count=st.integers(0, 3),
    ready=st.booleans(),
    growing=st.booleans(),
    slots=st.lists(st.integers(-1, 6), min_size=len(Lane), max_size=len(Lane)),
    due=st.lists(st.sampled_from(DUE), unique=True),
    wanted=st.integers(0, 5),
    leftovers=st.integers(0, 8),
)


def calls_of(plan: Plan, kind: type) -> list[Call]:
    return [call for call in plan.calls if isinstance(call, kind)]


def rooms_of(view: ClusterView) -> list[object]:
    return list(view.rooms.spots())


@MODEST
@given(view=views)
def test_same_view_same_plan(view: ClusterView) -> None:
    """A decision changes nothing that it looks at, and looks at nothing else."""
    before = rooms_of(view)
    first = decide(view, POLICY)
    assert rooms_of(view) == before
    assert decide(view, POLICY) == first


@MODEST
@given(view=views)
def test_no_lane_gets_more_than_its_slots(view: ClusterView) -> None:
    """Placements count as StartTask calls; due repeats come before them."""
    plan = decide(view, POLICY)
    used = Counter(LANE_OF[type(call)] for call in plan.calls)
    used[Lane.TASK_MODIFY] += len(plan.placements)
    assert all(count <= max(0, view.slots[lane]) for lane, count in used.items())
    if START in view.due and view.slots[Lane.TASK_MODIFY] > 0:
        assert START in plan.calls


@MODEST
@given(view=views)
def test_every_act_has_its_intent(view: ClusterView) -> None:
    """What is not durable first is not sent, and no intent is opened for what is not sent."""
    plan = decide(view, POLICY)
    intents = Counter(each.kind for each in plan.settled if isinstance(each, IntentRecorded))
    assert intents["register"] == len(calls_of(plan, RegisterTaskDefinition))
    assert intents["set_desired"] == len(calls_of(plan, SetDesiredCapacity))
    assert intents["deregister"] == len(calls_of(plan, DeregisterInstance))


@MODEST
@given(view=views)
def test_nothing_is_given_away_before_the_cluster_was_read(view: ClusterView) -> None:
    """Room that nobody has seen is no room, and demand against it is no demand."""
    plan = decide(view, POLICY)
    if not view.ready:
        assert not plan.placements
        assert not plan.transitions
    if not view.ready or view.capacity.growing:
        assert not calls_of(plan, SetDesiredCapacity)


@MODEST
@given(view=views)
def test_a_task_is_in_a_plan_once(view: ClusterView) -> None:
    """It is placed or failed or left waiting, never two of these; waiting ones are counted exactly."""
    plan = decide(view, POLICY)
    named = [each.task.task_id for each in plan.placements] + [each.task_id for each in plan.transitions]
    assert len(set(named)) == len(named)
    waiting = sum(group.count for group in view.backlog)
    assert sum(each.waiting for each in plan.unplaced) + len(plan.placements) == waiting


def test_a_task_is_placed_under_its_definition() -> None:
    """The plan names the task, the instance under both its names, and the revision."""
    (placement,) = decide(a_view(a_task(), instances=instances(1)), POLICY).placements
    assert placement.task == a_task()
    assert (placement.container_instance_arn, placement.ec2_instance_id) == (
        an_instance().arn,
        an_instance().ec2_instance_id,
    )
    assert placement.task_definition_arn == "definition-1:1"


def test_growth_starts_from_what_is_desired() -> None:
    """Two tasks of a whole instance each, and one that is desired already: three."""
    tasks = (a_task(1, ask=M4_4XLARGE), a_task(2, ask=M4_4XLARGE))
    view = a_view(*tasks, capacity=a_capacity(group=a_group(desired=1)))
    (call,) = calls_of(decide(view, POLICY), SetDesiredCapacity)
    assert call == SetDesiredCapacity(
        group="ci", desired=3, types=("m4.4xlarge",) * 2, asks=(M4_4XLARGE,) * 2
    )


def test_what_no_type_holds_fails_with_the_largest_named() -> None:
    """The client learns what it could have asked for."""
    tasks = (a_task(1, ask=Resources(cpu=16385, memory_mib=1)), a_task(2))
    (failed,) = decide(a_view(*tasks, instances=instances(1)), POLICY).transitions
    assert (failed.task_id, failed.state) == (a_task(1).task_id, TaskState.FAILED)
    assert failed.stop_reason is not None
    assert failed.stop_reason.category is StopCategory.NEVER_FITS
    assert "m4.4xlarge with 16384 CPU units, 64419 MiB and 0 GPUs" in failed.stop_reason.message


def test_what_fits_an_instance_that_is_there_is_placed_although_no_type_holds_it() -> None:
    """An instance larger than any type of today's group serves until it goes."""
    larger = an_instance(registered=M4_4XLARGE.times(2))
    plan = decide(a_view(a_task(ask=M4_4XLARGE.times(2)), instances=(larger,)), POLICY)
    assert len(plan.placements) == 1
    assert not plan.transitions


def test_a_refused_definition_fails_its_tasks() -> None:
    """AWS's own words reach whoever waits for the task."""
    view = a_view(rejected=((a_task(), NOT_AUTHORIZED),))
    (failed,) = decide(view, POLICY).transitions
    assert failed.stop_reason is not None
    assert failed.stop_reason.category is StopCategory.REJECTED
    assert failed.stop_reason.message == NOT_AUTHORIZED.message


def test_evidence_becomes_transitions_and_attempts() -> None:
    """Where a task's state changes it is a transition, else only its attempt is recorded."""
    running = an_evidence(attempt(1), seen=an_ecs_task(attempt(1), last_status="RUNNING"))
    lost = an_evidence(attempt(2), failure=TIMED_OUT)
    plan = decide(a_view(evidence=(running, lost)), POLICY)
    assert [each.state for each in plan.transitions] == [TaskState.RUNNING]
    assert [each.task_id for each in plan.attempts] == [attempt(2).task_id]


def learned(known: Resources, registered: Resources, *, before: bool) -> tuple[object, ...]:
    return settled_by(replace(a_type(allocatable=known), learned=before), registered)


def settled_by(known: InstanceType, registered: Resources) -> tuple[object, ...]:
    view = a_view(capacity=a_capacity(types=(known,)), registered_by_type={"m4.4xlarge": registered})
    return decide(view, POLICY).settled


def test_the_first_instance_of_a_type_teaches_its_size() -> None:
    """What was guessed from EC2's declared size is replaced, larger or smaller."""
    for registered in (M4_4XLARGE, Resources(cpu=1, memory_mib=1)):
        facts = learned(Resources(cpu=16384, memory_mib=60948), registered, before=False)
        assert facts == (instance_type_fact("m4.4xlarge", registered),)


def test_a_type_is_as_small_as_its_smallest_instance_ever_was() -> None:
    """A later instance lowers what is known, dimension by dimension, and never raises it."""
    wide = Resources(cpu=16384, memory_mib=64000)
    narrow = Resources(cpu=16000, memory_mib=64419)
    both = Resources(cpu=16000, memory_mib=64000)
    assert learned(wide, M4_4XLARGE, before=True) == ()
    assert learned(wide, narrow, before=True) == (instance_type_fact("m4.4xlarge", both),)


def test_what_daemons_take_of_a_type_is_not_learned() -> None:
    """What an instance registers is held against what its type registered, not against what is left of it."""
    kept = Resources(cpu=128, memory_mib=256)
    a_little_less = M4_4XLARGE - Resources(memory_mib=19)
    known = InstanceType(name="m4.4xlarge", allocatable=M4_4XLARGE - kept, kept=kept, learned=True)
    assert settled_by(known, M4_4XLARGE) == ()
    assert settled_by(known, a_little_less) == (instance_type_fact("m4.4xlarge", a_little_less),)


def test_a_types_architecture_is_ec2s_to_tell() -> None:
    """An instance that does not tell its own teaches nothing by it, decision after decision."""
    known = M4_4XLARGE.on(Architecture.ARM64)
    assert learned(known, M4_4XLARGE, before=True) == ()


def test_sizes_that_are_about_to_be_corrected_buy_nothing() -> None:
    """The next decision, a moment later, knows what an instance really holds."""
    view = a_view(a_task(), registered_by_type={"m4.4xlarge": Resources(cpu=16000, memory_mib=64000)})
    assert calls_of(decide(view, POLICY), SetDesiredCapacity) == []


def test_rejects_tell_of_the_instances_that_were_tried() -> None:
    """Eight tasks of an eighth: four start, four wait for a slot, and nobody says that memory lacks."""
    tasks = [a_task(number, ask=Resources(cpu=2048, memory_mib=8052)) for number in range(1, 9)]
    view = a_view(
        *tasks,
        instances=instances(1),
        health={InstanceHealth.SCHEDULABLE: 1, InstanceHealth.DRAINING: 2, InstanceHealth.DISCONNECTED: 0},
    )
    (unplaced,) = decide(view, POLICY).unplaced
    rejects = (("too many tasks starting", 1), ("draining", 2))
    assert unplaced == Unplaced(tenant="bamboo", priority=0, ask=tasks[0].ask, waiting=4, rejects=rejects)


def test_who_waits_only_for_a_call_slot_has_no_reject() -> None:
    """There is room: the next decision places it."""
    view = a_view(a_task(), instances=instances(1), slots=dict.fromkeys(Lane, 0))
    (unplaced,) = decide(view, POLICY).unplaced
    assert unplaced.rejects == ()


def test_heard_outcomes_close_their_intents() -> None:
    """What the World settled is in the plan, before what the plan itself opens."""
    done = IntentRecorded(kind="set_desired", key="ci", state=IntentState.DONE)
    view = a_view(a_task(), settled=(done,))
    first, second, told = decide(view, POLICY).settled
    assert first == done
    assert isinstance(told, ScalingRecorded)
    assert isinstance(second, IntentRecorded)
    assert second.state is IntentState.OPEN


def test_nothing_is_placed_while_many_starts_are_lost() -> None:
    """AWS is not well then, and each lost start costs searches: those under way are found out about first."""
    task = a_task()
    view = a_view(task, instances=(an_instance(1),))
    assert len(decide(view, POLICY).placements) == 1
    unwell = replace(view, lost_attempts=POLICY.max_unknown_attempts)
    assert decide(unwell, POLICY).placements == ()
