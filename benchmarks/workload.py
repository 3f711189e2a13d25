"""The seeded workload of the placement bench: partly used container instances and a queue of agents."""

from random import Random

from scheduler.core.model.backlog import BacklogGroup
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex

SEED = 1
INSTANCES = 1_000
TASKS = 1_000
TENANTS = 2

M4_4XLARGE = Resources(cpu=16_384, memory_mib=64_419)
"""What an m4.4xlarge registers with ECS."""

SHAPES = tuple(
    Resources(cpu=cpu, memory_mib=memory_mib)
    for cpu, memory_mib in (
        # Agents of six sizes, and two of them with extra containers; 4 MiB each are the sidekick's.
        (512, 2_004),
        (1_024, 4_004),
        (2_048, 8_004),
        (3_072, 12_004),
        (4_096, 16_004),
        (5_120, 20_004),
        (1_280, 5_004),
        (2_560, 10_004),
    )
)


def instance_arn(number: int) -> str:
    """The ARN of a container instance."""
    return f"arn:aws:ecs:eu-west-1:123456789012:container-instance/ci/{number:032x}"


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


def a_queue() -> list[QueuedTask]:
    """Waiting tasks in the order of the queue."""
    random = Random(SEED)
    return [
        QueuedTask(
            task_id=f"t-{number:026d}",
            tenant=f"tenant-{number % TENANTS}",
            priority=0,
            ask=random.choice(SHAPES),
            definition_key="agents",
            main_container="bamboo-agent",
            enqueue_revision=number + 1,
            submitted_ms=0,
        )
        for number in range(TASKS)
    ]


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
            oldest_revision=line[0].enqueue_revision,
            heads=line,
        )
        for (tenant, ask), line in lines.items()
    ]
