"""What is really there: instances, group and tasks, whatever the World has heard of them."""

from dataclasses import replace

from scheduler.core.model.calls import (
    Answer,
    Call,
    DescribeContainerInstances,
    DescribeGroup,
    DescribeInstanceTypes,
    DescribeTasks,
    EcsTask,
    FindAttempt,
    GroupSeen,
    InstancesSeen,
    Registered,
    RegisterTaskDefinition,
    SetDesiredCapacity,
    Started,
    StartTask,
    TasksSeen,
    TypesSeen,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import GroupMember, InstanceGroup
from scheduler.core.model.resources import NOTHING, Resources
from tests.builders import a_group, a_type, an_end, an_instance

MAX_SIZE = 4

NEXT_STATUS = {"PENDING": "RUNNING", "RUNNING": "STOPPING", "STOPPING": "STOPPED"}


class Truth:
    """The region as it is. Tasks are keyed by attempt; `asks` is what each task takes, by task id."""

    def __init__(self) -> None:
        self.instances: dict[str, ContainerInstance] = {}
        self.foreign: dict[str, Resources] = {}
        self.tasks: dict[str, EcsTask] = {}
        self.asks: dict[str, Resources] = {}
        self.desired = 0
        self._task_of: dict[str, str] = {}
        self._joined = 0

    def join(self) -> None:
        """An instance that was asked for registers."""
        if len(self.instances) < self.desired:
            self._joined += 1
            instance = an_instance(self._joined, launched_ms=self._joined)
            self.instances[instance.arn] = instance

    def leave(self, arn: str) -> None:
        """An instance dies, and its tasks with it: nobody heard their exit codes."""
        del self.instances[arn]
        self.foreign.pop(arn, None)
        for attempt_id, task in self.tasks.items():
            if task.container_instance_arn == arn and task.last_status != "STOPPED":
                self._change(attempt_id, "STOPPED", None)

    def turn(self, arn: str, *, status: str, agent_connected: bool) -> None:
        """An instance changes, which raises its version."""
        before = self.instances[arn]
        self.instances[arn] = replace(
            before, version=before.version + 1, status=status, agent_connected=agent_connected
        )

    def advance(self, attempt_id: str, exit_code: int | None) -> None:
        """A task goes on to its next status."""
        self._change(attempt_id, NEXT_STATUS[self.tasks[attempt_id].last_status], exit_code)

    def moving(self) -> list[str]:
        """Attempts whose tasks have not stopped."""
        return [key for key, task in self.tasks.items() if task.last_status != "STOPPED"]

    def alive_of(self, task_id: str) -> list[str]:
        """Where a task of ours is alive."""
        return [attempt_id for attempt_id in self.moving() if self._task_of[attempt_id] == task_id]

    def start(self, call: StartTask) -> EcsTask:
        """StartTask takes effect."""
        assert call.attempt_id not in self.tasks, "an attempt is started once"
        task = EcsTask(
            arn=f"arn:aws:ecs:us-east-1:123456789012:task/ci/{call.attempt_id}",
            container_instance_arn=call.container_instance_arn,
            started_by=call.attempt_id,
            last_status="PENDING",
            desired_status="RUNNING",
            version=1,
        )
        self._task_of[call.attempt_id] = call.task_id
        self.tasks[call.attempt_id] = task
        return task

    def answer(self, call: Call) -> Answer:
        """The true answer, after the call's effect."""
        match call:
            case StartTask():
                return Started(task=self.start(call))
            case RegisterTaskDefinition(definition_key=key):
                return Registered(task_definition_arn=f"{key}:1")
            case SetDesiredCapacity(desired=desired):
                self.desired = max(self.desired, min(desired, MAX_SIZE))
                return GroupSeen(group=self.group())
            case FindAttempt(attempt_id=attempt_id):
                return TasksSeen(tasks=tuple(task for key, task in self.tasks.items() if key == attempt_id))
            case DescribeTasks(task_arns=arns):
                return TasksSeen(tasks=tuple(task for task in self.tasks.values() if task.arn in arns))
            case DescribeContainerInstances():
                return InstancesSeen(instances=tuple(map(self._described, self.instances.values())))
            case DescribeInstanceTypes():
                return TypesSeen(types=(a_type(),))
            case DescribeGroup() | _:
                return GroupSeen(group=self.group())

    def group(self) -> InstanceGroup:
        """The group, with every instance in service."""
        members = (
            GroupMember(ec2_instance_id=each.ec2_instance_id, lifecycle_state="InService")
            for each in self.instances.values()
        )
        return a_group(*members, desired=self.desired, max_size=MAX_SIZE)

    def taken(self, arn: str) -> Resources:
        """What our tasks really hold on an instance."""
        return self._sum(arn, {"PENDING", "RUNNING", "STOPPING"})

    def _described(self, instance: ContainerInstance) -> ContainerInstance:
        """ECS shows the room of a stopping task as free at once."""
        taken = self._sum(instance.arn, {"PENDING", "RUNNING"}) + self.foreign.get(instance.arn, NOTHING)
        return replace(instance, remaining=(instance.registered - taken).floored())

    def _sum(self, arn: str, statuses: set[str]) -> Resources:
        there = (
            self.asks[self._task_of[key]]
            for key, task in self.tasks.items()
            if task.container_instance_arn == arn and task.last_status in statuses
        )
        return sum(there, start=NOTHING)

    def _change(self, attempt_id: str, status: str, exit_code: int | None) -> None:
        task = self.tasks[attempt_id]
        stop = an_end(exit_code) if status == "STOPPED" else None
        self.tasks[attempt_id] = replace(task, last_status=status, version=task.version + 1, stop=stop)
