"""The ECS service: one cluster, its dispatch table and what joins it to EC2."""

from functools import partial

from scheduler.simulated_aws.checks import check_cluster
from scheduler.simulated_aws.clusters import Clusters
from scheduler.simulated_aws.container_instance_operations import ContainerInstanceOperations
from scheduler.simulated_aws.container_instances import ContainerInstances
from scheduler.simulated_aws.container_output import ContainerOutput
from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.ecs_services import EcsServices
from scheduler.simulated_aws.errors import invalid_parameter
from scheduler.simulated_aws.log_groups import LogGroups
from scheduler.simulated_aws.operations import Handler, Operation, Service, operation
from scheduler.simulated_aws.orphans import Orphans
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.start_task import StartTask
from scheduler.simulated_aws.task_definitions import TaskDefinitions
from scheduler.simulated_aws.task_lifecycle import TaskLifecycle
from scheduler.simulated_aws.task_operations import TaskOperations
from scheduler.simulated_aws.tasks import Tasks

_START_PARAMETERS = (
    "cluster taskDefinition! containerInstances! startedBy overrides tags group propagateTags "
    "referenceId enableECSManagedTags"
)


class Ecs:
    """The ECS service of the account. EC2 tells it which instances run and which are gone."""

    def __init__(
        self, region: Region, ec2_instances: Ec2Instances, group_arn: str, log_groups: LogGroups
    ) -> None:
        self._region = region
        self._group_arn = group_arn
        self.container_instances = ContainerInstances(region)
        self.tasks = Tasks()
        self.task_definitions = TaskDefinitions(region)
        self._lifecycle = TaskLifecycle(region, self.tasks, ContainerOutput(region, log_groups))
        self.orphans = Orphans(region, self.tasks, self._lifecycle)
        ec2_instances.on_running.append(self._agent_starts)
        ec2_instances.on_stopped.append(self._agent_stops)
        ec2_instances.on_terminated.append(self._instance_gone)
        self.service = Service(
            operations=self._operations(),
            missing=invalid_parameter,
            unknown_operation_code="UnknownOperationException",
        )

    def _operations(self) -> dict[str, Operation]:
        start_task = StartTask(
            self._region,
            definitions=self.task_definitions,
            instances=self.container_instances,
            tasks=self.tasks,
            lifecycle=self._lifecycle,
        )
        of_tasks = TaskOperations(
            self._region,
            instances=self.container_instances,
            tasks=self.tasks,
            lifecycle=self._lifecycle,
        )
        of_instances = ContainerInstanceOperations(self.container_instances, self.orphans, self._region.arns)
        in_cluster = {
            "StartTask": operation(start_task, _START_PARAMETERS),
            **of_tasks.operations(),
            **of_instances.operations(),
            **EcsServices(self._region).operations(),
        }
        return {
            **Clusters(self._region, self.container_instances, self._group_arn).operations(),
            **self.task_definitions.operations(),
            **{name: self._checking_cluster(entry) for name, entry in in_cluster.items()},
        }

    def _checking_cluster(self, entry: Operation) -> Operation:
        return Operation(partial(self._in_cluster, entry.handler), entry.required, entry.honoured)

    def _in_cluster(self, handler: Handler, params: Shape) -> Shape:
        check_cluster(params, self._region.settings.cluster, self._region.arns)
        return handler(params)

    def _agent_starts(self, instance: Ec2Instance) -> None:
        """One that registered before comes back under its ARN: the agent keeps its state on disk."""
        if not instance.agent_starts or instance.agent_waits:
            return
        settings = self._region.settings
        takes_ms = settings.warm_start_ms if instance.was_warm else settings.agent_registration_ms
        self._region.after(self._region.draw_ms(takes_ms), partial(self._connect, instance))

    def _connect(self, instance: Ec2Instance) -> None:
        known = self.container_instances.of_ec2(instance.instance_id)
        if known is None:
            self.container_instances.register(instance)
        elif instance.was_warm and instance.state == "running":
            self.container_instances.set_agent_connected(known, True)

    def _agent_stops(self, instance: Ec2Instance) -> None:
        """It stays registered (ECS API: DeregisterContainerInstance, on stopped instances)."""
        known = self.container_instances.of_ec2(instance.instance_id)
        if known is not None:
            self.container_instances.set_agent_connected(known, False)

    def _instance_gone(self, ec2_instance: Ec2Instance) -> None:
        """A connected agent's instance deregisters itself; a disconnected one stays behind as a ghost.

        "Stopped container instances or instances with disconnected agents aren't automatically deregistered
        when terminated" (ECS API: DeregisterContainerInstance).
        """
        self.orphans.instance_gone(ec2_instance)
        instance = self.container_instances.of_ec2(ec2_instance.instance_id)
        if instance is None or not instance.agent_connected:
            return
        self.container_instances.deregister(instance)
        self._lifecycle.instance_terminated(instance)
