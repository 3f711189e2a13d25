"""The cloud port on AWS."""

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.container_instances import container_instance
from scheduler.adapters.aws.failures import cloud_errors, failure_of, start_failure_of, start_refusal
from scheduler.adapters.aws.groups import find_group, instance_group
from scheduler.adapters.aws.instance_types import launchable_types
from scheduler.adapters.aws.launch_times import LaunchTimes
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.paging import batches, pages
from scheduler.adapters.aws.tasks import ecs_task
from scheduler.core.model.calls import EcsTask, Failure
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.ports.cloud import CloudError, TaskLaunch

# What ECS answers when a container instance is not, or no longer, of the cluster. Its page names both
# (ECS API: ListTasks, errors); our own parameters are beyond reproach, so nothing else can be meant.
_NO_SUCH_INSTANCE = frozenset({"ClientException", "InvalidParameterException"})

# What StopTask says of a task that ECS has forgotten: a stopped one is shown for an hour (ECS API:
# DescribeTasks). The code alone also stands for whatever else is wrong with a request.
_FORGOTTEN_CODE, _FORGOTTEN_MESSAGE = "InvalidParameterException", "The referenced task was not found"

_STOP_REASON_LENGTH = 255
"""ECS API, StopTask: its page named this limit for years, and now names none."""


class AwsCloud:
    """One cluster, seen and acted on through `clients`; any thread may call.

    The cluster is sent with every ECS call: without it ECS means the cluster called "default".
    """

    def __init__(self, clients: AwsClients, *, cluster: str) -> None:
        self._clients = clients
        self._cluster = cluster
        self._launch_times = LaunchTimes(clients.ec2)

    @cloud_errors(start_failure_of)
    def start_task(self, launch: TaskLaunch) -> EcsTask:
        """`ecs:StartTask`, once."""
        answer = self._clients.ecs_once.start_task(
            cluster=self._cluster,
            containerInstances=[launch.container_instance_arn],
            taskDefinition=launch.task_definition_arn,
            startedBy=launch.started_by,
            overrides=launch.overrides,
            tags=[{"key": key, "value": value} for key, value in launch.tags.items()],
        )
        if answer.get("tasks"):
            return ecs_task(answer["tasks"][0])
        raise CloudError(start_refusal(answer.get("failures", ())))

    @cloud_errors()
    def stop_task(self, arn: str, reason: str) -> None:
        """`ecs:StopTask`, once: whoever sees the task go on asks again."""
        try:
            self._clients.ecs_once.stop_task(
                cluster=self._cluster, task=arn, reason=reason[:_STOP_REASON_LENGTH]
            )
        except ClientError as error:
            if not _task_is_forgotten(failure_of(error)):
                raise

    @cloud_errors()
    def find_task(self, started_by: str, container_instance_arn: str) -> EcsTask | None:
        """Two searches, since `startedBy` must be the only filter and then shows running tasks alone."""
        running, missing = self._tasks(self._task_arns(startedBy=started_by))
        if found := _of_attempt(running, started_by):
            return found
        if missing:
            # The list knows it and the description does not, yet: that is no "no".
            raise _incomplete("DescribeTasks", missing)
        stopped, _ = self._tasks(self._stopped_task_arns(container_instance_arn))
        return _of_attempt(stopped, started_by)

    @cloud_errors()
    def describe_tasks(self, arns: tuple[str, ...]) -> tuple[tuple[EcsTask, ...], tuple[str, ...]]:
        """`ecs:DescribeTasks`."""
        tasks, missing = self._tasks(arns)
        return tuple(tasks), tuple(missing)

    @cloud_errors()
    def container_instances(self) -> tuple[ContainerInstance, ...]:
        """List, describe, and EC2's launch times of those not seen before."""
        shapes = list(self._container_instance_shapes())
        launched_ms = self._launch_times.of(
            [each["ec2InstanceId"] for each in shapes if "ec2InstanceId" in each]
        )
        instances = (
            container_instance(each, launched_ms.get(each.get("ec2InstanceId", ""))) for each in shapes
        )
        return tuple(each for each in instances if each is not None)

    @cloud_errors()
    def group(self, name: str) -> InstanceGroup:
        """`autoscaling:DescribeAutoScalingGroups`."""
        return instance_group(find_group(self._clients, name))

    @cloud_errors()
    def instance_types(self, group: str) -> tuple[InstanceType, ...]:
        """The group's launch source, then `ec2:DescribeInstanceTypes`."""
        return launchable_types(self._clients, find_group(self._clients, group))

    @cloud_errors()
    def set_desired_capacity(self, group: str, desired: int) -> None:
        """`autoscaling:SetDesiredCapacity`. A cooldown is for alarms that know less than we do."""
        self._clients.autoscaling_once.set_desired_capacity(
            AutoScalingGroupName=group, DesiredCapacity=desired, HonorCooldown=False
        )

    @cloud_errors()
    def suspend_az_rebalance(self, group: str) -> None:
        """`autoscaling:SuspendProcesses` of AZRebalance alone: an empty list would suspend them all."""
        self._clients.autoscaling_once.suspend_processes(
            AutoScalingGroupName=group, ScalingProcesses=["AZRebalance"]
        )

    @cloud_errors()
    def register_task_definition(self, definition: dict[str, Any], tags: dict[str, str]) -> str:
        """`ecs:RegisterTaskDefinition`."""
        answer = self._clients.ecs_once.register_task_definition(
            **definition, tags=[{"key": key, "value": value} for key, value in tags.items()]
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def _task_arns(self, **task_filter: str) -> list[str]:
        answers = pages(self._clients.ecs.list_tasks, cluster=self._cluster, **task_filter)
        return [arn for answer in answers for arn in answer["taskArns"]]

    def _stopped_task_arns(self, container_instance_arn: str) -> list[str]:
        try:
            return self._task_arns(containerInstance=container_instance_arn, desiredStatus="STOPPED")
        except ClientError as error:
            if failure_of(error).code in _NO_SUCH_INSTANCE:
                return []
            raise

    def _tasks(self, arns: Sequence[str]) -> tuple[list[EcsTask], list[str]]:
        """The tasks, and the ARNs that ECS does not know."""
        tasks: list[EcsTask] = []
        missing: list[str] = []
        for batch in batches(arns):
            answer = self._clients.ecs.describe_tasks(cluster=self._cluster, tasks=batch)
            tasks += map(ecs_task, answer["tasks"])
            missing += _missing(answer, "DescribeTasks")
        return tasks, missing

    def _container_instance_shapes(self) -> Iterator[Shape]:
        """Without `status` ECS lists every status but INACTIVE (ECS API: ListContainerInstances).

        One that is MISSING was deregistered between the two calls: it is simply gone.
        """
        answers = pages(self._clients.ecs.list_container_instances, cluster=self._cluster)
        arns = [arn for answer in answers for arn in answer["containerInstanceArns"]]
        for batch in batches(arns):
            answer = self._clients.ecs.describe_container_instances(
                cluster=self._cluster, containerInstances=batch
            )
            _missing(answer, "DescribeContainerInstances")
            yield from (each for each in answer["containerInstances"] if each["status"] != "INACTIVE")


def _of_attempt(tasks: Sequence[EcsTask], started_by: str) -> EcsTask | None:
    return next((task for task in tasks if task.started_by == started_by), None)


def _task_is_forgotten(failure: Failure) -> bool:
    return failure.code == _FORGOTTEN_CODE and _FORGOTTEN_MESSAGE in failure.message


def _missing(answer: Shape, operation: str) -> list[str]:
    """The ARNs that ECS does not know; a failure for any other reason makes the reading incomplete."""
    failures = answer.get("failures", ())
    others = [failure.get("reason", "") for failure in failures if failure.get("reason") != "MISSING"]
    if others:
        raise _incomplete(operation, others)
    return [failure["arn"] for failure in failures]


def _incomplete(operation: str, what: Sequence[str]) -> CloudError:
    message = f"{operation} left out what was listed: {', '.join(what)}"
    return CloudError(Failure(definite=False, code="INCOMPLETE", message=message))
