"""The books: what the journal of the simulated AWS adds up to, whatever the service believes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler.adapters.aws.consoles import STREAM_PREFIX
from scheduler.simulated_aws.journal import Effect

TASK_TAG = "ecs-scheduler:task"
"""The tag by which the service marks an ECS task with the task that it was started for."""

Line = Mapping[str, Any]
"""An entry of the journal."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One ECS task: for which of our tasks, where, and when it ran."""

    task_id: str
    ec2_instance_id: str
    running_ms: int | None = None
    stopped_ms: int | None = None
    exit_code: int | None = None


@dataclass(slots=True, kw_only=True)
class Instance:
    """One EC2 instance: from `running` on, to its very end."""

    instance_type: str
    running_ms: int | None = None
    ending: bool = False
    terminated_ms: int | None = None

    def within(self, from_ms: int, until_ms: int) -> tuple[int, int]:
        """The part of its life within these times; empty where there is none."""
        begin_ms = until_ms if self.running_ms is None else max(self.running_ms, from_ms)
        end_ms = until_ms if self.terminated_ms is None else min(self.terminated_ms, until_ms)
        return begin_ms, max(begin_ms, end_ms)


class Books:
    """A fold over the journal's entries."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.runs: dict[str, Run] = {}
        self.instances: dict[str, Instance] = {}
        self.busy_ends: list[str] = []
        """Of instances that were ended while a task was on them, or whose task was lost sight of."""
        self.desired = 0
        self.lost_answers = self.failed_launches = 0
        self.lost_agents: set[str] = set()
        """Of container instances whose agent disconnected."""
        self.denied: set[str] = set()
        """Actions that IAM did not allow."""
        self.consoles: set[str] = set()
        """EC2 ids of instances whose console was written to the log group."""
        self._ec2_ids: dict[str, str] = {}
        for line in lines:
            if entered := _ENTERED.get(line["effect"]):
                entered(self, line)

    @property
    def starts(self) -> Counter[str]:
        """How many ECS tasks were really started for each of our tasks."""
        return Counter(run.task_id for run in self.runs.values())

    @property
    def good_ends(self) -> Counter[str]:
        """How many of these came to their end with exit code 0."""
        return Counter(run.task_id for run in self.runs.values() if run.stopped_ms and run.exit_code == 0)

    @property
    def alive(self) -> int:
        """Instances that were launched and that nobody has ended."""
        return sum(not each.ending for each in self.instances.values())

    @property
    def never_joined(self) -> set[str]:
        """Instances that ran, never registered in the cluster, and were ended."""
        ended = {ec2_id for ec2_id, each in self.instances.items() if each.ending and each.running_ms}
        return ended - set(self._ec2_ids.values())

    def _set_desired(self, line: Line) -> None:
        self.desired = line["desiredCapacity"]

    def _launched(self, line: Line) -> None:
        self.instances[line["ec2InstanceId"]] = Instance(instance_type=line["instanceType"])

    def _in_service(self, line: Line) -> None:
        self.instances[line["ec2InstanceId"]].running_ms = line["time_ms"]

    def _registered(self, line: Line) -> None:
        self._ec2_ids[line["containerInstanceArn"]] = line["ec2InstanceId"]

    def _terminating(self, line: Line) -> None:
        ec2_id = line["ec2InstanceId"]
        self.instances[ec2_id].ending = True
        on_it = [run for run in self.runs.values() if run.ec2_instance_id == ec2_id]
        if any(run.stopped_ms is None for run in on_it):
            self.busy_ends.append(ec2_id)

    def _terminated(self, line: Line) -> None:
        self.instances[line["ec2InstanceId"]].terminated_ms = line["time_ms"]

    def _started(self, line: Line) -> None:
        self.runs[line["taskArn"]] = Run(
            task_id=line["tags"].get(TASK_TAG, ""),
            ec2_instance_id=self._ec2_ids[line["containerInstanceArn"]],
        )

    def _task_changed(self, line: Line) -> None:
        run = self.runs[line["taskArn"]]
        if line["lastStatus"] == "RUNNING" and run.running_ms is None:
            run.running_ms = line["time_ms"]
        elif line["lastStatus"] == "STOPPED":
            run.stopped_ms, run.exit_code = line["time_ms"], line["exitCode"]

    def _orphaned(self, line: Line) -> None:
        self.busy_ends.append(self.runs[line["taskArn"]].ec2_instance_id)

    def _fault(self, line: Line) -> None:
        """The effect happened, and the caller did not hear of it."""
        self.lost_answers += line["operation"] == "StartTask" and line["kind"].endswith("_after")

    def _launch_failed(self, _: Line) -> None:
        self.failed_launches += 1

    def _denied(self, line: Line) -> None:
        self.denied.add(line["action"])

    def _stream_created(self, line: Line) -> None:
        prefix, _, ec2_id = line["logStreamName"].partition("/")
        if prefix == STREAM_PREFIX:
            self.consoles.add(ec2_id)

    def _agent(self, line: Line) -> None:
        if not line["agentConnected"]:
            self.lost_agents.add(line["containerInstanceArn"])


_ENTERED: Mapping[str, Callable[[Books, Line], None]] = {
    Effect.SET_DESIRED_CAPACITY: Books._set_desired,
    Effect.DETACH_INSTANCES: Books._set_desired,
    Effect.INSTANCE_LAUNCHED: Books._launched,
    Effect.INSTANCE_IN_SERVICE: Books._in_service,
    Effect.CONTAINER_INSTANCE_REGISTERED: Books._registered,
    Effect.INSTANCE_TERMINATING: Books._terminating,
    Effect.INSTANCE_TERMINATED: Books._terminated,
    Effect.START_TASK: Books._started,
    Effect.TASK_STATE_CHANGE: Books._task_changed,
    Effect.TASK_ORPHANED: Books._orphaned,
    Effect.FAULT_INJECTED: Books._fault,
    Effect.LAUNCH_FAILED: Books._launch_failed,
    Effect.AGENT_CONNECTION_CHANGE: Books._agent,
    Effect.ACCESS_DENIED: Books._denied,
    Effect.CREATE_LOG_STREAM: Books._stream_created,
}


def read_journal(path: Path) -> Iterator[Line]:
    """The journal's entries; a line that is being written is left out."""
    return map(json.loads, path.read_text("utf-8").split("\n")[:-1])
