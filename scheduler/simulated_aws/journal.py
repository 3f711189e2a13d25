"""The journal: every effect on the account in order, and how often each operation was called."""

import json
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO


class Effect(StrEnum):
    """What can happen to the account."""

    REGISTER_TASK_DEFINITION = "RegisterTaskDefinition"
    DEREGISTER_TASK_DEFINITION = "DeregisterTaskDefinition"
    START_TASK = "StartTask"
    STOP_TASK = "StopTask"
    TASK_STATE_CHANGE = "TaskStateChange"
    TASK_FORGOTTEN = "TaskForgotten"
    CONTAINER_INSTANCE_REGISTERED = "ContainerInstanceRegistered"
    CONTAINER_INSTANCE_DEREGISTERED = "ContainerInstanceDeregistered"
    CONTAINER_INSTANCE_STATE_CHANGE = "ContainerInstanceStateChange"
    AGENT_CONNECTION_CHANGE = "AgentConnectionChange"
    TASK_ORPHANED = "TaskOrphaned"
    ORPHANED_TASK_ENDED = "OrphanedTaskEnded"
    SET_DESIRED_CAPACITY = "SetDesiredCapacity"
    SET_GROUP_LIMITS = "SetGroupLimits"
    DETACH_INSTANCES = "DetachInstances"
    INSTANCE_DETACHED = "InstanceDetached"
    SUSPEND_PROCESSES = "SuspendProcesses"
    RESUME_PROCESSES = "ResumeProcesses"
    LAUNCH_FAILED = "LaunchFailed"
    INSTANCE_LAUNCHED = "InstanceLaunched"
    INSTANCE_IN_SERVICE = "InstanceInService"
    INSTANCE_UNHEALTHY = "InstanceUnhealthy"
    ZONES_REBALANCED = "ZonesRebalanced"
    INSTANCE_TERMINATING = "InstanceTerminating"
    INSTANCE_TERMINATED = "InstanceTerminated"
    CREATE_LOG_STREAM = "CreateLogStream"
    PUT_LOG_EVENTS = "PutLogEvents"
    FAULT_INJECTED = "FaultInjected"
    ACCESS_DENIED = "AccessDenied"


class Journal:
    """The oracle of exactly-once tests: kept in memory and, if a path is given, appended as JSON lines.

    Each line is flushed before the call that caused it answers: a process that is killed right after
    an effect leaves that effect in the file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.rejections: Counter[tuple[str, str]] = Counter()
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def record(self, time_ms: int, effect: Effect, **fields: Any) -> None:
        """Append one effect; `fields` are its identifiers, spelled as in AWS's API."""
        entry = {"time_ms": time_ms, "effect": str(effect), **fields}
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def of(self, effect: Effect) -> Iterator[dict[str, Any]]:
        """The entries of one kind, oldest first."""
        return (entry for entry in self.entries if entry["effect"] == effect)

    def count_call(self, operation: str) -> None:
        """Count a call, whatever becomes of it."""
        self.calls[operation] += 1

    def count_rejection(self, operation: str, code: str) -> None:
        """Count a call that the model refused; injected faults are entries, not rejections."""
        self.rejections[operation, code] += 1

    def close(self) -> None:
        """Close the file; entries in memory stay readable."""
        if self._file:
            self._file.close()
            self._file = None
