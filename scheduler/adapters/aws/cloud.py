"""The cloud port on AWS."""

from collections.abc import Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from scheduler.adapters.aws.census import Census
from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.cluster import Cluster, incomplete, is_no_such_instance, refusals
from scheduler.adapters.aws.container_instances import container_instance
from scheduler.adapters.aws.daemons import DaemonServices
from scheduler.adapters.aws.ec2_instances import is_ec2, states
from scheduler.adapters.aws.failures import cloud_errors, failure_of, start_failure_of, start_refusal
from scheduler.adapters.aws.features import FeatureReading
from scheduler.adapters.aws.groups import failed_launches, find_group, instance_group
from scheduler.adapters.aws.hazards import hazards_of
from scheduler.adapters.aws.instance_types import launchable_types
from scheduler.adapters.aws.launch_times import LaunchTimes
from scheduler.adapters.aws.meter import Meter, metered
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.paging import BATCH
from scheduler.adapters.aws.tasks import ecs_task
from scheduler.core.model.answers import (
    DEFINITION_GONE,
    ENDED_STATUSES,
    EcsTask,
    Failure,
    InstanceInspected,
    RevisionsListed,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import FailedLaunch, Hazard, InstanceGroup, InstanceType
from scheduler.ports.cloud import CloudError, TaskLaunch

# What StopTask says of a task that ECS has forgotten: a stopped one is shown for an hour (ECS API:
# DescribeTasks). The code alone also stands for whatever else is wrong with a request.
_FORGOTTEN_CODE, _FORGOTTEN_MESSAGE = "InvalidParameterException", "The referenced task was not found"

_STOP_REASON_LENGTH = 255
"""ECS API, StopTask: its page named this limit for years, and now names none."""


class AwsCloud:
    """One cluster, seen and acted on through `clients`; any thread may call.

    `named_types` are what the group may launch, by an operator's word: a group may have no names for them.
    """

    def __init__(self, clients: AwsClients, *, cluster: str, named_types: Sequence[str] = ()) -> None:
        self._meter = Meter()
        self._clients = metered(clients, self._meter)
        self._cluster = Cluster(self._clients.ecs, cluster)
        self._named_types = named_types
        self._daemons = DaemonServices(self._clients.ecs, cluster)
        self._census = Census(self._cluster, self._daemons)
        self._launch_times = LaunchTimes(self._clients.ec2)

    def requests_made(self) -> int:
        """Pages, batches and what the SDK repeated, each counted."""
        return self._meter.requests

    # ---- tasks

    @cloud_errors(start_failure_of)
    def start_task(self, launch: TaskLaunch) -> EcsTask:
        """`ecs:StartTask`, once."""
        answer = self._clients.ecs_once.start_task(
            cluster=self._cluster.name,
            containerInstances=[launch.container_instance_arn],
            taskDefinition=launch.task_definition_arn,
            startedBy=launch.started_by,
            overrides=launch.overrides,
            tags=_tags(launch.tags),
        )
        if answer.get("tasks"):
            return ecs_task(answer["tasks"][0])
        raise CloudError(start_refusal(answer.get("failures", ())))

    @cloud_errors()
    def stop_task(self, arn: str, reason: str) -> None:
        """`ecs:StopTask`, once: whoever sees the task go on asks again."""
        try:
            self._clients.ecs_once.stop_task(
                cluster=self._cluster.name, task=arn, reason=reason[:_STOP_REASON_LENGTH]
            )
        except ClientError as error:
            if not _task_is_forgotten(failure_of(error)):
                raise

    @cloud_errors()
    def find_task(self, started_by: str, container_instance_arn: str) -> EcsTask | None:
        """Two searches, since `startedBy` must be the only filter and then shows running tasks alone."""
        running, missing = self._cluster.tasks(self._cluster.task_arns(startedBy=started_by))
        if found := _of_attempt(running, started_by):
            return found
        if missing:
            # The list knows it and the description does not, yet: that is no "no".
            raise incomplete("DescribeTasks", missing)
        arns = self._cluster.task_arns_if_known(container_instance_arn, desired_status="STOPPED")
        stopped, _ = self._cluster.tasks(arns)
        return _of_attempt(stopped, started_by)

    @cloud_errors()
    def describe_tasks(self, arns: tuple[str, ...]) -> tuple[tuple[EcsTask, ...], tuple[str, ...]]:
        """`ecs:DescribeTasks`."""
        tasks, missing = self._cluster.tasks(arns)
        return tuple(map(ecs_task, tasks)), tuple(missing)

    @cloud_errors()
    def census(self) -> tuple[EcsTask, ...]:
        """`ecs:ListTasks`, and `ecs:DescribeTasks` of those not seen before."""
        return self._census.take()

    @cloud_errors()
    def register_task_definition(self, definition: dict[str, Any], tags: dict[str, str]) -> str:
        """`ecs:RegisterTaskDefinition`."""
        answer = self._clients.ecs_once.register_task_definition(**definition, tags=_tags(tags))
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    @cloud_errors()
    def deregister_task_definition(self, arn: str) -> None:
        """`ecs:DeregisterTaskDefinition`, once: of an INACTIVE revision it is answered all the same."""
        try:
            self._clients.ecs_once.deregister_task_definition(taskDefinition=arn)
        except ClientError as error:
            if failure_of(error).code != DEFINITION_GONE:
                raise

    @cloud_errors()
    def revisions(self, family: str, token: str) -> RevisionsListed:
        """`ecs:ListTaskDefinitions`, one page; its familyPrefix is a whole family's name (ECS API)."""
        following = {"nextToken": token} if token else {}
        answer = self._clients.ecs.list_task_definitions(
            familyPrefix=family, status="ACTIVE", sort="DESC", maxResults=BATCH, **following
        )
        return RevisionsListed(arns=tuple(answer["taskDefinitionArns"]), token=answer.get("nextToken") or "")

    @cloud_errors()
    def revision_tags(self, arn: str) -> dict[str, str]:
        """`ecs:DescribeTaskDefinition` with its tags."""
        try:
            answer = self._clients.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
        except ClientError as error:
            if failure_of(error).code == DEFINITION_GONE:
                return {}
            raise
        return {tag["key"]: tag.get("value", "") for tag in answer.get("tags", ())}

    # ---- container instances

    @cloud_errors()
    def container_instances(self) -> tuple[ContainerInstance, ...]:
        """List, describe, and EC2's word: launch times of new ones, states of disconnected ones."""
        return self._instances(self._cluster.container_instances())

    @cloud_errors()
    def inspect(self, arn: str) -> InstanceInspected:
        """`ecs:DescribeContainerInstances` first, then `ecs:ListTasks` twice and `ecs:DescribeTasks`.

        Tasks that are to stop are listed apart from those that are to run (ECS API: ListTasks), and may go on
        for as long as they like to take.
        """
        shapes = list(self._cluster.described([arn]))
        instances = self._instances(shapes)
        if len(instances) < len(shapes):
            raise incomplete("DescribeContainerInstances", [arn])
        # One that was described a moment ago has a list: a refusal of it would be no empty one.
        listed = self._cluster.task_arns_on if shapes else self._cluster.task_arns_if_known
        tasks = self._described([*listed(arn, "RUNNING"), *listed(arn, "STOPPED")])
        return InstanceInspected(
            instance=instances[0] if instances else None,
            tasks=tuple(task for task in tasks if task.last_status not in ENDED_STATUSES),
        )

    @cloud_errors()
    def set_draining(self, arns: tuple[str, ...], *, draining: bool) -> tuple[tuple[str, str], ...]:
        """`ecs:UpdateContainerInstancesState`, once, which answers `failures[]` with the others done."""
        answer = self._clients.ecs_once.update_container_instances_state(
            cluster=self._cluster.name,
            containerInstances=list(arns),
            status="DRAINING" if draining else "ACTIVE",
        )
        return tuple(refusals(answer, arns))

    @cloud_errors()
    def deregister_container_instance(self, arn: str) -> None:
        """`ecs:DeregisterContainerInstance`, once: without force ECS refuses while it counts tasks on it."""
        try:
            self._clients.ecs_once.deregister_container_instance(
                cluster=self._cluster.name, containerInstance=arn, force=True
            )
        except ClientError as error:
            if not is_no_such_instance(failure_of(error)):
                raise

    # ---- the group

    @cloud_errors()
    def group(self, name: str) -> InstanceGroup:
        """`autoscaling:DescribeAutoScalingGroups`, and EC2's launch times of new members."""
        group = find_group(self._clients, name)
        return instance_group(
            group, self._launch_times.of([each["InstanceId"] for each in group["Instances"]])
        )

    @cloud_errors()
    def instance_types(self, group: str) -> tuple[InstanceType, ...]:
        """The group's launch source, then `ec2:DescribeInstanceTypes`."""
        return launchable_types(self._clients, find_group(self._clients, group), self._named_types)

    @cloud_errors()
    def hazards(self, group: str) -> tuple[Hazard, ...]:
        """The group, what sets its desired capacity beside us, and the cluster's capacity providers."""
        reading = FeatureReading(self._clients, cluster=self._cluster.name)
        return hazards_of(reading.of(group), tuple(reading.denied))

    @cloud_errors()
    def failed_launches(self, group: str) -> tuple[FailedLaunch, ...]:
        """`autoscaling:DescribeScalingActivities`."""
        return failed_launches(self._clients, group)

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
    def detach(self, group: str, ec2_instance_ids: tuple[str, ...], *, decrement: bool) -> None:
        """`autoscaling:DetachInstances`, once."""
        self._clients.autoscaling_once.detach_instances(
            AutoScalingGroupName=group,
            InstanceIds=list(ec2_instance_ids),
            ShouldDecrementDesiredCapacity=decrement,
        )

    @cloud_errors()
    def terminate(self, ec2_instance_ids: tuple[str, ...]) -> None:
        """`ec2:TerminateInstances`, once."""
        self._clients.ec2_once.terminate_instances(InstanceIds=list(ec2_instance_ids))

    def _described(self, arns: Sequence[str]) -> tuple[EcsTask, ...]:
        """Tasks that were listed just now: one that is missing may be there all the same."""
        tasks, missing = self._cluster.tasks(list(dict.fromkeys(arns)))
        if missing:
            raise incomplete("DescribeTasks", missing)
        return self._daemons.marked(tasks)

    def _instances(self, shapes: Sequence[Shape]) -> tuple[ContainerInstance, ...]:
        launched_ms = self._launch_times.of(_ec2_ids(shapes))
        silent = [each for each in shapes if not each.get("agentConnected", False)]
        ec2_states = states(self._clients.ec2, _ec2_ids(silent))
        instances = (
            container_instance(each, launched_ms.get(ec2_id), ec2_states.get(ec2_id, ""))
            for each in shapes
            for ec2_id in [each.get("ec2InstanceId", "")]
        )
        return tuple(each for each in instances if each is not None)


def _ec2_ids(shapes: Iterable[Shape]) -> list[str]:
    ids = (each.get("ec2InstanceId", "") for each in shapes)
    return [each for each in ids if is_ec2(each)]


def _of_attempt(tasks: Iterable[Shape], started_by: str) -> EcsTask | None:
    return next((task for task in map(ecs_task, tasks) if task.started_by == started_by), None)


def _tags(tags: dict[str, str]) -> list[Shape]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _task_is_forgotten(failure: Failure) -> bool:
    return failure.code == _FORGOTTEN_CODE and _FORGOTTEN_MESSAGE in failure.message
