"""The account: the front of the simulated AWS."""

from collections.abc import Mapping
from threading import RLock
from typing import Any

from scheduler.ports.clock import Clock
from scheduler.simulated_aws.auto_scaling import AutoScaling
from scheduler.simulated_aws.auto_scaling_group import AutoScalingGroup
from scheduler.simulated_aws.ec2 import Ec2
from scheduler.simulated_aws.ec2_instances import Ec2Instances
from scheduler.simulated_aws.ecs import Ecs
from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.faults import Fault, FaultPlan
from scheduler.simulated_aws.journal import Effect, Journal
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.operations import Operation
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.settings import SimulationSettings
from scheduler.simulated_aws.sts import Sts


class SimulatedAws:
    """One account in one region with one ECS cluster and one Auto Scaling group.

    `call` may come from any thread: a lock makes the account single-threaded. Time is the clock's; whatever
    became due since the last call is carried out first, in time order.
    """

    def __init__(
        self,
        clock: Clock,
        settings: SimulationSettings | None = None,
        journal: Journal | None = None,
        *,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        self.settings = settings or SimulationSettings()
        self.journal = journal or Journal()
        self.faults = FaultPlan(faults)
        self._lock = RLock()
        self._region = Region(clock, self.settings, self.journal)
        if self.settings.booted_at_start:
            self._region.now_ms -= _longest_boot_ms(self.settings)
        launch_source = LaunchSource(self._region)
        ec2_instances = Ec2Instances(self._region)
        self._ecs = Ecs(self._region, ec2_instances)
        self._group = AutoScalingGroup(self._region, ec2_instances, launch_source)
        self._services = {
            "ecs": self._ecs.service,
            "autoscaling": AutoScaling(self._region, self._group).service,
            "ec2": Ec2(self._region, ec2_instances, launch_source).service,
            "sts": Sts(self._region).service,
        }
        # Instances booted at the start were launched before it: `advance` brings them up to the present.
        self._group.set_desired_capacity(self.settings.desired_capacity)
        self._region.advance()

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Carry out one API operation, parameters and answer shaped exactly as boto3's.

        Raises ApiError or ConnectionDropped. The answer may share parts with the account: whoever hands it on
        encodes or copies it, and never alters it.
        """
        with self._lock:
            self._region.advance()
            self.journal.count_call(operation)
            fault = self.faults.draw(operation)
            if fault is None:
                return self._carry_out(service, operation, params)
            if not fault.strikes_before:
                self._carry_out_unheard(service, operation, params)
            self._region.record(Effect.FAULT_INJECTED, operation=operation, kind=fault.kind)
            raise fault.error(service)

    def operations(self, service: str) -> Mapping[str, Operation]:
        """What the account offers of a service, with the parameters that it honours."""
        return self._services[service].operations

    def advance(self) -> None:
        """Carry out everything that is due by now, as the next call would."""
        with self._lock:
            self._region.advance()

    def next_due_ms(self) -> int | None:
        """When something happens next without any call; a driver on a virtual clock may jump there."""
        with self._lock:
            return self._region.timeline.next_due_ms()

    def set_agent_connected(self, ec2_instance_id: str, connected: bool) -> None:
        """Flip the connection of a container instance's ECS agent."""
        with self._lock:
            self._region.advance()
            instance = self._ecs.container_instances.of_ec2(ec2_instance_id)
            if instance is None:
                raise LookupError(f"no container instance is registered for {ec2_instance_id}")
            self._ecs.container_instances.set_agent_connected(instance, connected)

    def set_start_failure(self, ec2_instance_id: str, reason: str | None) -> None:
        """Has every task on a container instance fail to start for this reason; None heals it."""
        with self._lock:
            self._region.advance()
            instance = self._ecs.container_instances.of_ec2(ec2_instance_id)
            if instance is None:
                raise LookupError(f"no container instance is registered for {ec2_instance_id}")
            instance.start_failure = reason

    def _carry_out(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        known = self._services.get(service)
        try:
            if known is None:
                raise ApiError(
                    "UnknownOperationException", f"The simulated account has no service {service}."
                )
            return known.call(operation, params)
        except ApiError as refusal:
            self.journal.count_rejection(operation, refusal.code)
            raise

    def _carry_out_unheard(self, service: str, operation: str, params: dict[str, Any]) -> None:
        """The effect happens or is refused; either way the caller only gets the fault."""
        try:
            self._carry_out(service, operation, params)
        except ApiError:
            return


def _longest_boot_ms(settings: SimulationSettings) -> int:
    """From a raised desired capacity to the last agent's registration."""
    return settings.scaling_reaction_ms[1] + settings.launch_ms[1] + settings.agent_registration_ms[1]
