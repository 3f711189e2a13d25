"""The cloud port: what the service needs of AWS, in its own nouns."""

from dataclasses import dataclass
from typing import Any, Protocol

from scheduler.core.model.answers import EcsTask, Failure, InstanceInspected, RevisionsListed
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import FailedLaunch, Hazard, InstanceGroup, InstanceType


class CloudError(Exception):
    """A call did not do its work; `failure` tells whether it may have had its effect all the same."""

    def __init__(self, failure: Failure) -> None:
        """Carries `failure` to the call's outcome."""
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLaunch:
    """Everything that StartTask is told. `overrides` is ECS's `TaskOverride` as a JSON-like value."""

    started_by: str
    container_instance_arn: str
    task_definition_arn: str
    overrides: dict[str, Any]
    tags: dict[str, str]


class Cloud(Protocol):
    """Who calls: only `services/calls.py`, from the pool of calls, any number at a time.

    Every method raises CloudError and nothing else for what AWS or the network does. Acts are sent
    exactly once, without retries by the SDK; reads may be retried inside. A method returns only complete
    readings: if a page fails, the whole reading fails.
    """

    def requests_made(self) -> int:
        """How many requests of AWS the calling thread has made so far: a method may make several."""
        ...

    def start_task(self, launch: TaskLaunch) -> EcsTask:
        """Starts one task. `failures[]` is a definite Failure with its reason classified."""
        ...

    def stop_task(self, arn: str, reason: str) -> None:
        """Stops one task. A task that ECS does not know any more is no failure."""
        ...

    def find_task(self, started_by: str, container_instance_arn: str) -> EcsTask | None:
        """An attempt's task: a running one by `startedBy`, else one of the instance's stopped ones."""
        ...

    def describe_tasks(self, arns: tuple[str, ...]) -> tuple[tuple[EcsTask, ...], tuple[str, ...]]:
        """At most 100 tasks, and the ARNs that ECS does not know. An empty `arns` asks nothing."""
        ...

    def container_instances(self) -> tuple[ContainerInstance, ...]:
        """Every container instance of the cluster that is not INACTIVE.

        Of those whose agent is disconnected EC2 is asked for its `ec2_state`.
        """
        ...

    def inspect(self, arn: str) -> InstanceInspected:
        """One container instance, and then every task on it that has not stopped, whatever it is to become.

        In this order: tasks that are read after the instance showed DRAINING are all there will ever be.
        """
        ...

    def census(self) -> tuple[EcsTask, ...]:
        """Every task of the cluster whose desired status is RUNNING, with its mark."""
        ...

    def set_draining(self, arns: tuple[str, ...], *, draining: bool) -> tuple[tuple[str, str], ...]:
        """Drains at most 10 container instances or makes them ACTIVE again; returns the refused, and why."""
        ...

    def deregister_container_instance(self, arn: str) -> None:
        """Deregisters it by force. One that ECS does not know any more is no failure."""
        ...

    def group(self, name: str) -> InstanceGroup:
        """The Auto Scaling group of that name; a definite Failure if there is not exactly one."""
        ...

    def hazards(self, group: str) -> tuple[Hazard, ...]:
        """Features of the group and of the cluster that kill busy instances or fight this service."""
        ...

    def failed_launches(self, group: str) -> tuple[FailedLaunch, ...]:
        """The group's launches that failed, among its last activities, oldest first."""
        ...

    def detach(self, group: str, ec2_instance_ids: tuple[str, ...], *, decrement: bool) -> None:
        """Detaches at most 20 members, all or none.

        A refusal is a definite Failure with the code NOT_IN_SERVICE, NOT_A_MEMBER or BELOW_MIN_SIZE where
        Auto Scaling says so.
        """
        ...

    def terminate(self, ec2_instance_ids: tuple[str, ...]) -> None:
        """Terminates instances, all or none; INSTANCE_UNKNOWN when EC2 does not know one of them."""
        ...

    def instance_types(self, group: str) -> tuple[InstanceType, ...]:
        """The types that the group can launch, at declared size, smallest first."""
        ...

    def set_desired_capacity(self, group: str, desired: int) -> None:
        """Sets the desired capacity."""
        ...

    def suspend_az_rebalance(self, group: str) -> None:
        """Suspends the AZRebalance process."""
        ...

    def register_task_definition(self, definition: dict[str, Any], tags: dict[str, str]) -> str:
        """Registers a revision and returns its ARN."""
        ...

    def deregister_task_definition(self, arn: str) -> None:
        """Makes a revision INACTIVE. One that ECS does not know any more is no failure."""
        ...

    def revisions(self, family: str, token: str) -> RevisionsListed:
        """A page of the family's ACTIVE revisions, newest first: the one thing that is read in pages."""
        ...

    def revision_tags(self, arn: str) -> dict[str, str]:
        """The tags of a revision; none of one that ECS does not know any more."""
        ...
