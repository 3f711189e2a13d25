"""The seeded workload of the benches of thinking: container instances, what runs on them, and who waits."""

from collections.abc import Sequence
from random import Random

from scheduler.core.model.backlog import BacklogGroup, place_of
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import GroupMember, InstanceGroup
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex

SEED = 1
INSTANCES = 1_000
TASKS = 1_000
TENANTS = 2

START_MS = 1_790_000_000_000
GROUP = "ci-agents"
TYPE = "m4.4xlarge"
M4_4XLARGE = Resources(cpu=16_384, memory_mib=64_419)
"""What an m4.4xlarge registers with ECS."""

SHAPES = tuple(
    Resources(cpu=cpu, memory_mib=memory_mib)
    for cpu, memory_mib in (
        # Agents of six sizes, and two of them with extra containers; 4 MiB each are the sidekick's.
        (512, 2_006),
        (1_024, 4_006),
        (2_048, 8_006),
        (3_072, 12_006),
        (4_096, 16_006),
        (5_120, 20_006),
        (1_280, 5_006),
        (2_560, 10_006),
    )
)


def instance_arn(number: int) -> str:
    """The ARN of a container instance."""
    return f"arn:aws:ecs:eu-west-1:123456789012:container-instance/ci/{number:032x}"


def ec2_id(number: int) -> str:
    """The id of the EC2 instance behind it."""
    return f"i-{number:017x}"


def free_room(random: Random) -> Resources:
    """Anything from empty to full; memory and CPU are seldom used in the same proportion."""
    used = random.random()
    return Resources(
        cpu=int(M4_4XLARGE.cpu * (1 - used)),
        memory_mib=int(M4_4XLARGE.memory_mib * (1 - used * random.uniform(0.8, 1))),
    )


def an_index() -> FreeIndex:
    """The maintained index over all instances."""
    random = Random(SEED)
    index = FreeIndex()
    for number in range(INSTANCES):
        free = free_room(random)
        index.put(instance_arn(number), registered=M4_4XLARGE, free=free, launched_ms=number, slots=4)
    return index


def an_instance(number: int, remaining: Resources) -> ContainerInstance:
    """A member of the group that is able to work."""
    return ContainerInstance(
        arn=instance_arn(number),
        ec2_instance_id=ec2_id(number),
        status="ACTIVE",
        agent_connected=True,
        registered=M4_4XLARGE,
        remaining=remaining,
        version=1,
        launched_ms=START_MS + number,
        instance_type=TYPE,
        availability_zone=f"eu-west-1{'abc'[number % 3]}",
    )


def a_group(instances: Sequence[ContainerInstance], *, max_size: int) -> InstanceGroup:
    """The group that has launched these."""
    members = (
        GroupMember(ec2_instance_id=each.ec2_instance_id, lifecycle_state="InService", instance_type=TYPE)
        for each in instances
    )
    return InstanceGroup(
        name=GROUP,
        min_size=0,
        max_size=max_size,
        desired=len(instances),
        members={each.ec2_instance_id: each for each in members},
        suspended_processes=frozenset({"AZRebalance"}),
    )


def a_task(number: int, ask: Resources, tenant: str = "tenant-0") -> QueuedTask:
    """The one that was accepted as number `number`."""
    return QueuedTask(
        task_id=f"t-{number:026d}",
        tenant=tenant,
        priority=0,
        ask=ask,
        definition_key="agents",
        main_container="bamboo-agent",
        enqueue_revision=number + 1,
        submitted_ms=START_MS,
    )


def a_queue() -> list[QueuedTask]:
    """Waiting tasks in the order of the queue."""
    random = Random(SEED)
    return [a_task(number, random.choice(SHAPES), f"tenant-{number % TENANTS}") for number in range(TASKS)]


def grouped(queue: list[QueuedTask]) -> list[BacklogGroup]:
    """The queue as a decision sees it: by tenant and shape."""
    lines: dict[tuple[str, Resources], list[QueuedTask]] = {}
    for task in queue:
        lines.setdefault((task.tenant, task.ask), []).append(task)
    return [
        BacklogGroup(
            tenant=tenant,
            priority=0,
            ask=ask,
            count=len(line),
            first=place_of(line[0]),
            heads=line,
        )
        for (tenant, ask), line in lines.items()
    ]
