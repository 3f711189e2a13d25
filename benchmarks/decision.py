"""One whole decision at 1,000 container instances, for information: the view of a full World, and `decide`.

The control loop decides in slices: what its lanes have slots for, and no more. So the slice, and not the
queue, is what a caller may have to wait for.
"""

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from statistics import median
from time import process_time
from typing import NamedTuple

from benchmarks.measure import tell
from benchmarks.workload import (
    GROUP,
    INSTANCES,
    M4_4XLARGE,
    SEED,
    START_MS,
    TYPE,
    a_group,
    a_queue,
    a_task,
    an_instance,
    ec2_id,
    free_room,
    instance_arn,
)
from scheduler.core.decide import decide
from scheduler.core.model.answers import GroupSeen, HazardsSeen, InstancesSeen, Outcome, TasksSeen, TypesSeen
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.calls import (
    DescribeContainerInstances,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    TakeCensus,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.facts import definition_fact, instance_type_fact
from scheduler.core.model.group import InstanceType
from scheduler.core.model.plan import Plan
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import IntentRecorded, IntentState
from scheduler.core.model.removal import REMOVE, Removal, RemovalCause, RemovalStep, removal_text
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask, TaskState
from scheduler.core.world.attempts import Track
from scheduler.core.world.world import World
from scheduler.services.lanes import Lanes, default_limits

DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/agents:1"
POLL_MS = 5_000
NOW_MS = START_MS + POLL_MS
DECISIONS = 10
GOAL_MS = 5.0

_FIRST_RUNNING = 1_000_000
"""Number of the first task that runs; those that wait have smaller ones."""


class Scene(NamedTuple):
    """A World of 1,000 instances: who waits, and how many instances are idle or on their way out."""

    waiting: Sequence[QueuedTask]
    idle: int
    going: int


def tell_decision() -> None:
    """Tells what a slice costs, with and without the count of rejects for GetCluster."""
    for scene in (Scene(a_queue(), 0, 0), Scene((), 200, 50), Scene(a_queue(), 200, 50)):
        world = _a_world_of(scene)
        for explain in (False, True):
            took_ms, plan = decided(world, explain=explain)
            tell(
                f"placement: view and decision at {INSTANCES:,} instances, {scene.idle} idle, {scene.going} "
                f"going, {len(scene.waiting):,} tasks waiting{', rejects counted' if explain else ''}: "
                f"{took_ms:.2f} ms (goal {GOAL_MS:g}), {len(plan.placements)} placed"
            )


def a_world(instances: Sequence[ContainerInstance], tracks: Iterable[Track] = (), *, max_size: int) -> World:
    """A World with these tasks that has read these instances often enough to act."""
    world = World(Policy(), GROUP)
    for fact in (definition_fact("agents", DEFINITION), instance_type_fact(TYPE, M4_4XLARGE)):
        world.remember(fact.key, fact.value)
    for track in tracks:
        world.resume(track, START_MS, since_ms=START_MS, cancelled=False)
    readings = (
        (DescribeGroup(group=GROUP), GroupSeen(group=a_group(instances, max_size=max_size))),
        (DescribeContainerInstances(), InstancesSeen(instances=tuple(instances))),
        (
            DescribeInstanceTypes(group=GROUP),
            TypesSeen(types=(InstanceType(name=TYPE, allocatable=M4_4XLARGE),)),
        ),
        (TakeCensus(), TasksSeen(tasks=())),
        (DescribeHazards(group=GROUP), HazardsSeen(hazards=())),
    )
    for at_ms in (START_MS, NOW_MS):
        for call, answer in readings:
            world.hear(Outcome(call=call, answer=answer, sent_ms=at_ms), at_ms)
    world.settled.clear()  # the proof of the pair, and what else is committed once
    return world


def waiting(tasks: Iterable[QueuedTask]) -> Iterator[Track]:
    """These wait."""
    return (Track(task=each, state=TaskState.QUEUED) for each in tasks)


def decided(world: World, *, explain: bool) -> tuple[float, Plan]:
    """CPU milliseconds of a view and its decision, and the plan. Nothing comes of it."""
    slots = Lanes(default_limits(aws_share=0.5)).slots(NOW_MS)
    took_ms = []
    for _ in range(DECISIONS):
        began_s = process_time()
        plan = decide(world.view(NOW_MS, slots, explain=explain), world.policy)
        took_ms.append((process_time() - began_s) * 1_000)
    if plan.hold is not None:
        raise AssertionError(f"the World of the bench is held back: {plan.hold.reason}")
    return median(took_ms), plan


def _a_world_of(scene: Scene) -> World:
    """Instances that go come first, then the idle, then those that are used in part by tasks of ours."""
    random = Random(SEED)
    empty = scene.idle + scene.going
    free = [M4_4XLARGE if number < empty else free_room(random) for number in range(INSTANCES)]
    running = (_running(number, M4_4XLARGE - free[number]) for number in range(empty, INSTANCES))
    world = a_world(
        [an_instance(*each) for each in enumerate(free)],
        (*running, *waiting(scene.waiting)),
        max_size=2 * INSTANCES,
    )
    for number in range(scene.going):
        world.resume_removal(_draining(number), NOW_MS)
    return world


def _running(number: int, ask: Resources) -> Track:
    """The task that takes all that is used of instance `number`."""
    task = a_task(_FIRST_RUNNING + number, ask)
    attempt = Attempt(
        attempt_id=f"{number:08x}-0000-4000-8000-000000000000",
        task_id=task.task_id,
        number=1,
        counted=True,
        state=AttemptState.STARTED,
        container_instance_arn=instance_arn(number),
        ec2_instance_id=ec2_id(number),
        task_definition_arn=DEFINITION,
        created_ms=START_MS,
        ecs_task_arn=f"arn:aws:ecs:eu-west-1:123456789012:task/ci/{number:032x}",
    )
    return Track(task=task, state=TaskState.RUNNING, attempt=attempt)


def _draining(number: int) -> IntentRecorded:
    removal = Removal(
        ec2_instance_id=ec2_id(number),
        arn=instance_arn(number),
        cause=RemovalCause.IDLE,
        step=RemovalStep.DRAINING,
        decrement=True,
        since_ms=START_MS,
    )
    return IntentRecorded(
        kind=REMOVE, key=removal.ec2_instance_id, state=IntentState.OPEN, payload=removal_text(removal)
    )
