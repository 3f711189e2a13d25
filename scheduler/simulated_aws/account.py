"""The account: the front of the simulated AWS."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from random import Random
from threading import RLock
from typing import Any

from scheduler.ports.clock import Clock
from scheduler.simulated_aws.access_requests import AccessRequests
from scheduler.simulated_aws.auto_scaling import AutoScaling
from scheduler.simulated_aws.auto_scaling_group import AutoScalingGroup
from scheduler.simulated_aws.callers import first_refused, refusal
from scheduler.simulated_aws.cloudwatch_logs import CloudWatchLogs
from scheduler.simulated_aws.container_instances import ContainerInstance
from scheduler.simulated_aws.ec2 import Ec2
from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.ecs import Ecs
from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.faults import Fault, FaultPlan
from scheduler.simulated_aws.iam_policy import IamPolicy
from scheduler.simulated_aws.instance_rows import instance_rows
from scheduler.simulated_aws.journal import Effect, Journal
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.log_groups import LogGroups
from scheduler.simulated_aws.operations import Operation
from scheduler.simulated_aws.partial_reads import thinned
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.settings import SimulationSettings
from scheduler.simulated_aws.sts import Sts
from scheduler.simulated_aws.throttling import Throttling


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
        # Of its own, so that a gap in an answer moves no other draw.
        self._gaps = Random(self.settings.seed)
        self._throttling = Throttling(self._region)
        launch_source = LaunchSource(self._region)
        self._ec2_instances = Ec2Instances(self._region)
        self._group = AutoScalingGroup(self._region, self._ec2_instances, launch_source)
        log_groups = LogGroups(self._region)
        self._ecs = Ecs(self._region, self._ec2_instances, self._group.arn, log_groups)
        self._services = {
            "ecs": self._ecs.service,
            "autoscaling": AutoScaling(self._region, self._group).service,
            "ec2": Ec2(self._region, self._ec2_instances, launch_source).service,
            "logs": CloudWatchLogs(self._region, log_groups).service,
            "sts": Sts(self._region).service,
        }
        self._access_requests = AccessRequests(
            self._region,
            definitions=self._ecs.task_definitions,
            instances=self._ec2_instances,
            group=self._group,
        )
        # Instances booted at the start were launched before it: `advance` brings them up to the present.
        self._group.set_desired_capacity(self.settings.desired_capacity)
        self._region.happened()
        self._region.advance()

    def call(
        self, service: str, operation: str, params: dict[str, Any], policy: IamPolicy | None = None
    ) -> dict[str, Any]:
        """Carry out one API operation, parameters and answer shaped exactly as boto3's.

        Without `policy` the caller is the account's root user, who may do everything. Raises ApiError or
        ConnectionDropped. The answer may share parts with the account: whoever hands it on encodes or copies
        it, and never alters it.
        """
        with self._lock:
            self._region.advance()
            self.journal.count_call(operation)
            if policy is not None:
                self._authorize(policy, service, operation, params)
            fault = self.faults.draw(operation)
            if fault is None:
                share = self._gap_share(operation)
                return self._thinned(operation, self._carry_out(service, operation, params), share)
            return self._carry_out_struck(service, operation, params, fault)

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
        with self._acting():
            instance = self._container_instance(ec2_instance_id)
            self._ecs.container_instances.set_agent_connected(instance, connected)

    def set_start_failure(self, ec2_instance_id: str, reason: str | None = None) -> None:
        """Has every task on a container instance fail to start for this reason; None heals it."""
        with self._acting():
            self._container_instance(ec2_instance_id).start_failure = reason

    def reregister(self, ec2_instance_id: str) -> None:
        """Has the agent of a running EC2 instance register anew; the old registration becomes a ghost."""
        with self._acting():
            ec2_instance = self._ec2_instance(ec2_instance_id)
            if ec2_instance.state != "running":
                raise LookupError(f"{ec2_instance_id} is {ec2_instance.state}: no agent runs there")
            self._ecs.container_instances.reregister(ec2_instance)

    def terminate_instance(self, ec2_instance_id: str, *, spot: bool = False) -> None:
        """Kill an EC2 instance, as its owner or, with `spot`, as EC2 would that wants it back."""
        with self._acting():
            self._ec2_instances.terminate(self._ec2_instance(ec2_instance_id), spot=spot)

    def set_stops_hang(self, ec2_instance_id: str, hang: bool) -> None:
        """Has nothing that is stopped on a container instance come to an end; False lets it."""
        with self._acting():
            instance = self._container_instance(ec2_instance_id)
            self._ecs.container_instances.set_stops_hang(instance, hang)

    def set_listed(self, ec2_instance_id: str, listed: bool) -> None:
        """Whether ListContainerInstances shows all its registrations; described they are all the same."""
        with self._acting():
            instances = self._ecs.container_instances
            registrations = [each for each in instances if each.ec2_instance.instance_id == ec2_instance_id]
            if not registrations:
                raise LookupError(f"no container instance is registered for {ec2_instance_id}")
            for each in registrations:
                each.listed = listed

    def set_unhealthy(self, ec2_instance_id: str) -> None:
        """Has a health check of the group fail for a member, which then is replaced, busy or not."""
        with self._acting():
            self._group.set_unhealthy(ec2_instance_id)

    def rebalance_zones(self) -> None:
        """Has the group balance its zones again, unless AZRebalance is suspended."""
        with self._acting():
            self._group.rebalance_zones()

    def fail_launches(self, count: int, message: str) -> None:
        """Has the group's next `count` launches fail with this status message; 0 heals."""
        with self._acting():
            self._group.launches.fail_next(count, message)

    def set_next_launches_never_join(self, count: int) -> None:
        """Has the next `count` instances boot without ever registering with ECS; 0 heals."""
        with self._acting():
            self._ec2_instances.launch_without_agent(count)

    def set_group_limits(self, min_size: int, max_size: int) -> None:
        """Set the group's sizes, as a human would; a desired capacity outside them moves."""
        if not 0 <= min_size <= max_size:
            raise ValueError("sizes must satisfy 0 <= min_size <= max_size")
        with self._acting():
            self._group.set_limits(min_size, max_size)

    def set_desired(self, desired_capacity: int) -> None:
        """Set the desired capacity, as a human would: not among the calls that the journal counts."""
        with self._acting():
            if not self._group.min_size <= desired_capacity <= self._group.max_size:
                sizes = f"{self._group.min_size}..{self._group.max_size}"
                raise ValueError(f"desired_capacity must be within {sizes}, not {desired_capacity}")
            self._group.set_desired_capacity(desired_capacity)

    def register_revisions(self, family: str, count: int) -> None:
        """Has somebody else register `count` revisions in a family, without tags."""
        with self._acting():
            self._ecs.task_definitions.register_by_others(family, count)

    def instances(self) -> list[dict[str, Any]]:
        """Every instance with what EC2, ECS and the group each make of it: what no single API call shows."""
        with self._acting():
            return instance_rows(self._ec2_instances, self._ecs, self._group)

    @contextmanager
    def _acting(self) -> Iterator[None]:
        """What no API call does happens at the present, one thing at a time."""
        with self._lock:
            self._region.advance()
            yield
            self._region.happened()

    def _container_instance(self, ec2_instance_id: str) -> ContainerInstance:
        instance = self._ecs.container_instances.of_ec2(ec2_instance_id)
        if instance is None:
            raise LookupError(f"no container instance is registered for {ec2_instance_id}")
        return instance

    def _ec2_instance(self, ec2_instance_id: str) -> Ec2Instance:
        instance = self._ec2_instances.by_id.get(ec2_instance_id)
        if instance is None:
            raise LookupError(f"there is no EC2 instance {ec2_instance_id}")
        return instance

    def _gap_share(self, operation: str) -> float:
        of_instances = operation in ("ListContainerInstances", "DescribeContainerInstances")
        return self.settings.container_instance_gap_share if of_instances else 0.0

    def _thinned(self, operation: str, answer: dict[str, Any], share: float) -> dict[str, Any]:
        return thinned(operation, answer, share, self._gaps) if share else answer

    def _authorize(self, policy: IamPolicy, service: str, operation: str, params: dict[str, Any]) -> None:
        """Raises ApiError for the first action that the call needs and the policy does not allow."""
        refused = first_refused(policy, self._access_requests.of(service, operation, params))
        if refused is None:
            return
        request, verdict = refused
        self._region.record(Effect.ACCESS_DENIED, action=request.action, resource=request.resource)
        error = refusal(service, request, verdict, self._region.arns)
        self.journal.count_rejection(operation, error.code)
        raise error

    def _carry_out(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        known = self._services.get(service)
        try:
            if known is None:
                raise ApiError(
                    "UnknownOperationException", f"The simulated account has no service {service}."
                )
            if self.settings.throttling:
                self._throttling.admit(service, operation, params)
            answer = known.call(operation, params)
        except ApiError as refusal:
            self.journal.count_rejection(operation, refusal.code)
            raise
        self._region.happened()
        return answer

    def _carry_out_struck(
        self, service: str, operation: str, params: dict[str, Any], fault: Fault
    ) -> dict[str, Any]:
        if fault.kind == "dropped_late":
            self._region.after(fault.delay_ms, partial(self._carry_out_unheard, service, operation, params))
        elif not fault.strikes_before:
            self._carry_out_unheard(service, operation, params)
        self._region.record(Effect.FAULT_INJECTED, operation=operation, kind=fault.kind)
        if fault.kind != "partial":
            raise fault.error(service)
        return self._thinned(operation, self._carry_out(service, operation, params), fault.share)

    def _carry_out_unheard(self, service: str, operation: str, params: dict[str, Any]) -> None:
        """The effect happens or is refused; either way the caller only gets the fault."""
        try:
            self._carry_out(service, operation, params)
        except ApiError:
            return


def _longest_boot_ms(settings: SimulationSettings) -> int:
    """From a raised desired capacity to the last agent's registration."""
    return settings.scaling_reaction_ms[1] + settings.launch_ms[1] + settings.agent_registration_ms[1]
