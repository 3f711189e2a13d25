"""One ECS cluster, read: lists page by page, descriptions batch by batch, whole or not at all."""

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from scheduler.adapters.aws.failures import failure_of
from scheduler.adapters.aws.operations import EcsReads, Shape
from scheduler.adapters.aws.paging import batches, pages
from scheduler.core.model.answers import Failure
from scheduler.ports.cloud import CloudError

# What ECS answers when a container instance is not, or no longer, of the cluster. Its page names both
# (ECS API: ListTasks, errors); our own parameters are beyond reproach, so nothing else can be meant.
_NO_SUCH_INSTANCE = frozenset({"ClientException", "InvalidParameterException"})


class Cluster:
    """The cluster's tasks and container instances as ECS describes them.

    The cluster is sent with every call: without it ECS means the cluster called "default".
    """

    def __init__(self, ecs: EcsReads, name: str) -> None:
        self._ecs = ecs
        self.name = name

    def task_arns(self, **task_filter: str) -> list[str]:
        """`ecs:ListTasks`."""
        answers = pages(self._ecs.list_tasks, cluster=self.name, **task_filter)
        return [arn for answer in answers for arn in answer["taskArns"]]

    def task_arns_on(self, container_instance_arn: str, desired_status: str) -> list[str]:
        """`ecs:ListTasks` of a container instance that the cluster has."""
        return self.task_arns(containerInstance=container_instance_arn, desiredStatus=desired_status)

    def task_arns_if_known(self, container_instance_arn: str, desired_status: str) -> list[str]:
        """The same; none for one that the cluster does not have."""
        try:
            return self.task_arns_on(container_instance_arn, desired_status)
        except ClientError as error:
            if is_no_such_instance(failure_of(error)):
                return []
            raise

    def tasks(self, arns: Sequence[str], **options: Any) -> tuple[list[Shape], list[str]]:
        """`ecs:DescribeTasks`: the tasks, and the ARNs that ECS does not know."""
        tasks: list[Shape] = []
        missing: list[str] = []
        for batch in batches(arns):
            answer = self._ecs.describe_tasks(cluster=self.name, tasks=batch, **options)
            tasks += answer["tasks"]
            missing += _missing(answer, "DescribeTasks", batch)
        return tasks, missing

    def container_instances(self) -> list[Shape]:
        """`ecs:ListContainerInstances`, which without `status` lists every status but INACTIVE (ECS API)."""
        answers = pages(self._ecs.list_container_instances, cluster=self.name)
        return list(self.described([arn for answer in answers for arn in answer["containerInstanceArns"]]))

    def described(self, arns: Sequence[str]) -> Iterator[Shape]:
        """`ecs:DescribeContainerInstances`, less those that the cluster does not have any more.

        One that is MISSING was deregistered since it was listed: it is simply gone.
        """
        for batch in batches(arns):
            answer = self._ecs.describe_container_instances(cluster=self.name, containerInstances=batch)
            _missing(answer, "DescribeContainerInstances", batch)
            yield from (each for each in answer["containerInstances"] if each["status"] != "INACTIVE")


def is_no_such_instance(failure: Failure) -> bool:
    """True if ECS says of a container instance that the cluster does not have it."""
    return failure.code in _NO_SUCH_INSTANCE


def incomplete(operation: str, what: Sequence[str]) -> CloudError:
    """A reading that lacks what it must have."""
    message = f"{operation} left out what was listed: {', '.join(what)}"
    return CloudError(Failure(definite=False, code="INCOMPLETE", message=message))


def refusals(answer: Shape, asked: Sequence[str]) -> list[tuple[str, str]]:
    """An answer's `failures`: ARNs as they were asked for, each with its reason.

    ECS has a short and a long form of ARNs, and may answer one for the other; both end in the same id (ECS
    Developer Guide: Amazon Resource Names and IDs).
    """
    by_id = {_id(arn): arn for arn in asked}
    failures = answer.get("failures", ())
    return [(by_id.get(_id(each["arn"]), each["arn"]), each.get("reason", "")) for each in failures]


def _id(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _missing(answer: Shape, operation: str, asked: Sequence[str]) -> list[str]:
    """The ARNs that ECS does not know; a failure for any other reason makes the reading incomplete."""
    refused = refusals(answer, asked)
    others = [reason for _, reason in refused if reason != "MISSING"]
    if others:
        raise incomplete(operation, others)
    return [arn for arn, _ in refused]
