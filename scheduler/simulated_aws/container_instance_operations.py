"""ECS's operations on container instances: list, describe, drain, deregister."""

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.attributes import attribute_shapes
from scheduler.simulated_aws.checks import check_choice, check_ids, ecs_page, list_answer, wants_tags
from scheduler.simulated_aws.container_instances import LISTED_STATUSES, ContainerInstance, ContainerInstances
from scheduler.simulated_aws.errors import client_exception, invalid_parameter
from scheduler.simulated_aws.ids import Arns, resource_id
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.orphans import Orphans
from scheduler.simulated_aws.paging import cut
from scheduler.simulated_aws.shapes import Shape, utc

# ECS API: ListContainerInstances, status.
_STATUSES = ("ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED")
_VERSION_INFO = {
    "agentVersion": "1.99.0",
    "agentHash": "5e1c6a5b",
    "dockerVersion": "DockerVersion: 25.0.8",
}


class ContainerInstanceOperations:
    """ListContainerInstances and what takes container instances by name."""

    def __init__(self, instances: ContainerInstances, orphans: Orphans, arns: Arns) -> None:
        self._instances = instances
        self._orphans = orphans
        self._arns = arns

    def operations(self) -> dict[str, Operation]:
        """The part of ECS's dispatch table that is about container instances."""
        return {
            "ListContainerInstances": operation(self._list, "cluster status nextToken maxResults"),
            "DescribeContainerInstances": operation(self._describe, "cluster containerInstances! include"),
            "UpdateContainerInstancesState": operation(
                self._update_state, "cluster containerInstances! status!"
            ),
            "DeregisterContainerInstance": operation(self._deregister, "cluster containerInstance! force"),
        }

    def _list(self, params: Shape) -> Shape:
        if "status" in params:
            check_choice("status", params["status"], _STATUSES)
        wanted = (params["status"],) if "status" in params else LISTED_STATUSES
        chosen = [instance for instance in self._instances if instance.status in wanted and instance.listed]
        page = cut(chosen, lambda instance: instance.sequence, ecs_page(params, "ListContainerInstances"))
        return list_answer(
            "containerInstanceArns", [instance.arn for instance in page.items], page.next_token
        )

    def _describe(self, params: Shape) -> Shape:
        references = params["containerInstances"]
        show_tags = wants_tags(params)
        check_ids(references, limits.DESCRIBE_CONTAINER_INSTANCES, of="Container instances")
        found = {reference: self._instances.find(reference) for reference in references}
        return {
            "containerInstances": [
                container_instance_shape(i, with_tags=show_tags) for i in found.values() if i
            ],
            "failures": [self._missing(reference) for reference, i in found.items() if i is None],
        }

    def _update_state(self, params: Shape) -> Shape:
        """ACTIVE and DRAINING are all that a caller may set; draining stops no standalone task."""
        references, status = params["containerInstances"], params["status"]
        check_choice("status", status, LISTED_STATUSES)
        check_ids(references, limits.UPDATE_CONTAINER_INSTANCES, of="Container instances")
        answer: Shape = {"containerInstances": [], "failures": []}
        for reference in references:
            instance = self._instances.find(reference)
            if instance is None:
                answer["failures"].append(self._missing(reference))
            elif instance.status == "INACTIVE":
                answer["failures"].append({"arn": instance.arn, "reason": "INACTIVE"})
            else:
                self._instances.set_status(instance, status)
                answer["containerInstances"].append(container_instance_shape(instance, with_tags=False))
        return answer

    def _deregister(self, params: Shape) -> Shape:
        """Refused while tasks run, unless by force (ECS API: DeregisterContainerInstance)."""
        instance = self._instances.find(params["containerInstance"])
        if instance is None or instance.status == "INACTIVE":
            raise client_exception(
                f"Referenced container instance {resource_id(params['containerInstance'])} not found."
            )
        if instance.running_tasks + instance.pending_tasks and not params.get("force", False):
            raise invalid_parameter("Found running tasks on the instance.")
        self._instances.deregister(instance)
        self._orphans.abandon(instance)
        return {"containerInstance": container_instance_shape(instance, with_tags=False)}

    def _missing(self, reference: str) -> Shape:
        """HTTP 200 with a failure, never an error (ECS Developer Guide: API failure reasons)."""
        return {"arn": self._arns.container_instance(resource_id(reference)), "reason": "MISSING"}


def container_instance_shape(instance: ContainerInstance, *, with_tags: bool) -> Shape:
    """ECS API: ContainerInstance. Nobody has tagged it: an EC2 instance's tags are not its own."""
    return {
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance.instance_id,
        "version": instance.version,
        "versionInfo": dict(_VERSION_INFO),
        "remainingResources": instance.remaining.shapes(),
        "registeredResources": instance.registered.shapes(),
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": instance.running_tasks,
        "pendingTasksCount": instance.pending_tasks,
        "attributes": attribute_shapes(instance.attributes),
        "registeredAt": utc(instance.registered_ms),
        "attachments": [],
        **({"tags": []} if with_tags else {}),
    }
