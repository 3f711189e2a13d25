"""What is really there: instances, group and tasks, whatever the World has heard of them."""

from dataclasses import dataclass, replace

from scheduler.core.model.answers import (
    BELOW_MIN_SIZE,
    NOT_A_MEMBER,
    NOT_IN_SERVICE,
    Accepted,
    Answer,
    ConsoleSaved,
    EcsTask,
    FailedLaunchesSeen,
    Failure,
    GroupSeen,
    HazardsSeen,
    InstanceInspected,
    InstancesSeen,
    Registered,
    Started,
    Stopping,
    TasksSeen,
    TypesSeen,
)
from scheduler.core.model.calls import (
    ActivateInstances,
    Call,
    DeregisterInstance,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    DescribeTasks,
    DetachInstances,
    DrainInstances,
    FindAttempt,
    InspectInstance,
    RegisterTaskDefinition,
    SaveConsole,
    SetDesiredCapacity,
    StartTask,
    StopTask,
    SuspendAZRebalance,
    TakeCensus,
    TerminateInstances,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import GroupMember, InstanceGroup
from scheduler.core.model.mark import Mark
from scheduler.core.model.resources import NOTHING, Resources
from tests.builders import a_group, a_type, an_end, an_instance, ec2_id
from tests.clocks import START_MS

MAX_SIZE = 4

NEXT_STATUS = {"PENDING": "RUNNING", "RUNNING": "STOPPING", "STOPPING": "STOPPED"}

OWN = Mark(service_id="", store_epoch="", since_ms=0)
"""How the World under test marks its tasks."""


@dataclass(frozen=True, slots=True)
class Harm:
    """An act of ours took an EC2 instance away while these attempts, or tasks of others, were alive on it."""

    act: str
    ec2_instance_id: str
    alive: tuple[str, ...]


class Truth:
    """The region as it is. Tasks are keyed by attempt; `asks` is what each task takes, by task id.

    `instances` is what ECS lists, by ARN; `launched` what EC2 runs, by EC2 id, with its launch time;
    `members` what the group lists, with lifecycle states. `foreign` are others' tasks, one an instance.
    `lowest` is the least that we ever made of desired capacity; `drained` are ARNs that we drained and did
    not take back; `strangers` are EC2 ids in the cluster that are in no group of ours.
    """

    def __init__(self) -> None:
        self.instances: dict[str, ContainerInstance] = {}
        self.launched: dict[str, int] = {}
        self.members: dict[str, str] = {}
        self.foreign: dict[str, Resources] = {}
        self.tasks: dict[str, EcsTask] = {}
        self.asks: dict[str, Resources] = {}
        self.harms: list[Harm] = []
        self.desired = 0
        self.lowest = MAX_SIZE
        self.min_size = 0
        self.has_warm_pool = False
        self.detaching_lags = False
        self.drained: set[str] = set()
        self.strangers: set[str] = set()
        self._task_of: dict[str, str] = {}
        self._launches = 0
        self._registrations = 0

    # ---- what happens by itself

    def launch(self, launched_ms: int = START_MS) -> str | None:
        """The group launches an instance that it owes; it is a member and has not registered."""
        staying = [state for state in self.members.values() if state == "InService"]
        if len(staying) >= self.desired:
            return None
        self._launches += 1
        new = ec2_id(self._launches)
        self.launched[new] = launched_ms
        self.members[new] = "InService"
        return new

    def register(self, ec2_instance_id: str) -> str:
        """The agent of an EC2 instance registers it, under an ARN that it never had."""
        self._registrations += 1
        instance = an_instance(
            self._registrations,
            ec2_instance_id=ec2_instance_id,
            launched_ms=self.launched[ec2_instance_id],
        )
        self.instances[instance.arn] = instance
        return instance.arn

    def join(self, launched_ms: int = START_MS) -> None:
        """An instance that was asked for registers."""
        new = self.launch(launched_ms)
        if new is not None:
            self.register(new)

    def add_stranger(self) -> None:
        """Somebody else's instance registers in the cluster."""
        self._launches += 1
        stranger = ec2_id(self._launches)
        self.strangers.add(stranger)
        self.launched[stranger] = START_MS
        self.register(stranger)

    def register_again(self, arn: str) -> None:
        """Its agent lost its state: a new ARN is connected, the old one stays behind with what ran there."""
        self._alter(arn, agent_connected=False)
        self.register(self.instances[arn].ec2_instance_id)

    def leave(self, arn: str) -> None:
        """An instance dies, and its tasks with it: nobody heard their exit codes."""
        self._end(self.instances[arn].ec2_instance_id)

    def turn(self, arn: str, *, status: str, agent_connected: bool) -> None:
        """An instance changes, which raises its version."""
        self._alter(arn, status=status, agent_connected=agent_connected)

    def settle(self) -> None:
        """The group finishes what it is at: detaching members are out, terminating ones gone."""
        for ec2_instance_id, state in list(self.members.items()):
            if state == "Detaching":
                del self.members[ec2_instance_id]
            elif state == "Terminating":
                self._end(ec2_instance_id)

    def advance(self, attempt_id: str, exit_code: int | None) -> None:
        """A task goes on to its next status."""
        self._change(attempt_id, NEXT_STATUS[self.tasks[attempt_id].last_status], exit_code)

    # ---- what is asked of it

    def moving(self) -> list[str]:
        """Attempts whose tasks have not stopped."""
        return [key for key, task in self.tasks.items() if task.last_status != "STOPPED"]

    def alive_of(self, task_id: str) -> list[str]:
        """Where a task of ours is alive."""
        return [attempt_id for attempt_id in self.moving() if self._task_of[attempt_id] == task_id]

    def present(self, arn: str) -> bool:
        """Whether EC2 runs it and its agent did not register anew since."""
        instance = self.instances[arn]
        alike = [
            key for key, each in self.instances.items() if each.ec2_instance_id == instance.ec2_instance_id
        ]
        return instance.ec2_instance_id in self.launched and alike[-1] == arn

    def unregistered(self) -> set[str]:
        """Members in service that ECS does not list."""
        listed = {each.ec2_instance_id for each in self.instances.values()}
        return {key for key, state in self.members.items() if state == "InService"} - listed

    def belongings(self) -> tuple[set[str], list[str]]:
        """What EC2 runs and what ECS lists of ours."""
        listed = [each.ec2_instance_id for each in self.instances.values()]
        return self.launched.keys() - self.strangers, [each for each in listed if each not in self.strangers]

    def group(self) -> InstanceGroup:
        """The group as it lists its members."""
        members = (
            GroupMember(ec2_instance_id=key, lifecycle_state=state, launched_ms=self.launched[key])
            for key, state in self.members.items()
        )
        limits = {"desired": self.desired, "min_size": self.min_size, "max_size": MAX_SIZE}
        return a_group(*members, **limits, has_warm_pool=self.has_warm_pool)

    def answer(self, call: Call) -> Answer:
        """The true answer, after the call's effect."""
        match call:
            case StartTask() | StopTask() | RegisterTaskDefinition() | FindAttempt() | DescribeTasks():
                return self._of_tasks(call)
            case SetDesiredCapacity() | SuspendAZRebalance() | DescribeGroup():
                return self._of_group(call)
            case DetachInstances() as detach:
                return self._detach(detach)
            case DescribeContainerInstances():
                return InstancesSeen(instances=tuple(map(self._described, self.instances.values())))
            case DescribeInstanceTypes():
                return TypesSeen(types=(a_type(),))
            case TakeCensus():
                alive = (task for task in self._all_tasks() if task.desired_status == "RUNNING")
                return TasksSeen(tasks=tuple(alive))
            case DescribeHazards():
                return HazardsSeen(hazards=())
            case DescribeFailedLaunches():
                return FailedLaunchesSeen(launches=())
            case _:
                return self._of_instances(call)

    def _of_tasks(self, call: Call) -> Answer:
        match call:
            case StartTask() as start:
                return Started(task=self.start(start))
            case StopTask(ecs_task_arn=arn):
                return self._stop(arn)
            case RegisterTaskDefinition(definition_key=key):
                return Registered(task_definition_arn=f"{key}:1")
            case FindAttempt(attempt_id=attempt_id):
                return TasksSeen(tasks=tuple(task for key, task in self.tasks.items() if key == attempt_id))
            case DescribeTasks(task_arns=arns):
                return TasksSeen(tasks=tuple(task for task in self.tasks.values() if task.arn in arns))
            case _:
                raise AssertionError(call)

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
            mark=OWN,
        )
        self._task_of[call.attempt_id] = call.task_id
        self.tasks[call.attempt_id] = task
        return task

    # ---- effects on instances and their group

    def _of_group(self, call: Call) -> Answer:
        if isinstance(call, SetDesiredCapacity):
            self.desired = max(self.desired, min(call.desired, MAX_SIZE))
        return GroupSeen(group=self.group())

    def _of_instances(self, call: Call) -> Answer:
        match call:
            case DrainInstances(arns=arns):
                return self._set_status(arns, "DRAINING")
            case ActivateInstances(arns=arns):
                return self._set_status(arns, "ACTIVE")
            case InspectInstance(arn=arn):
                return self._inspected(arn)
            case SaveConsole():
                return ConsoleSaved(output="")
            case TerminateInstances(ec2_instance_ids=ids):
                for each in ids:
                    self._note_harm("terminate", each)
                    self._end(each)
                return Accepted()
            case DeregisterInstance(arn=arn):
                assert not self._is_connected(arn), "what is alive is never forgotten"
                self._end_tasks(arn)
                self.instances.pop(arn, None)
                return Accepted()
            case _:
                raise AssertionError(call)

    def _set_status(self, arns: tuple[str, ...], status: str) -> Answer:
        for arn in arns:
            if arn in self.instances:
                self._alter(arn, status=status)
                self.drained = self.drained | {arn} if status == "DRAINING" else self.drained - {arn}
        return Accepted(refused=tuple((arn, "MISSING") for arn in arns if arn not in self.instances))

    def _inspected(self, arn: str) -> InstanceInspected:
        instance = self.instances.get(arn)
        tasks = tuple(task for task in self._all_tasks() if task.container_instance_arn == arn)
        return InstanceInspected(instance=self._described(instance) if instance else None, tasks=tasks)

    def _detach(self, call: DetachInstances) -> Answer:
        """All or nothing, as EC2 Auto Scaling has it."""
        states = [self.members.get(each) for each in call.ec2_instance_ids]
        desired = self.desired - len(states) * call.decrement
        refusals = {
            NOT_A_MEMBER: None in states,
            NOT_IN_SERVICE: set(states) != {"InService"},
            BELOW_MIN_SIZE: call.decrement and desired < self.min_size,
        }
        for code, applies in refusals.items():
            if applies:
                return Failure(definite=True, blames_request=True, code=code, message="ValidationError")
        self.desired = desired
        self.lowest = min(self.lowest, desired)
        for each in call.ec2_instance_ids:
            self._note_harm("detach", each)
            if self.detaching_lags:
                self.members[each] = "Detaching"
            else:
                del self.members[each]
        return GroupSeen(group=self.group())

    def _note_harm(self, act: str, ec2_instance_id: str) -> None:
        arns = [key for key, each in self.instances.items() if each.ec2_instance_id == ec2_instance_id]
        alive = [task.started_by for task in self._all_tasks() if task.container_instance_arn in arns]
        if alive:
            self.harms.append(Harm(act, ec2_instance_id, tuple(alive)))

    def _end(self, ec2_instance_id: str) -> None:
        """EC2 ends it. ECS forgets it if its agent was connected (ECS API, DeregisterContainerInstance)."""
        self.launched.pop(ec2_instance_id, None)
        self.members.pop(ec2_instance_id, None)
        for arn, instance in list(self.instances.items()):
            if instance.ec2_instance_id == ec2_instance_id:
                self._end_tasks(arn)
                if instance.agent_connected:
                    del self.instances[arn]

    def _end_tasks(self, arn: str) -> None:
        self.foreign.pop(arn, None)
        for attempt_id, task in self.tasks.items():
            if task.container_instance_arn == arn and task.last_status != "STOPPED":
                self._change(attempt_id, "STOPPED", None)

    # ---- how it looks

    def _all_tasks(self) -> list[EcsTask]:
        """Every task that has not stopped, ours and others'."""
        others = [_foreign_task(arn) for arn in self.foreign]
        return [self.tasks[each] for each in self.moving()] + others

    def _described(self, instance: ContainerInstance) -> ContainerInstance:
        """ECS shows the room of a stopping task as free at once; EC2 is asked about who is silent."""
        taken = self._sum(instance.arn, {"PENDING", "RUNNING"}) + self.foreign.get(instance.arn, NOTHING)
        state = "running" if instance.ec2_instance_id in self.launched else "terminated"
        return replace(
            instance,
            remaining=(instance.registered - taken).floored(),
            ec2_state="" if instance.agent_connected else state,
        )

    def _is_connected(self, arn: str) -> bool:
        return arn in self.instances and self.instances[arn].agent_connected

    def _sum(self, arn: str, statuses: set[str]) -> Resources:
        there = (
            self.asks[self._task_of[key]]
            for key, task in self.tasks.items()
            if task.container_instance_arn == arn and task.last_status in statuses
        )
        return sum(there, start=NOTHING)

    def _alter(self, arn: str, *, status: str | None = None, agent_connected: bool | None = None) -> None:
        before = self.instances[arn]
        connected = before.agent_connected if agent_connected is None else agent_connected
        self.instances[arn] = replace(
            before, version=before.version + 1, status=status or before.status, agent_connected=connected
        )

    def _stop(self, arn: str) -> Answer:
        for attempt_id, task in self.tasks.items():
            if task.arn == arn and task.last_status != "STOPPED":
                self.tasks[attempt_id] = replace(
                    task, desired_status="STOPPED", last_status="STOPPING", version=task.version + 1
                )
        return Stopping()

    def _change(self, attempt_id: str, status: str, exit_code: int | None) -> None:
        task = self.tasks[attempt_id]
        self.tasks[attempt_id] = replace(
            task,
            last_status=status,
            desired_status="RUNNING" if status == "RUNNING" else "STOPPED",
            version=task.version + 1,
            stop=an_end(exit_code) if status == "STOPPED" else None,
        )


def _foreign_task(arn: str) -> EcsTask:
    return EcsTask(
        arn=f"{arn}/foreign",
        container_instance_arn=arn,
        started_by="somebody",
        last_status="RUNNING",
        desired_status="RUNNING",
        version=1,
    )
