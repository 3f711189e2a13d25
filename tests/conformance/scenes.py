"""Clusters as the cases draw them: container instances of an age, with so much of each taken by others."""

from dataclasses import dataclass, field
from typing import Any

from scheduler.core.model.policy import Placement, Policy, ScaleDown
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScalingKind
from scheduler.lab.clock import VirtualClock
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import detached
from tests.lab.worlds import CLUSTER, MINUTE_MS, VirtualService

REGISTERED = Resources(cpu=16_384, memory_mib=64_419)
"""The cases' instance, an m4.4xlarge."""

AS_THE_SEED = Policy(
    placement=Placement.SEED, scale_down=ScaleDown.BILLING_HOUR, free_ratio=0.30, instance_age_jitter=0
)
"""The seed's choices, with its stale age on the day."""

DAY = 24 * 60
"""In minutes, as ages are told."""

_ENDLESS_MS = 1 << 40
_BOOT_MS = 20_000


def percent(memory: int, cpu: int) -> Resources:
    """So much of the cases' instance, rounded down."""
    return Resources(cpu=REGISTERED.cpu * cpu // 100, memory_mib=REGISTERED.memory_mib * memory // 100)


@dataclass(frozen=True, slots=True)
class Used:
    """An instance of the case's table: percentages that are used, and its age."""

    memory: int
    cpu: int
    age_minutes: float = 0


@dataclass
class Scene:
    """An account in which a case's instances are there, and the service that is put into it."""

    instances: tuple[Used, ...]
    policy: Policy = AS_THE_SEED
    max_size: int = 50
    simulation: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Launches the oldest first, so that each has its age when the service comes."""
        self.clock = VirtualClock()
        settings: dict[str, Any] = {
            "desired_capacity": 0,
            "max_size": self.max_size,
            "scaling_reaction_ms": (1_000, 1_000),
            "launch_ms": (5_000, 5_000),
            "agent_registration_ms": (5_000, 5_000),
            "run_ms": (_ENDLESS_MS, _ENDLESS_MS),
        }
        self.account = SimulatedAws(self.clock, SimulationSettings(**(settings | self.simulation)))
        self.ec2_ids = self._launched()
        for used, ec2_id in zip(self.instances, self.ec2_ids, strict=True):
            self.occupy(ec2_id, used)
        self.service = VirtualService(beside=self, policy=self.policy)

    def _launched(self) -> list[str]:
        """EC2 ids in the order of the case's table."""
        by_age = sorted(range(len(self.instances)), key=lambda at: -self.instances[at].age_minutes)
        age = self.instances[by_age[0]].age_minutes if by_age else 0.0
        for number, at in enumerate(by_age, 1):
            self.pass_ms(int((age - self.instances[at].age_minutes) * MINUTE_MS))
            age = self.instances[at].age_minutes
            self.account.set_desired(number)
        self.pass_ms(int(age * MINUTE_MS) + _BOOT_MS)
        ids = dict(zip(by_age, [each["ec2InstanceId"] for each in self.account.instances()], strict=True))
        return [ids[at] for at in range(len(self.instances))]

    def pass_ms(self, duration_ms: int) -> None:
        """Time passes before the service comes."""
        self.clock.advance_ms(duration_ms)
        self.account.advance()

    def occupy(self, ec2_id: str, used: Used) -> None:
        """A task of somebody else takes what is used there, for good."""
        # What remains is rounded down, so what is used is rounded up.
        taken = REGISTERED - percent(100 - used.memory, 100 - used.cpu)
        if not taken.memory_mib and not taken.cpu:
            return
        container = {
            "name": "other",
            "image": "other:1",
            "cpu": taken.cpu,
            "memory": max(4, taken.memory_mib),
        }
        family = f"others-{used.memory}-{used.cpu}"
        self.account.call(
            "ecs", "RegisterTaskDefinition", {"family": family, "containerDefinitions": [container]}
        )
        answer = self.account.call(
            "ecs",
            "StartTask",
            {
                "cluster": CLUSTER,
                "taskDefinition": family,
                "containerInstances": [self.arn(ec2_id)],
                "startedBy": "others",
            },
        )
        assert answer["failures"] == []

    def arn(self, ec2_id: str) -> str:
        """The container instance's."""
        (row,) = (each for each in self.account.instances() if each["ec2InstanceId"] == ec2_id)
        return str(row["containerInstances"][0]["containerInstanceArn"])

    def play(self, *asks: Resources, minutes: float = 5) -> "Scene":
        """The requests come, all before the first decision, and time passes."""
        for ask in asks:
            self.service.submit(1, ask)
        self.service.let_pass(minutes)
        return self

    # ---- what came of it

    def where(self) -> list[int | None]:
        """By request, the number of its instance as the case counts, 0 for a new one; None: it waits."""
        placed = [each.attempts[-1].ec2_instance_id if each.attempts else "" for each in self.service.tasks()]
        return [
            self.ec2_ids.index(each) + 1 if each in self.ec2_ids else 0 if each else None for each in placed
        ]

    def gone(self) -> list[int]:
        """The numbers of instances that were taken out of the group, with the decrement."""
        return sorted(self.ec2_ids.index(each) + 1 for each in self._detached(decrement=True))

    def replaced(self) -> list[int]:
        """Of those that the group was to replace."""
        return sorted(self.ec2_ids.index(each) + 1 for each in self._detached(decrement=False))

    def scaled_to(self) -> list[int]:
        """The desired capacities that the service asked for, in order."""
        return [each.desired_after or 0 for each in self.service.log(ScalingKind.GROW)]

    def _detached(self, *, decrement: bool) -> list[str]:
        return detached(self.account.journal, decrement=decrement)
