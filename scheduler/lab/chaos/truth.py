"""The truth: what the account's journal tells of a run, whatever the service believes.

Entries are taken one by one, in order, with whoever caused them: an invariant judges an entry while the truth
still is as it was before.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from scheduler.core.model.mark import TAG_PREFIX, mark_of
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES
from scheduler.simulated_aws.journal import Effect


class Origin(StrEnum):
    """Who caused an effect: the service by a call, a second one, a mishap, or AWS by itself."""

    SERVICE = "service"
    RIVAL = "rival"
    MISHAP = "mishap"
    AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the journal, and whose doing it is.

    `late`: of a call that was given up as unanswered. `unheard`: nobody is told, as the answer is lost or its
    process is dead. `posthumous`: the life of the process that sent it was over before that.
    """

    at_ms: int
    effect: str
    origin: Origin
    fields: dict[str, Any]
    late: bool = False
    unheard: bool = False
    posthumous: bool = False


@dataclass(slots=True, kw_only=True)
class EcsTask:
    """An ECS task. `task_id` and `epoch` are its mark's, empty for a task that is not of this service.

    `late`: its start had been given up as unanswered. It was RUNNING since `running_ms`, if ever. `reason` is
    its main container's.
    """

    arn: str
    container_instance_arn: str
    ec2_instance_id: str
    definition_arn: str
    attempt_id: str
    task_id: str
    epoch: str
    started_ms: int
    since_ms: int
    """When whoever started it began, by its mark."""

    status: str = "PENDING"
    exit_code: int | None = None
    stop_code: str = ""
    reason: str = ""
    late: bool = False
    running_ms: int | None = None
    ends_ms: int | None = None
    """When its containers began to end, asked to or not: it is desired to be STOPPED."""

    stopped_ms: int | None = None
    asked_ms: int | None = None
    """When somebody first asked for it to be stopped."""

    @property
    def exited(self) -> bool:
        """Whether it ended by itself, and not because somebody asked or its instance went."""
        return self.stop_code == "EssentialContainerExited"

    @property
    def alive(self) -> bool:
        """Until its containers are known to have ended."""
        return self.status != "STOPPED"

    def note(self, desired_status: str, at_ms: int) -> None:
        """Its status changed then."""
        if desired_status == "STOPPED" and self.ends_ms is None:
            self.ends_ms = at_ms
        if self.status == "RUNNING" and self.running_ms is None:
            self.running_ms = at_ms
        if self.status == "STOPPED":
            self.stopped_ms = at_ms


@dataclass(slots=True, kw_only=True)
class Revision:
    """A task definition's revision: of which configuration and whose it is by its tags, and its last use.

    `unheard`: nobody was told of it.
    """

    configuration: str
    service: str
    cluster: str
    epoch: str
    at_ms: int
    used_ms: int
    unheard: bool
    active: bool = True


@dataclass(slots=True, kw_only=True)
class Agent:
    """The connection of one EC2 instance's agent: since when it is away, and its earlier absences."""

    away_since_ms: int | None = None
    absences: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Truth:
    """The account as its journal tells it."""

    tasks: dict[str, EcsTask] = field(default_factory=dict)
    desired: int = 0
    steered_ms: dict[Origin, int] = field(default_factory=dict)
    """When each last set the desired capacity."""

    bought: list[tuple[int, int]] = field(default_factory=list)
    """When the service raised the desired capacity and was told so, and by how many."""

    limits: list[tuple[int, int, int]] = field(default_factory=list)
    """Since when, least and greatest size: every pair that ever was."""

    detached_ms: dict[str, int] = field(default_factory=dict)
    """When the group let EC2 instances go."""

    agents: dict[str, Agent] = field(default_factory=lambda: defaultdict(Agent))
    launched: dict[str, str] = field(default_factory=dict)
    """Instance types by EC2 id."""

    launched_ms: dict[str, int] = field(default_factory=dict)
    """When the instances were, by EC2 id."""

    ended: set[str] = field(default_factory=set)
    """EC2 ids of instances that were told to end, by whomever."""

    revisions: dict[str, Revision] = field(default_factory=dict)
    """Of every family, by ARN, in the order in which they were registered."""

    ec2_ids: dict[str, str] = field(default_factory=dict)
    """By container instance ARN."""

    connected: set[str] = field(default_factory=set)
    """ARNs of container instances whose agent is there."""

    statuses: dict[str, str] = field(default_factory=dict)
    """What the container instances were last set to, by ARN."""

    gone_ms: dict[str, int] = field(default_factory=dict)
    """When container instances were deregistered, by ARN."""

    condemned: set[str] = field(default_factory=set)
    """EC2 ids that the group replaces whatever runs there: unhealthy, or in a zone with too many."""

    terminated_ms: dict[str, int] = field(default_factory=dict)
    """When EC2 instances had ended."""

    served: set[str] = field(default_factory=set)
    """EC2 ids of instances that are or were in service: what rests in the warm pool is not yet."""

    suspended: set[str] = field(default_factory=set)
    """Processes of the group."""

    @property
    def detached(self) -> set[str]:
        """EC2 ids that the group has let go."""
        return set(self.detached_ms)

    def alive_on(self, ec2_instance_id: str) -> Iterator[EcsTask]:
        """Tasks that have not stopped on an EC2 instance."""
        return (
            each for each in self.tasks.values() if each.alive and each.ec2_instance_id == ec2_instance_id
        )

    def registered(self, container_instance_arn: str) -> Resources:
        """What it registered; nothing if it is unknown."""
        name = self.launched.get(self.ec2_ids.get(container_instance_arn, ""))
        if name is None:
            return NOTHING
        kind = INSTANCE_TYPES[name]
        return Resources(cpu=kind.cpu_units, memory_mib=kind.registered_memory_mib, gpus=kind.gpus)

    def away_ms(self, ec2_instance_id: str, now_ms: int, *, window_ms: int, blind_ms: int) -> tuple[int, int]:
        """For how long its agent is away in one piece, and in all of the last window.

        It may have come back within the last `blind_ms`, or shorter in between: nobody can have seen that.
        """
        agent = self.agents[ec2_instance_id]
        spans = [*agent.absences]
        if agent.away_since_ms is not None:
            spans.append((agent.away_since_ms, now_ms))
        if not spans or now_ms - spans[-1][1] > blind_ms:
            piece = 0
        else:
            begin = spans[-1][0]
            for earlier in reversed(spans[:-1]):
                if begin - earlier[1] > blind_ms:
                    break
                begin = earlier[0]
            piece = now_ms - begin
        start = now_ms - window_ms
        return piece, sum(max(0, end + blind_ms - max(begin, start)) for begin, end in spans)

    def take(self, entry: Entry) -> None:
        """Folds one entry in."""
        said = entry.fields
        match entry.effect:
            case Effect.START_TASK:
                self._start(said, entry)
            case Effect.STOP_TASK:
                task = self.tasks[said["taskArn"]]
                task.asked_ms = task.asked_ms or entry.at_ms
            case Effect.TASK_STATE_CHANGE:
                task = self.tasks[said["taskArn"]]
                task.status, task.exit_code = said["lastStatus"], said["exitCode"]
                task.stop_code, task.reason = said["stopCode"] or "", said["reason"] or ""
                task.note(said["desiredStatus"], entry.at_ms)
            case Effect.INSTANCE_LAUNCHED:
                self.launched[said["ec2InstanceId"]] = said["instanceType"]
                self.launched_ms[said["ec2InstanceId"]] = entry.at_ms
            case Effect.INSTANCE_TERMINATING:
                self.ended.add(said["ec2InstanceId"])
            case Effect.REGISTER_TASK_DEFINITION:
                self.revisions[said["taskDefinitionArn"]] = _registered(entry)
            case Effect.DEREGISTER_TASK_DEFINITION:
                self.revisions[said["taskDefinitionArn"]].active = False
            case Effect.SET_GROUP_LIMITS:
                self.limits.append((entry.at_ms, said["minSize"], said["maxSize"]))
            case Effect.SET_DESIRED_CAPACITY | Effect.DETACH_INSTANCES:
                self._note_purchase(entry)
                self.desired = said["desiredCapacity"]
                self.steered_ms[entry.origin] = entry.at_ms
                self.detached_ms |= dict.fromkeys(said.get("ec2InstanceIds", ()), entry.at_ms)
            case Effect.INSTANCE_UNHEALTHY | Effect.ZONES_REBALANCED:
                self.condemned.add(said["ec2InstanceId"])
            case Effect.INSTANCE_IN_SERVICE:
                self.served.add(said["ec2InstanceId"])
            case Effect.INSTANCE_TERMINATED:
                self.terminated_ms[said["ec2InstanceId"]] = entry.at_ms
            case Effect.SUSPEND_PROCESSES:
                self.suspended.update(said["processes"])
            case Effect.RESUME_PROCESSES:
                self.suspended.difference_update(said["processes"])
            case _:
                self._take_container_instance(entry)

    def _take_container_instance(self, entry: Entry) -> None:
        arn = entry.fields.get("containerInstanceArn", "")
        match entry.effect:
            case Effect.CONTAINER_INSTANCE_REGISTERED:
                self.ec2_ids[arn] = entry.fields["ec2InstanceId"]
                self.statuses[arn] = "ACTIVE"
                self._connect(arn, entry.at_ms, connected=True)
            case Effect.CONTAINER_INSTANCE_STATE_CHANGE:
                self.statuses[arn] = entry.fields["status"]
            case Effect.AGENT_CONNECTION_CHANGE:
                self._connect(arn, entry.at_ms, connected=entry.fields["agentConnected"])
            case Effect.CONTAINER_INSTANCE_DEREGISTERED:
                self._connect(arn, entry.at_ms, connected=False)
                self.statuses.pop(arn, None)
                self.gone_ms[arn] = entry.at_ms

    def _note_purchase(self, entry: Entry) -> None:
        more = entry.fields["desiredCapacity"] - self.desired
        if more > 0 and entry.origin is Origin.SERVICE and not entry.unheard:
            self.bought.append((entry.at_ms, more))

    def _start(self, said: dict[str, Any], entry: Entry) -> None:
        mark = mark_of(said["tags"])
        arn = said["taskArn"]
        self.tasks[arn] = EcsTask(
            arn=arn,
            container_instance_arn=said["containerInstanceArn"],
            ec2_instance_id=self.ec2_ids[said["containerInstanceArn"]],
            definition_arn=said["taskDefinitionArn"],
            attempt_id=said["startedBy"] or "",
            task_id=said["tags"].get(TAG_PREFIX + "task", ""),
            epoch=mark.store_epoch if mark else "",
            late=entry.late,
            started_ms=entry.at_ms,
            since_ms=mark.since_ms if mark else 0,
        )

    def _connect(self, arn: str, now_ms: int, *, connected: bool) -> None:
        """An EC2 instance is connected while any of its registrations is."""
        (self.connected.add if connected else self.connected.discard)(arn)
        ec2_id = self.ec2_ids[arn]
        agent = self.agents[ec2_id]
        there = any(self.ec2_ids[each] == ec2_id for each in self.connected)
        if there and agent.away_since_ms is not None:
            agent.absences.append((agent.away_since_ms, now_ms))
            agent.away_since_ms = None
        elif not there and agent.away_since_ms is None:
            agent.away_since_ms = now_ms


def _registered(entry: Entry) -> Revision:
    tags, mark = entry.fields["tags"], mark_of(entry.fields["tags"])
    return Revision(
        configuration=str(tags.get(TAG_PREFIX + "config-hash", "")),
        service=mark.service_id if mark else "",
        cluster=str(tags.get(TAG_PREFIX + "cluster", "")),
        epoch=mark.store_epoch if mark else "",
        at_ms=entry.at_ms,
        used_ms=entry.at_ms,
        unheard=entry.unheard,
    )
