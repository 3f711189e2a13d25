"""Words: how values of the API are written for people."""

import json
from datetime import timedelta

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.task_pb2 import StopCategory, StopReason, Task, TaskState
from scheduler.api.convert.enums import TASK_STATES
from scheduler.client.refusal import Refusal
from scheduler.core.agents.bamboo import AGENT_NAME
from scheduler.core.model.task import TERMINAL_STATES

_STATE_PREFIX = "TASK_STATE_"
TERMINAL = frozenset(TASK_STATES[each] for each in TERMINAL_STATES)
"""States in which a task has ended."""

UNSUCCESSFUL = TERMINAL - {TaskState.TASK_STATE_SUCCEEDED}
STATES = tuple(TASK_STATES)
"""Every state, in the order in which a task passes through them."""


def json_line(message: Message) -> str:
    """The message as JSON on one line, spelled as the protobuf JSON mapping has it."""
    return MessageToJson(message, indent=None)


def refusal_line(refusal: Refusal, **about: str) -> str:
    """The refusal as JSON on one line, behind what it is about."""
    told = {
        "code": refusal.code.name,
        "reason": refusal.reason,
        "message": refusal.message,
        "violations": refusal.violations,
    }
    return json.dumps(about | told)


def state(number: TaskState) -> str:
    """`RUNNING` for TASK_STATE_RUNNING."""
    return TaskState.Name(number).removeprefix(_STATE_PREFIX)


def resources(amount: Resources) -> str:
    """`2.5 vCPU, 8,006 MiB`, and GPUs if there are any: 1,024 CPU units are one vCPU."""
    parts = [f"{amount.cpu_units / 1024:g} vCPU", f"{amount.memory_mib:,} MiB"]
    return ", ".join([*parts, f"{amount.gpus} GPU"] if amount.gpus else parts)


def ask(amount: Resources, *, exclusive: bool) -> str:
    """The same, with `alone` of what wants a container instance for itself."""
    return f"{resources(amount)}, alone" if exclusive else resources(amount)


def duration(span: timedelta) -> str:
    """`3:07`, with hours if there are any."""
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def instance(task: Task) -> str:
    """EC2's id of the container instance that the task was last sent to, or nothing."""
    return task.attempts[-1].ec2_instance_id if task.attempts else ""


def reason(stop: StopReason) -> str:
    """Category and message, or nothing."""
    category = StopCategory.Name(stop.category).removeprefix("STOP_CATEGORY_") if stop.category else ""
    return " ".join(part for part in (category, stop.message) if part)


def why(task: Task) -> str:
    """Why it did not succeed; of a task that was sent back to the queue, why its last attempt ended."""
    if task.state == TaskState.TASK_STATE_QUEUED and task.attempts:
        return reason(task.attempts[-1].stop_reason)
    if task.state == TaskState.TASK_STATE_SUCCEEDED:
        return ""
    codes = _exit_codes(task.stop_reason) if task.state == TaskState.TASK_STATE_FAILED else ""
    return ", ".join(filter(None, (reason(task.stop_reason), codes)))


def _exit_codes(stop: StopReason) -> str:
    """`exit code 3`; `exit codes agent 3, db 137` of several containers; nothing where none is above zero.

    Watches and listings leave out the spec, so only a Bamboo agent's main container is known by its name.
    """
    codes = {each.name: each.exit_code for each in stop.containers if each.exit_code}
    if AGENT_NAME in codes:
        return f"exit code {codes[AGENT_NAME]}"
    if len(stop.containers) == 1 and codes:
        return f"exit code {stop.containers[0].exit_code}"
    return "exit codes " + ", ".join(f"{name} {code}" for name, code in codes.items()) if codes else ""
