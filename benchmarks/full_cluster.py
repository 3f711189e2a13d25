"""A full cluster on a quiet AWS: every reading is the same, and no task finds room."""

from typing import Any, NoReturn

from scheduler.adapters.system import SystemClock
from scheduler.core.model.answers import EcsTask, Failure, InstanceInspected, RevisionsListed
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import FailedLaunch, GroupMember, Hazard, InstanceGroup, InstanceType
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.ports.cloud import CloudError, TaskLaunch

INSTANCES = 200
TYPE = InstanceType(name="m4.4xlarge", allocatable=Resources(cpu=16_384, memory_mib=65_536))
REGISTERED = Resources(cpu=16_384, memory_mib=64_419)


class FullCluster:
    """The cloud port on a cluster whose group is at its max size and whose instances are full.

    Acts that a full cluster never needs are refused, so that the bench fails if one is tried.
    """

    def __init__(self, group: str, *, instances: int = INSTANCES, remaining: Resources = NOTHING) -> None:
        """Makes every answer once. `remaining` is what every instance has left.

        They were launched now: what is too old would be replaced.
        """
        now_ms = SystemClock().now_ms()
        self._instances = tuple(_instance(number, remaining, now_ms) for number in range(instances))
        members = (_member(each.ec2_instance_id) for each in self._instances)
        self._group = InstanceGroup(
            name=group,
            min_size=0,
            max_size=instances,
            desired=instances,
            members={each.ec2_instance_id: each for each in members},
            suspended_processes=frozenset({"AZRebalance"}),
        )

    def requests_made(self) -> int:
        """None: there is no AWS behind it, so each call costs the one token that it took."""
        return 0

    def container_instances(self) -> tuple[ContainerInstance, ...]:
        """All of them full."""
        return self._instances

    def group(self, name: str) -> InstanceGroup:
        """The group at its max size."""
        return self._group

    def census(self) -> tuple[EcsTask, ...]:
        """Nothing of a scheduler's runs on them."""
        return ()

    def hazards(self, group: str) -> tuple[Hazard, ...]:
        """Nobody else steers the group."""
        return ()

    def failed_launches(self, group: str) -> tuple[FailedLaunch, ...]:
        """None were tried."""
        return ()

    def instance_types(self, group: str) -> tuple[InstanceType, ...]:
        """One type, large enough for every task of the bench."""
        return (TYPE,)

    def register_task_definition(self, definition: dict[str, Any], tags: dict[str, str]) -> str:
        """The configuration is registered once, and then known."""
        return f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{definition['family']}:1"

    def revisions(self, family: str, token: str) -> RevisionsListed:
        """A family without revisions: a fresh store finds that it knows them all."""
        return RevisionsListed(arns=())

    def revision_tags(self, arn: str) -> dict[str, str]:
        """Nothing is listed."""
        _unexpected("DescribeTaskDefinition")

    def deregister_task_definition(self, arn: str) -> None:
        """Nothing is old."""
        _unexpected("DeregisterTaskDefinition")

    def start_task(self, launch: TaskLaunch) -> EcsTask:
        """Never: there is no room."""
        _unexpected("StartTask")

    def stop_task(self, arn: str, reason: str) -> None:
        """Never: nothing was started."""
        _unexpected("StopTask")

    def find_task(self, started_by: str, container_instance_arn: str) -> EcsTask | None:
        """Never: nothing was started."""
        _unexpected("ListTasks")

    def describe_tasks(self, arns: tuple[str, ...]) -> tuple[tuple[EcsTask, ...], tuple[str, ...]]:
        """Never: nothing was started."""
        _unexpected("DescribeTasks")

    def inspect(self, arn: str) -> InstanceInspected:
        """Never: none is removed."""
        _unexpected("DescribeContainerInstances of one")

    def set_draining(self, arns: tuple[str, ...], *, draining: bool) -> tuple[tuple[str, str], ...]:
        """Never: none is idle."""
        _unexpected("UpdateContainerInstancesState")

    def deregister_container_instance(self, arn: str) -> None:
        """Never: all are there."""
        _unexpected("DeregisterContainerInstance")

    def detach(self, group: str, ec2_instance_ids: tuple[str, ...], *, decrement: bool) -> None:
        """Never: none is idle."""
        _unexpected("DetachInstances")

    def terminate(self, ec2_instance_ids: tuple[str, ...]) -> None:
        """Never: none is idle."""
        _unexpected("TerminateInstances")

    def set_desired_capacity(self, group: str, desired: int) -> None:
        """Never: the group is at its max size."""
        _unexpected("SetDesiredCapacity")

    def suspend_az_rebalance(self, group: str) -> None:
        """Never: it is suspended."""
        _unexpected("SuspendProcesses")


def _unexpected(operation: str) -> NoReturn:
    raise CloudError(Failure(definite=True, code="UNEXPECTED", message=f"{operation} on a full cluster"))


def _instance(number: int, remaining: Resources, launched_ms: int) -> ContainerInstance:
    return ContainerInstance(
        arn=f"arn:aws:ecs:eu-west-1:123456789012:container-instance/ci/{number:032x}",
        ec2_instance_id=f"i-{number:017x}",
        status="ACTIVE",
        agent_connected=True,
        registered=REGISTERED,
        remaining=remaining,
        version=1,
        launched_ms=launched_ms,
        instance_type=TYPE.name,
    )


def _member(ec2_instance_id: str) -> GroupMember:
    return GroupMember(ec2_instance_id=ec2_instance_id, lifecycle_state="InService", instance_type=TYPE.name)
