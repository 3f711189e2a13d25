"""One whole decision at 1,000 container instances, for information: the view of a full World, and `decide`.

The control loop decides in slices: what its lanes have slots for, and no more. So the slice, and not the
queue, is what a caller may have to wait for.
"""

from random import Random
from statistics import median
from time import process_time

from benchmarks.measure import tell
from benchmarks.workload import INSTANCES, M4_4XLARGE, SEED, a_queue, free_room, instance_arn
from scheduler.core.decide import decide
from scheduler.core.model.calls import (
    DescribeContainerInstances,
    DescribeGroup,
    DescribeInstanceTypes,
    GroupSeen,
    InstancesSeen,
    Outcome,
    TypesSeen,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.facts import definition_fact, instance_type_fact
from scheduler.core.model.group import GroupMember, InstanceGroup, InstanceType
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskState
from scheduler.core.world.attempts import Track
from scheduler.core.world.world import World
from scheduler.services.lanes import Lanes, default_limits

GROUP = "ci-agents"
TYPE = "m4.4xlarge"
NOW_MS = 1_790_000_000_000
DECISIONS = 50


def tell_decision() -> None:
    """Tells what a slice costs, with and without the count of rejects for GetCluster."""
    world = a_world()
    for explain in (False, True):
        took_ms, placed = _decision_ms(world, explain=explain)
        tell(
            f"placement: view and decision at {INSTANCES:,} instances: {took_ms:.2f} ms for {placed} tasks, "
            f"all that the lane has slots for{'; rejects counted' if explain else ''}"
        )


def a_world() -> World:
    """A World that has read 1,000 partly used instances and has 1,000 tasks waiting."""
    world = World(Policy(), GROUP)
    for fact in (
        definition_fact("agents", "arn:aws:ecs:eu-west-1:123456789012:task-definition/agents:1"),
        instance_type_fact(TYPE, M4_4XLARGE),
    ):
        world.remember(fact.key, fact.value)
    random = Random(SEED)
    instances = tuple(_instance(number, random) for number in range(INSTANCES))
    readings = (
        (DescribeGroup(group=GROUP), GroupSeen(group=_group(instances))),
        (DescribeContainerInstances(), InstancesSeen(instances=instances)),
        (
            DescribeInstanceTypes(group=GROUP),
            TypesSeen(types=(InstanceType(name=TYPE, allocatable=M4_4XLARGE),)),
        ),
    )
    for call, answer in readings:
        world.hear(Outcome(call=call, answer=answer, sent_ms=NOW_MS), NOW_MS)
    for task in a_queue():
        track = Track(task=task, state=TaskState.QUEUED)
        world.resume(track, NOW_MS, since_ms=NOW_MS, cancelled=False)
    return world


def _decision_ms(world: World, *, explain: bool) -> tuple[float, int]:
    slots = Lanes(default_limits(aws_share=0.5)).slots(NOW_MS)
    took_ms = []
    for _ in range(DECISIONS):
        began_s = process_time()
        plan = decide(world.view(NOW_MS, slots, explain=explain), world.policy)
        took_ms.append((process_time() - began_s) * 1_000)
    return median(took_ms), len(plan.placements)


def _instance(number: int, random: Random) -> ContainerInstance:
    return ContainerInstance(
        arn=instance_arn(number),
        ec2_instance_id=f"i-{number:017x}",
        status="ACTIVE",
        agent_connected=True,
        registered=M4_4XLARGE,
        remaining=free_room(random),
        version=1,
        launched_ms=number,
        instance_type=TYPE,
    )


def _group(instances: tuple[ContainerInstance, ...]) -> InstanceGroup:
    members = (
        GroupMember(ec2_instance_id=each.ec2_instance_id, lifecycle_state="InService", instance_type=TYPE)
        for each in instances
    )
    return InstanceGroup(
        name=GROUP,
        min_size=0,
        max_size=len(instances),
        desired=len(instances),
        members={each.ec2_instance_id: each for each in members},
        suspended_processes=frozenset({"AZRebalance"}),
    )
