"""Drives a simulated account in tests: calls by keyword, and the few shorthands that every test needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect, Journal
from scheduler.simulated_aws.settings import SimulationSettings
from tests.clocks import VirtualClock

Answer = dict[str, Any]

# Fixed durations, so that tests can name the moment at which something happens.
QUICK: dict[str, Any] = {
    "scaling_reaction_ms": (1_000, 1_000),
    "launch_ms": (20_000, 20_000),
    "agent_registration_ms": (30_000, 30_000),
    "launch_retry_ms": (90_000, 90_000),
    "terminate_ms": (10_000, 10_000),
    "detach_ms": (15_000, 15_000),
    "replace_unhealthy_ms": (30_000, 30_000),
    "pull_ms": (10_000, 10_000),
    "create_ms": (1_000, 1_000),
    "run_ms": (60_000, 60_000),
    "stop_ms": (2_000, 2_000),
}
BOOT_MS = 51_000
DETACH_MS = 15_000
RETRY_MS = 90_000
START_MS = 11_000
RUN_MS = 60_000
STOP_MS = 2_000
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Driver:
    clock: VirtualClock
    aws: SimulatedAws

    def ecs(self, operation: str, /, **params: Any) -> Answer:
        return self.aws.call("ecs", operation, {"cluster": "ci", **params})

    def definitions(self, operation: str, /, **params: Any) -> Answer:
        """ECS's operations on task definitions, which belong to no cluster."""
        return self.aws.call("ecs", operation, params)

    def group(self, operation: str, /, **params: Any) -> Answer:
        return self.aws.call("autoscaling", operation, {"AutoScalingGroupName": "ci-agents", **params})

    def ec2(self, operation: str, /, **params: Any) -> Answer:
        return self.aws.call("ec2", operation, params)

    def logs(self, operation: str, /, **params: Any) -> Answer:
        return self.aws.call("logs", operation, {"logGroupName": "ci-agents", **params})

    def described_group(self) -> Answer:
        answer = self.aws.call("autoscaling", "DescribeAutoScalingGroups", {})
        group: Answer = answer["AutoScalingGroups"][0]
        return group

    def members(self) -> dict[str, str]:
        """The group's instances with their lifecycle states."""
        return {m["InstanceId"]: m["LifecycleState"] for m in self.described_group()["Instances"]}

    def set_desired(self, desired: int) -> None:
        self.group("SetDesiredCapacity", DesiredCapacity=desired)

    def detach(self, *ec2_ids: str, decrement: bool = True) -> list[Answer]:
        """Detach members; the activities that AWS answers."""
        answer = self.group(
            "DetachInstances", InstanceIds=list(ec2_ids), ShouldDecrementDesiredCapacity=decrement
        )
        activities: list[Answer] = answer["Activities"]
        return activities

    def deregister(self, reference: str, *, force: bool = False) -> Answer:
        """Deregister a container instance; how ECS shows it then."""
        answer = self.ecs("DeregisterContainerInstance", containerInstance=reference, force=force)
        shown: Answer = answer["containerInstance"]
        return shown

    def effects(self, effect: Effect) -> list[Answer]:
        """What the journal has of one kind by now."""
        self.aws.advance()
        return list(self.aws.journal.of(effect))

    def instances(self) -> list[Answer]:
        arns = self.ecs("ListContainerInstances")["containerInstanceArns"]
        if not arns:
            return []
        described = self.ecs("DescribeContainerInstances", containerInstances=arns)
        found: list[Answer] = described["containerInstances"]
        return found

    def instance(self, reference: str | None = None) -> Answer:
        if reference is None:
            return self.instances()[0]
        described = self.ecs("DescribeContainerInstances", containerInstances=[reference])
        found: Answer = described["containerInstances"][0]
        return found

    def drain(self, status: str = "DRAINING") -> None:
        """Set the state of the first container instance."""
        ids = [self.instance()["containerInstanceArn"]]
        self.ecs("UpdateContainerInstancesState", containerInstances=ids, status=status)

    def remaining(self, name: str, reference: str | None = None) -> int:
        resources = self.instance(reference)["remainingResources"]
        return int(next(r["integerValue"] for r in resources if r["name"] == name))

    def register(self, family: str = "agents", *containers: Answer, **params: Any) -> Answer:
        """Register a task definition; without containers, one of 1 vCPU and 4,000 MiB."""
        answer = self.definitions(
            "RegisterTaskDefinition",
            family=family,
            containerDefinitions=list(containers) or [container()],
            **params,
        )
        definition: Answer = answer["taskDefinition"]
        return definition

    def start_task(self, definition: str = "agents", instance: str | None = None, **params: Any) -> Answer:
        reference = instance or self.instance()["containerInstanceArn"]
        return self.ecs("StartTask", taskDefinition=definition, containerInstances=[reference], **params)

    def started(self, definition: str = "agents", instance: str | None = None, **params: Any) -> str:
        """The ARN of a task that was started, not refused."""
        answer = self.start_task(definition, instance, **params)
        assert answer["failures"] == []
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    def task(self, arn: str, **params: Any) -> Answer:
        found: Answer = self.ecs("DescribeTasks", tasks=[arn], **params)["tasks"][0]
        return found

    def failure(self, answer: Answer) -> str:
        """The reason of the one failure of an answer that did nothing."""
        assert answer["tasks"] == []
        (failure,) = answer["failures"]
        return str(failure["reason"])

    def hours_later(self, hours: float = 1.0) -> None:
        """Let time pass; what became due has happened."""
        self.pass_ms(int(hours * HOUR_MS))
        self.aws.advance()

    def ec2_instance(self, ec2_id: str) -> Answer:
        """One instance as EC2 describes it."""
        found: Answer = self.ec2("DescribeInstances", InstanceIds=[ec2_id])["Reservations"][0]["Instances"][0]
        return found

    def activities(self, **params: Any) -> list[Answer]:
        """The group's activities, newest first."""
        found: list[Answer] = self.group("DescribeScalingActivities", **params)["Activities"]
        return found

    def pass_ms(self, duration_ms: int) -> None:
        self.clock.advance_ms(duration_ms)


def make_account(faults: Iterable[Fault] = (), journal: Journal | None = None, **settings: Any) -> Driver:
    """An account whose group is called ci-agents and whose cluster is called ci, with fixed durations."""
    clock = VirtualClock()
    chosen = SimulationSettings(**{**QUICK, "desired_capacity": 1, **settings})
    return Driver(clock, SimulatedAws(clock, chosen, journal, faults=tuple(faults)))


def container(name: str = "agent", **members: Any) -> Answer:
    return {
        "name": name,
        "image": "registry.example/agent:1",
        "cpu": 1024,
        "memoryReservation": 4_000,
        **members,
    }


def environment(name: str = "agent", **variables: str) -> Answer:
    """Overrides that set environment variables of one container."""
    pairs = [{"name": key, "value": value} for key, value in variables.items()]
    return {"containerOverrides": [{"name": name, "environment": pairs}]}


def refused(code: str, match: str = ".") -> "pytest.RaisesExc[ApiError]":
    """Expects an ApiError with this code, whose message matches."""
    return pytest.raises(ApiError, match=match, check=lambda error: error.code == code)
