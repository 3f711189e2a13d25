"""Container instances: EC2 instances whose ECS agent registered with the cluster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.attributes import instance_attributes
from scheduler.simulated_aws.ec2_instances import Ec2Instance
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.resources import Ledger
from scheduler.simulated_aws.timeline import Action

LISTED_STATUSES = ("ACTIVE", "DRAINING")
"""Without a status filter, ListContainerInstances lists these and no INACTIVE ones (ECS API)."""


@dataclass(slots=True, eq=False)
class ContainerInstance:
    """One registration. `remaining` is what ECS shows, `occupied` what the agent has really left.

    They differ while a task stops: ECS counts its resources as free at once, the agent (1.73 and later)
    holds new tasks in PENDING until they are (AWS What's New, 2023-07-02).
    """

    arn: str
    sequence: int
    ec2_instance: Ec2Instance
    attributes: dict[str, str | None]
    registered: Ledger
    remaining: Ledger
    occupied: Ledger
    registered_ms: int
    status: str = "ACTIVE"
    agent_connected: bool = True
    version: int = 1
    pending_tasks: int = 0
    running_tasks: int = 0
    pulled_images: set[str] = field(default_factory=set)
    unreported: list[Action] = field(default_factory=list)
    start_failure: str | None = None
    listed: bool = True
    stops_hang: bool = False
    hanging: list[Action] = field(default_factory=list)


class ContainerInstances:
    """The cluster's container instances."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._registered = 0
        self._by_id: dict[str, ContainerInstance] = {}
        self._by_ec2_id: dict[str, ContainerInstance] = {}

    def __iter__(self) -> Iterator[ContainerInstance]:
        """All that are described, INACTIVE ones too, in order of registration."""
        return iter(self._by_id.values())

    def register(self, ec2_instance: Ec2Instance) -> ContainerInstance | None:
        """What the agent does when it comes up (RegisterContainerInstance); not if EC2 ended it meanwhile."""
        if ec2_instance.state != "running" or len(self._by_id) >= limits.CLUSTER_INSTANCES.value:
            return None
        instance = self._new(ec2_instance)
        self._registered += 1
        self._by_id[resource_id(instance.arn)] = instance
        self._by_ec2_id[ec2_instance.instance_id] = instance
        self._region.record(
            Effect.CONTAINER_INSTANCE_REGISTERED,
            containerInstanceArn=instance.arn,
            ec2InstanceId=ec2_instance.instance_id,
        )
        return instance

    def reregister(self, ec2_instance: Ec2Instance) -> None:
        """The agent lost its state and registers anew: the old registration stays behind as a ghost.

        "all previously managed containers will be forgotten about" (amazon-ecs-agent issue 125).
        """
        previous = self.of_ec2(ec2_instance.instance_id)
        if previous is not None:
            self.set_agent_connected(previous, False)
        self.register(ec2_instance)

    def _new(self, ec2_instance: Ec2Instance) -> ContainerInstance:
        instance_type = ec2_instance.instance_type
        gpu_ids = [f"GPU-{self._region.ids.uuid()}" for _ in range(instance_type.gpus)]
        whole = partial(
            Ledger,
            cpu=instance_type.cpu_units,
            memory_mib=instance_type.registered_memory_mib,
            gpu_ids=gpu_ids,
        )
        return ContainerInstance(
            arn=self._region.arns.container_instance(self._region.ids.ecs()),
            sequence=self._registered,
            ec2_instance=ec2_instance,
            attributes=instance_attributes(
                instance_type,
                ec2_instance.availability_zone,
                self._region.settings.log_drivers,
                self._region.settings.custom_attributes,
            ),
            registered=whole(),
            remaining=whole(),
            occupied=whole(),
            registered_ms=self._region.now_ms,
        )

    def find(self, reference: str) -> ContainerInstance | None:
        """By id or ARN."""
        found = self._by_id.get(resource_id(reference))
        return found if found and reference in (found.arn, resource_id(found.arn)) else None

    def of_ec2(self, ec2_instance_id: str) -> ContainerInstance | None:
        """The registration of an EC2 instance."""
        return self._by_ec2_id.get(ec2_instance_id)

    def set_agent_connected(self, instance: ContainerInstance, connected: bool) -> None:
        """Flip the agent's connection. What it could not report meanwhile is reported when it is back.

        An agent whose EC2 instance is terminated never comes back.
        """
        gone = instance.status == "INACTIVE" or instance.ec2_instance.state == "terminated"
        if gone or instance.agent_connected == connected:
            return
        instance.agent_connected = connected
        instance.version += 1
        self._region.record(
            Effect.AGENT_CONNECTION_CHANGE, containerInstanceArn=instance.arn, agentConnected=connected
        )
        while connected and instance.unreported:
            instance.unreported.pop(0)()

    def set_stops_hang(self, instance: ContainerInstance, hang: bool) -> None:
        """Whether stopping a container takes for ever: seen of a Docker daemon that is stuck.

        What was asked to stop meanwhile stops when that is over.
        """
        instance.stops_hang = hang
        while not hang and instance.hanging:
            instance.hanging.pop(0)()

    def set_status(self, instance: ContainerInstance, status: str) -> None:
        """ACTIVE <-> DRAINING (ECS API: UpdateContainerInstancesState)."""
        if instance.status == status:
            return
        instance.status = status
        instance.version += 1
        self._region.record(
            Effect.CONTAINER_INSTANCE_STATE_CHANGE,
            containerInstanceArn=instance.arn,
            ec2InstanceId=instance.ec2_instance.instance_id,
            status=status,
        )

    def deregister(self, instance: ContainerInstance) -> None:
        """ACTIVE or DRAINING -> INACTIVE; described for a while, then unknown."""
        instance.status = "INACTIVE"
        instance.agent_connected = False
        instance.version += 1
        instance.unreported.clear()
        if self._by_ec2_id.get(instance.ec2_instance.instance_id) is instance:
            del self._by_ec2_id[instance.ec2_instance.instance_id]
        self._region.record(
            Effect.CONTAINER_INSTANCE_DEREGISTERED,
            containerInstanceArn=instance.arn,
            ec2InstanceId=instance.ec2_instance.instance_id,
        )
        self._region.after(
            self._region.settings.inactive_instance_visible_ms,
            partial(self._by_id.pop, resource_id(instance.arn), None),
        )
