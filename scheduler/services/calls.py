"""Carrying calls out: one function from a call to its outcome.

The same function serves the pool of threads in production and the heap of the virtual driver. It reads
what a launch needs from the store (specs are not kept in memory) and asks the cloud port.
"""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.core.agents import AgentSettings, Launch, expand, overrides
from scheduler.core.model.answers import (
    Accepted,
    Answer,
    ConsoleSaved,
    FailedLaunchesSeen,
    Failure,
    GroupSeen,
    HazardsSeen,
    InstancesSeen,
    Outcome,
    Registered,
    RevisionDescribed,
    Started,
    Stopping,
    TasksSeen,
    TypesSeen,
)
from scheduler.core.model.attempt import StopCategory, StopReason
from scheduler.core.model.calls import (
    Act,
    ActivateInstances,
    Call,
    DeregisterInstance,
    DeregisterTaskDefinition,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    DescribeRevision,
    DescribeTasks,
    DetachInstances,
    DrainInstances,
    FindAttempt,
    InspectInstance,
    ListRevisions,
    Read,
    RegisterTaskDefinition,
    SaveConsole,
    SetDesiredCapacity,
    StartTask,
    StopTask,
    SuspendAZRebalance,
    TakeCensus,
    TerminateInstances,
)
from scheduler.core.model.mark import TAG_PREFIX, Mark
from scheduler.core.model.revision import Owner
from scheduler.core.model.scaling import ScalingEvent
from scheduler.core.model.task import TERMINAL_STATES, Task, TaskSpec
from scheduler.ports.clock import Clock
from scheduler.ports.cloud import Cloud, CloudError, TaskLaunch
from scheduler.ports.consoles import Consoles
from scheduler.ports.store import Store, StoreCorrupt, StoreError
from scheduler.services.group_writer import GroupWriter

SPEC_UNREADABLE = "SPEC_UNREADABLE"
"""The code of a task that cannot be launched because the store does not give back what it runs."""


class Carrier:
    """Carries out one call at a time for each thread that asks."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        consoles: Consoles,
        store: Store,
        clock: Clock,
        agents: AgentSettings,
        mark: Mark,
    ) -> None:
        """Reads specs from `store` and acts through `cloud`; `mark` is put onto what it makes."""
        self._consoles = consoles
        self._cloud = cloud
        self._store = store
        self._clock = clock
        self._agents = agents
        self._mark = mark
        self._owner = Owner(mark=mark, cluster=agents.cluster)
        self._group = GroupWriter(cloud, clock)

    def recall(self, log: Iterable[ScalingEvent]) -> None:
        """What an earlier life did to the group, by the end of its scaling log."""
        self._group.recall(log)

    def carry_out(self, call: Call) -> Outcome:
        """The call's outcome, whatever AWS and the network do."""
        sent_ms, requests_before = self._clock.now_ms(), self._cloud.requests_made()
        try:
            answer = self._answer(call)
        except CloudError as error:
            answer = error.failure
        except _SpecUnreadable as error:
            answer = _rejected(str(error))
        except StoreError as error:
            # Nothing was sent: the same intent may be sent later, as after a throttle.
            answer = Failure(definite=True, throttled=True, code="STORE", message=str(error))
        requests = self._cloud.requests_made() - requests_before
        return Outcome(call=call, answer=answer, sent_ms=sent_ms, requests=requests)

    def _answer(self, call: Call) -> Answer:
        return self._act(call) if isinstance(call, Act) else self._read(call)

    def _act(self, call: Act) -> Answer:
        match call:
            case StartTask():
                return self._start(call)
            case StopTask(ecs_task_arn=arn, reason=reason):
                self._cloud.stop_task(arn, reason)
                return Stopping()
            case RegisterTaskDefinition():
                return self._register(call)
            case DeregisterTaskDefinition(task_definition_arn=arn):
                self._cloud.deregister_task_definition(arn)
                return Accepted()
            case SetDesiredCapacity():
                return self._group.raise_desired(call)
            case SuspendAZRebalance(group=group):
                self._cloud.suspend_az_rebalance(group)
                return GroupSeen(group=self._group.read(group))
            case DrainInstances(arns=arns):
                return Accepted(refused=self._cloud.set_draining(arns, draining=True))
            case ActivateInstances(arns=arns):
                return Accepted(refused=self._cloud.set_draining(arns, draining=False))
            case DetachInstances():
                return self._group.detach(call)
            case TerminateInstances(ec2_instance_ids=ids):
                self._cloud.terminate(ids)
                return Accepted()
            case SaveConsole(ec2_instance_id=ec2_id):
                return self._save_console(ec2_id)
            case DeregisterInstance(arn=arn):
                self._cloud.deregister_container_instance(arn)
                return Accepted()

    def _read(self, call: Read) -> Answer:
        match call:
            case FindAttempt(attempt_id=attempt_id, container_instance_arn=arn):
                found = self._cloud.find_task(attempt_id, arn)
                return TasksSeen(tasks=(found,) if found else ())
            case DescribeTasks(task_arns=arns):
                tasks, missing = self._cloud.describe_tasks(arns)
                return TasksSeen(tasks=tasks, missing=missing)
            case DescribeContainerInstances():
                return InstancesSeen(instances=self._cloud.container_instances())
            case DescribeGroup(group=group):
                return GroupSeen(group=self._group.read(group))
            case DescribeInstanceTypes(group=group):
                return TypesSeen(types=self._cloud.instance_types(group))
            case InspectInstance(arn=arn):
                return self._cloud.inspect(arn)
            case TakeCensus():
                return TasksSeen(tasks=self._cloud.census())
            case DescribeHazards(group=group):
                return HazardsSeen(hazards=self._cloud.hazards(group))
            case DescribeFailedLaunches(group=group):
                return FailedLaunchesSeen(launches=self._cloud.failed_launches(group))
            case ListRevisions(token=token):
                return self._cloud.revisions(self._agents.family, token)
            case DescribeRevision(arn=arn):
                return RevisionDescribed(definition_key=self._owner.key_in(self._cloud.revision_tags(arn)))

    def _save_console(self, ec2_instance_id: str) -> Answer:
        saved = self._consoles.save(ec2_instance_id)
        return ConsoleSaved(output=saved.output, stream=saved.stream, problem=saved.problem)

    def _start(self, call: StartTask) -> Answer:
        task, spec = self._task(call.task_id)
        launch = Launch(
            attempt_id=call.attempt_id,
            request_id=task.request_id,
            container_instance_arn=call.container_instance_arn,
            submit_ms=task.submitted_ms,
            storage_driver=call.storage_driver or self._agents.storage_driver,
        )
        tags = {TAG_PREFIX + "task": call.task_id, TAG_PREFIX + "attempt": call.attempt_id}
        started = self._cloud.start_task(
            TaskLaunch(
                started_by=call.attempt_id,
                container_instance_arn=call.container_instance_arn,
                task_definition_arn=call.task_definition_arn,
                overrides=overrides(spec, launch),
                tags=tags | self._mark.tags(),
            )
        )
        return Started(task=started)

    def _register(self, call: RegisterTaskDefinition) -> Answer:
        """What the task needs by the settings of now, which may not be those it was accepted under."""
        _, spec = self._task(call.task_id)
        expansion = expand(spec, self._agents)
        tags = self._owner.tags(expansion.definition_key)
        arn = self._cloud.register_task_definition(expansion.definition, tags)
        return Registered(task_definition_arn=arn)

    def _task(self, task_id: str) -> tuple[Task, TaskSpec]:
        """The task and what it runs. Raises _SpecUnreadable if that can never be read."""
        try:
            task = self._store.get(task_id)
        except StoreCorrupt as error:
            raise _SpecUnreadable(str(error)) from error
        if task is None:
            raise _SpecUnreadable(f"task {task_id} is not in the store")
        if task.spec is None:
            raise _SpecUnreadable(f"task {task_id} has no spec in the store")
        if task.status.state in TERMINAL_STATES:
            # A definition is made from the environment too: without it, it would be another one.
            raise _SpecUnreadable(f"task {task_id} has ended, and its environment was dropped")
        return task, task.spec


class _SpecUnreadable(Exception):
    """What the task runs is lost: its row is damaged, of another version, or gone. Waiting mends nothing."""


def _rejected(message: str) -> Failure:
    """The end of this one task; its reason tells it from a refusal of what it shares with others."""
    reason = StopReason(category=StopCategory.REJECTED, code=SPEC_UNREADABLE, message=message)
    return Failure(definite=True, blames_request=True, code=SPEC_UNREADABLE, message=message, reason=reason)
