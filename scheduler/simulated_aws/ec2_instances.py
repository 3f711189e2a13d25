"""EC2 instances: launched, running, shutting down, terminated, forgotten."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from scheduler.simulated_aws.attributes import AMI_ID, VPC_ID, subnet_id
from scheduler.simulated_aws.instance_types import InstanceType
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, utc

# EC2 API: InstanceState, code.
_STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


@dataclass(slots=True, eq=False)
class Ec2Instance:
    """One instance, until EC2 forgets it."""

    instance_id: str
    reservation_id: str
    instance_type: InstanceType
    availability_zone: str
    sequence: int
    launched_ms: int
    tags: dict[str, str]
    state: str = "pending"
    agent_starts: bool = True
    agent_waits: bool = False
    was_warm: bool = False
    spot_interrupted: bool = False

    def state_shape(self) -> Shape:
        """The state as EC2 answers it."""
        return {"Code": _STATE_CODES[self.state], "Name": self.state}

    @property
    def private_ip_address(self) -> str:
        """An address in 10.0.0.0/8 that no other instance of the account has."""
        number = self.sequence + 10
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    @property
    def termination_reason(self) -> str:
        """Why it ended (EC2 API: StateReason)."""
        if self.spot_interrupted:
            return "Server.SpotInstanceTermination: Spot instance termination"
        return "Client.UserInitiatedShutdown: User initiated shutdown"

    def shape(self) -> Shape:
        """The instance as DescribeInstances shows it (EC2 API: Instance)."""
        return {
            "InstanceId": self.instance_id,
            "InstanceType": self.instance_type.name,
            "ImageId": AMI_ID,
            "Architecture": self.instance_type.architecture,
            "State": self.state_shape(),
            "LaunchTime": utc(self.launched_ms),
            "Placement": {"AvailabilityZone": self.availability_zone, "Tenancy": "default"},
            "PrivateIpAddress": self.private_ip_address,
            "VpcId": VPC_ID,
            "SubnetId": subnet_id(self.availability_zone),
            "AmiLaunchIndex": 0,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }


Listener = Callable[[Ec2Instance], None]


class Ec2Instances:
    """The account's instances. Auto Scaling and ECS listen to what becomes of them."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._launched = 0
        self._without_agent = 0
        self.by_id: dict[str, Ec2Instance] = {}
        self.on_running: list[Listener] = []
        self.on_stopped: list[Listener] = []
        self.on_shutting_down: list[Listener] = []
        self.on_terminated: list[Listener] = []

    def launch(
        self, instance_type: InstanceType, availability_zone: str, tags: dict[str, str]
    ) -> Ec2Instance:
        """Create an instance in state `pending`; whoever launches says when it runs."""
        ids = self._region.ids
        instance = Ec2Instance(
            instance_id=ids.ec2("i"),
            reservation_id=ids.ec2("r"),
            instance_type=instance_type,
            availability_zone=availability_zone,
            sequence=self._launched,
            launched_ms=self._region.now_ms,
            tags=tags,
            agent_starts=self._without_agent == 0,
        )
        self._without_agent = max(self._without_agent - 1, 0)
        self._launched += 1
        self.by_id[instance.instance_id] = instance
        self._region.record(
            Effect.INSTANCE_LAUNCHED, ec2InstanceId=instance.instance_id, instanceType=instance_type.name
        )
        return instance

    def launch_without_agent(self, count: int) -> None:
        """The next `count` instances boot and never join the cluster: a broken image or role."""
        self._without_agent = count

    def boot(self, instance: Ec2Instance) -> None:
        """`pending` -> `running`, unless it was terminated meanwhile."""
        if instance.state == "pending":
            instance.state = "running"
            _tell(self.on_running, instance)

    def stop(self, instance: Ec2Instance) -> None:
        """`running` -> `stopping` -> `stopped`; it can be started again (EC2 User Guide: Stop and start)."""
        instance.state = "stopping"
        delay_ms = self._region.draw_ms(self._region.settings.terminate_ms)
        self._region.after(delay_ms, partial(self._stopped, instance))

    def _stopped(self, instance: Ec2Instance) -> None:
        if instance.state == "stopping":
            instance.state = "stopped"
            _tell(self.on_stopped, instance)

    def put_to_work(self, instance: Ec2Instance) -> None:
        """One that rested in a warm pool, stopped or running; a start is a launch to EC2 (API: Instance)."""
        instance.agent_waits, instance.was_warm = False, True
        if instance.state == "stopped":
            instance.state, instance.launched_ms = "pending", self._region.now_ms
        delay_ms = self._region.draw_ms(self._region.settings.warm_start_ms)
        self._region.after(delay_ms, partial(self._at_work, instance))

    def _at_work(self, instance: Ec2Instance) -> None:
        if instance.state in ("pending", "running"):
            instance.state = "running"
            _tell(self.on_running, instance)

    def terminate(self, instance: Ec2Instance, *, spot: bool = False) -> None:
        """Begin to terminate. Idempotent (EC2 API: TerminateInstances)."""
        if instance.state in ("shutting-down", "terminated"):
            return
        instance.state = "shutting-down"
        instance.spot_interrupted = spot
        self._region.record(Effect.INSTANCE_TERMINATING, ec2InstanceId=instance.instance_id)
        self._region.after(
            self._region.draw_ms(self._region.settings.terminate_ms), partial(self._terminated, instance)
        )
        _tell(self.on_shutting_down, instance)

    def _terminated(self, instance: Ec2Instance) -> None:
        instance.state = "terminated"
        self._region.record(Effect.INSTANCE_TERMINATED, ec2InstanceId=instance.instance_id)
        # "remain visible after termination (for approximately one hour)" (EC2 API: TerminateInstances).
        self._region.after(
            self._region.settings.terminated_instance_visible_ms,
            partial(self.by_id.pop, instance.instance_id, None),
        )
        _tell(self.on_terminated, instance)


def _tell(listeners: list[Listener], instance: Ec2Instance) -> None:
    for listener in listeners:
        listener(instance)
