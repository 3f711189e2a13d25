"""Values for tests: each builder gives a valid one, and a test names only what it is about."""

from typing import Any

from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.lifecycle.removal import RemovalEvidence
from scheduler.core.model.answers import (
    Answer,
    EcsTask,
    GroupSeen,
    HazardsSeen,
    InstancesSeen,
    Outcome,
    TasksSeen,
    TypesSeen,
)
from scheduler.core.model.attempt import Attempt, AttemptState, ContainerExit, StopCategory, StopReason
from scheduler.core.model.backlog import BacklogGroup, place_of
from scheduler.core.model.calls import (
    Call,
    DescribeContainerInstances,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    Lane,
    TakeCensus,
)
from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.evidence import AttemptEvidence
from scheduler.core.model.group import Candidate, Capacity, GroupMember, InstanceGroup, InstanceType
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import CancelRequested, TaskSubmitted, TaskTransitioned
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import Limits, ScaleWish, ScalingEvent, ScalingKind, WishKind
from scheduler.core.model.task import (
    Container,
    ContainersSpec,
    EnvironmentVariable,
    QueuedTask,
    TaskRequest,
    TaskState,
)
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.view import ClusterView
from scheduler.core.world.world import World
from tests.clocks import START_MS

REGULAR = Resources(cpu=2048, memory_mib=8000)
"""What a task asks for unless a test says otherwise."""


def task_id(number: int) -> str:
    """The id of task `number`; ids sort like their numbers."""
    return f"t-{number:026d}"


def attempt_id(task: int, number: int) -> str:
    """The id of attempt `number` of task `task`: 36 characters like a UUID's."""
    return f"{task:08x}-0000-4000-8000-{number:012x}"


def instance_arn(number: int) -> str:
    """The ARN of container instance `number`."""
    return f"arn:aws:ecs:us-east-1:123456789012:container-instance/ci/{number:032x}"


def containers_spec(**environment: str) -> ContainersSpec:
    """One container with these environment variables."""
    variables = tuple(EnvironmentVariable(name=name, value=value) for name, value in environment.items())
    agent = Container(name="agent", image="agent:1", resources=REGULAR, environment=variables, essential=True)
    return ContainersSpec(containers=(agent,))


def request(number: int = 1, **changes: Any) -> TaskRequest:
    """The request of task `number`."""
    fields: dict[str, Any] = {
        "request_id": f"request-{number}",
        "tenant": "bamboo",
        "priority": 0,
        "labels": {},
        "spec": containers_spec(),
    }
    return TaskRequest(**(fields | changes))


def submitted(number: int = 1, **changes: Any) -> TaskSubmitted:
    """Task `number` enters the queue. Changes of its request are named like the request's own fields."""
    own = {name: changes.pop(name) for name in _SUBMITTED_FIELDS & changes.keys()}
    fields: dict[str, Any] = {
        "task_id": task_id(number),
        "request": request(number, **changes),
        "fingerprint": f"fingerprint-{number}",
        "ask": REGULAR,
        "build_key": "PLAN-KEY",
        "definition_key": "definition-1",
        "main_container": "agent",
        "at_ms": START_MS,
    }
    return TaskSubmitted(**(fields | own))


_SUBMITTED_FIELDS = frozenset(
    {"task_id", "fingerprint", "ask", "build_key", "definition_key", "main_container", "at_ms"}
)


def attempt(task: int = 1, number: int = 1, **changes: Any) -> Attempt:
    """Launch `number` of task `task`, OPEN, on container instance 1."""
    fields: dict[str, Any] = {
        "attempt_id": attempt_id(task, number),
        "task_id": task_id(task),
        "number": number,
        "counted": True,
        "state": AttemptState.OPEN,
        "container_instance_arn": instance_arn(1),
        "ec2_instance_id": "i-00000000000000001",
        "task_definition_arn": "arn:aws:ecs:us-east-1:123456789012:task-definition/agents:1",
        "created_ms": START_MS,
    }
    return Attempt(**(fields | changes))


def stop_reason(**changes: Any) -> StopReason:
    """The build's own process ended with an exit code."""
    fields: dict[str, Any] = {
        "category": StopCategory.EXIT,
        "code": "EssentialContainerExited",
        "message": "Essential container in task exited",
    }
    return StopReason(**(fields | changes))


def transitioned(
    task: int = 1,
    state: TaskState = TaskState.ASSIGNED,
    previous: TaskState = TaskState.QUEUED,
    **changes: Any,
) -> TaskTransitioned:
    """Task `task` goes from `previous` to `state`."""
    fields: dict[str, Any] = {
        "task_id": task_id(task),
        "previous": previous,
        "state": state,
        "at_ms": START_MS,
    }
    return TaskTransitioned(**(fields | changes))


def cancel_requested(task: int = 1, at_ms: int = START_MS) -> CancelRequested:
    """A client wants task `task` cancelled."""
    return CancelRequested(task_id=task_id(task), at_ms=at_ms)


def a_wish(number: int = 1, **changes: Any) -> ScaleWish:
    """Wish `number` of an operator: never fewer than so many instances, for good."""
    fields: dict[str, Any] = {
        "request_id": f"wish-{number}",
        "group": "ci",
        "kind": WishKind.FLOOR,
        "size": number,
        "at_ms": START_MS,
    }
    return ScaleWish(**(fields | changes))


def a_scaling_event(number: int = 1, **changes: Any) -> ScalingEvent:
    """The group was made one larger, to `number`."""
    fields: dict[str, Any] = {
        "kind": ScalingKind.GROW,
        "group": "ci",
        "at_ms": START_MS,
        "code": "DEMAND",
        "message": "tasks wait for room",
        "desired_before": number - 1,
        "desired_after": number,
    }
    return ScalingEvent(**(fields | changes))


M4_4XLARGE = Resources(cpu=16384, memory_mib=64419)
"""What an m4.4xlarge registers: 16 vCPU, and its 64 GiB less what the kernel keeps."""


def ec2_id(number: int) -> str:
    """The EC2 id of container instance `number`."""
    return f"i-{number:017x}"


def a_task(number: int = 1, **changes: Any) -> QueuedTask:
    """Task `number` as the queue knows it; it was accepted by revision `number`."""
    fields: dict[str, Any] = {
        "task_id": task_id(number),
        "tenant": "bamboo",
        "priority": 0,
        "ask": REGULAR,
        "definition_key": "definition-1",
        "main_container": "agent",
        "enqueue_revision": number,
        "submitted_ms": START_MS,
    }
    return QueuedTask(**(fields | changes))


def a_backlog(*tasks: QueuedTask) -> tuple[BacklogGroup, ...]:
    """Waiting tasks in groups, as the World would show them: all of them may be placed."""
    lines: dict[tuple[str, int, Resources], list[QueuedTask]] = {}
    for task in sorted(tasks, key=lambda each: each.enqueue_revision):
        lines.setdefault((task.tenant, task.priority, task.ask), []).append(task)
    return tuple(
        BacklogGroup(
            tenant=tenant,
            priority=priority,
            ask=ask,
            count=len(line),
            first=place_of(line[0]),
            heads=tuple(line),
        )
        for (tenant, priority, ask), line in lines.items()
    )


def an_instance(number: int = 1, **changes: Any) -> ContainerInstance:
    """Container instance `number`: an empty m4.4xlarge, able to work."""
    registered = changes.get("registered", M4_4XLARGE)
    fields: dict[str, Any] = {
        "arn": instance_arn(number),
        "ec2_instance_id": ec2_id(number),
        "status": "ACTIVE",
        "agent_connected": True,
        "registered": registered,
        "remaining": registered,
        "version": 1,
        "launched_ms": START_MS,
        "instance_type": "m4.4xlarge",
    }
    return ContainerInstance(**(fields | changes))


def a_member(number: int = 1, **changes: Any) -> GroupMember:
    """Container instance `number` as its group lists it."""
    fields: dict[str, Any] = {"ec2_instance_id": ec2_id(number), "lifecycle_state": "InService"}
    return GroupMember(**(fields | changes))


def a_group(*members: GroupMember, **changes: Any) -> InstanceGroup:
    """The group: as many instances as are desired, room for fifty, and no rebalancing of zones."""
    fields: dict[str, Any] = {
        "name": "ci",
        "min_size": 0,
        "max_size": 50,
        "desired": len(members),
        "members": {each.ec2_instance_id: each for each in members},
        "suspended_processes": frozenset({"AZRebalance"}),
    }
    return InstanceGroup(**(fields | changes))


def a_candidate(number: int = 1, **changes: Any) -> Candidate:
    """Container instance `number`, idle for longer than it takes to be removed."""
    fields: dict[str, Any] = {
        "arn": instance_arn(number),
        "ec2_instance_id": ec2_id(number),
        "availability_zone": "us-east-1a",
        "launched_ms": START_MS + number,
        "too_old": False,
    }
    idle_ms = changes.pop("idle_ms", 600_000)
    fields["idle_since_ms"] = None if idle_ms is None else START_MS - idle_ms
    return Candidate(**(fields | changes))


def a_removal(number: int = 1, **changes: Any) -> Removal:
    """The removal of container instance `number`, which was idle and is drained."""
    fields: dict[str, Any] = {
        "ec2_instance_id": ec2_id(number),
        "arn": instance_arn(number),
        "cause": RemovalCause.IDLE,
        "step": RemovalStep.DRAINING,
        "decrement": True,
        "since_ms": START_MS,
    }
    return Removal(**(fields | changes))


def a_removal_evidence(of: Removal | None = None, **changes: Any) -> RemovalEvidence:
    """A removal of which nothing was heard; its instance is listed, and a member in service."""
    fields: dict[str, Any] = {
        "removal": of or a_removal(),
        "listed": an_instance(),
        "lifecycle_state": "InService",
    }
    return RemovalEvidence(**(fields | changes))


def a_type(name: str = "m4.4xlarge", allocatable: Resources = M4_4XLARGE) -> InstanceType:
    """A type that the group can launch, at the size that its instances registered."""
    return InstanceType(name=name, allocatable=allocatable, learned=True)


def a_capacity(**changes: Any) -> Capacity:
    """A group without instances that may launch m4.4xlarge, and nothing in flight."""
    fields: dict[str, Any] = {
        "group": a_group(),
        "types": (a_type(),),
        "in_flight": 0,
        "in_flight_types": (),
        "growing": False,
    }
    return Capacity(**(fields | changes))


def an_index(*instances: ContainerInstance, slots: int = 4) -> FreeIndex:
    """The free index over these instances, each with `slots` tasks that may start."""
    index = FreeIndex()
    for each in instances:
        index.put(
            each.arn,
            registered=each.registered,
            free=each.remaining,
            launched_ms=each.launched_ms,
            slots=slots,
            empty=each.remaining == each.registered,
        )
    return index


def an_ecs_task(of: Attempt, **changes: Any) -> EcsTask:
    """The ECS task of an attempt, just accepted."""
    fields: dict[str, Any] = {
        "arn": f"arn:aws:ecs:us-east-1:123456789012:task/ci/{of.attempt_id}",
        "container_instance_arn": of.container_instance_arn,
        "started_by": of.attempt_id,
        "last_status": "PENDING",
        "desired_status": "RUNNING",
        "version": 1,
    }
    return EcsTask(**(fields | changes))


def an_end(exit_code: int | None, *, container: str = "agent") -> StopReason:
    """ECS's account of a task whose container ended with this exit code."""
    return stop_reason(containers=(ContainerExit(name=container, exit_code=exit_code),))


def an_evidence(of: Attempt | None = None, **changes: Any) -> AttemptEvidence:
    """An assigned task's attempt, of which nothing was heard."""
    fields: dict[str, Any] = {
        "attempt": of or attempt(),
        "state": TaskState.ASSIGNED,
        "main_container": "agent",
    }
    return AttemptEvidence(**(fields | changes))


def a_view(*tasks: QueuedTask, instances: tuple[ContainerInstance, ...] = (), **changes: Any) -> ClusterView:
    """A cluster that was read completely: these tasks wait, these instances are schedulable."""
    fields: dict[str, Any] = {
        "now_ms": START_MS,
        "upkeep": Upkeep(limits=Limits(floor=0, ceiling=1_000), size=len(instances)),
        "ready": True,
        "explain": True,
        "backlog": a_backlog(*tasks),
        "rooms": an_index(*instances),
        "ec2_ids": {each.arn: each.ec2_instance_id for each in instances},
        "health": {InstanceHealth.SCHEDULABLE: len(instances)},
        "suspects": frozenset(),
        "wishes": (),
        "lost_attempts": 0,
        "definitions": {each.definition_key: f"{each.definition_key}:1" for each in tasks},
        "wanted_definitions": (),
        "rejected": (),
        "evidence": (),
        "capacity": a_capacity(group=a_group(desired=len(instances))),
        "registered_by_type": {},
        "settled": (),
        "due": (),
        "slots": dict.fromkeys(Lane, 100),
    }
    return ClusterView(**(fields | changes))


def a_world(*instances: ContainerInstance, group: InstanceGroup | None = None) -> World:
    """A World that has read these instances, their group and its one type."""
    world = World(Policy(), "ci")
    members = (
        GroupMember(ec2_instance_id=each.ec2_instance_id, lifecycle_state="InService") for each in instances
    )
    readings: tuple[tuple[Call, Answer], ...] = (
        (DescribeInstanceTypes(group="ci"), TypesSeen(types=(a_type(),))),
        (DescribeContainerInstances(), InstancesSeen(instances=instances)),
        (DescribeGroup(group="ci"), GroupSeen(group=group or a_group(*members))),
        (TakeCensus(), TasksSeen(tasks=())),
        (DescribeHazards(group="ci"), HazardsSeen(hazards=())),
    )
    for call, answer in readings:
        world.sent(call, START_MS)
        world.hear(Outcome(call=call, answer=answer, sent_ms=START_MS), START_MS)
    return world
