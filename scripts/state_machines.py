"""Writes `docs/state-machines.md` from the tables that the service itself works by.

Run as `python -m scripts.state_machines`; `tests/test_docs.py` compares. The words about each state are
here, because no table has room for them; a state without words is an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scheduler.core.lifecycle.causes import CAUSES, Cause
from scheduler.core.lifecycle.health import RULES
from scheduler.core.lifecycle.transitions import EDGES
from scheduler.core.model.attempt import CLOSED_ATTEMPT_STATES, AttemptState
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.records import IntentState
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.task import TERMINAL_STATES, TaskState

PAGE = Path(__file__).resolve().parent.parent / "docs" / "state-machines.md"

TASK_WORDS: Mapping[TaskState, str] = {
    TaskState.QUEUED: "Accepted and durable. Waits for room, for its task definition, or out a short rest.",
    TaskState.ASSIGNED: "A container instance is chosen, the attempt is durable, `StartTask` is under way.",
    TaskState.STARTING: "ECS has it: PROVISIONING, PENDING or ACTIVATING.",
    TaskState.RUNNING: "ECS says RUNNING.",
    TaskState.SUCCEEDED: "The main container exited by itself with 0.",
    TaskState.FAILED: "Anything else. `stop_reason` says what. A missing exit code is never success.",
    TaskState.STOPPING: "To be stopped, for a client or its run timeout. It ends when ECS has stopped it.",
    TaskState.CANCELLED: "A client cancelled it.",
    TaskState.EXPIRED: "No room was found before its queue timeout.",
}

ATTEMPT_WORDS: Mapping[AttemptState, str] = {
    AttemptState.OPEN: "The durable intent of a `StartTask`: it may be under way.",
    AttemptState.STARTED: "`StartTask` answered with a task, or its task was seen.",
    AttemptState.DEFINITE_FAILURE: "`StartTask` certainly did nothing.",
    AttemptState.UNKNOWN: "The answer was lost. The attempt is looked for.",
    AttemptState.ADOPTED: "The answer was lost and the task was found.",
    AttemptState.ABANDONED: "Not found by a search that began after the visibility window.",
    AttemptState.ENDED: "Its task was seen STOPPED, or ECS does not know it any more.",
}

INTENT_WORDS: Mapping[IntentState, str] = {
    IntentState.OPEN: "Durable; the call is sent or about to be.",
    IntentState.DONE: "It did its work.",
    IntentState.FAILED_DEFINITE: "It certainly did nothing.",
    IntentState.ABANDONED: "Its answer was lost, or it is to be tried again later: decided anew.",
}

REMOVAL_WORDS: Mapping[RemovalStep, str] = {
    RemovalStep.DRAINING: "No task is placed on it any more. ECS is told; once it shows DRAINING, what runs "
    "on it is read again and again until nothing does.",
    RemovalStep.DETACHING: "The group is told to let it go, and to become smaller or to replace it.",
    RemovalStep.TERMINATING: "The group does not list it any more. EC2 is told to end it.",
    RemovalStep.LEAVING: "EC2 is ending it. If ECS goes on listing it afterwards, it is deregistered.",
    RemovalStep.RETURNING: "Its room is wanted, a task got onto it, its agent is back, or it is not let go. "
    "ECS is told that it is ACTIVE again.",
}

CAUSE_WORDS: Mapping[RemovalCause, str] = {
    RemovalCause.IDLE: "idle for `ECS_SCHEDULER_IDLE_TIMEOUT_MS`, and nothing that waits would use it",
    RemovalCause.SURPLUS: "idle, and the group is larger than the operator's target",
    RemovalCause.STALE: "older than `ECS_SCHEDULER_INSTANCE_MAX_AGE_MS`, give or take the jitter",
    RemovalCause.DISCONNECTED: "its agent was away for `ECS_SCHEDULER_DISCONNECTED_AFTER_MS`, or for most of "
    "the last hour in blinks",
    RemovalCause.NEVER_JOINED: "in service in the group and not in the cluster for "
    "`ECS_SCHEDULER_NEVER_JOINED_AFTER_MS`",
    RemovalCause.NOT_IN_GROUP: "in the cluster, a member once and not any more (or never, with "
    "`ECS_SCHEDULER_FOREIGN_INSTANCES=terminate`), and idle",
    RemovalCause.BLACK_HOLE: "in quarantine: tasks of several images and builds failed to start on it in a "
    "row, while others started well elsewhere",
}

HEALTH_WORDS: Mapping[InstanceHealth, str] = {
    InstanceHealth.LEAVING: "it is being removed",
    InstanceHealth.NOT_IN_GROUP: "registered in the cluster, and the Auto Scaling group does not list it",
    InstanceHealth.DRAINING: "its status is DRAINING",
    InstanceHealth.NOT_ACTIVE: "its status is neither ACTIVE nor DRAINING",
    InstanceHealth.DISCONNECTED: "its ECS agent is not connected",
    InstanceHealth.NOT_IN_SERVICE: "the group lists it in another lifecycle state than InService",
    InstanceHealth.SUSPECT: "what starts on it fails, while the same starts well elsewhere",
    InstanceHealth.STALE: "it is too old, and the group can grow",
    InstanceHealth.SCHEDULABLE: "none of the above",
}

HEAD = """\
# State machines

This page is written by `python -m scripts.state_machines` from the tables in the code. Do not edit it.
"""

TASKS = """\
## Tasks

The table is `core/lifecycle/transitions.py:EDGES`; an edge that it lacks is refused
(`core/lifecycle/transitions.py:check_edge`). ECS may skip states, so the edges do too.
"""

ATTEMPTS = """\
## Launch attempts

Each `StartTask` has an attempt with an id of its own, which is ECS's `startedBy`. What moves an attempt is
`core/lifecycle/reconcile.py:reconcile`, an ordered list of rules.
"""

INTENTS = """\
## Other acts

Setting desired capacity, registering and deregistering a task definition, deregistering a container instance
and removing an instance have an intent each, keyed so that one is under way at a time. After a restart an
open one is closed as ABANDONED, but that of a removal, whose payload is its step: it is gone on with.
"""

HEALTH = """\
## Container instances

`core/lifecycle/health.py:classify` takes the first row that applies. Only schedulable instances get tasks.
The words are those in which rejects are counted.
"""

REMOVALS = """\
## Removals of instances

`core/lifecycle/removal.py:advance` takes the first rule of the present step that applies
(`core/lifecycle/removal.py:RULES`). Each step is durable before its act is sent, and is gone on with after a
restart. [removal.md](removal.md) tells the story.
"""

REMOVAL_DIAGRAM = """\
```mermaid
stateDiagram-v2
    [*] --> DRAINING: idle, surplus, stale, black hole, outside the group, or disconnected and to be drained
    [*] --> DETACHING: disconnected
    [*] --> TERMINATING: never joined
    DRAINING --> DETACHING: nothing runs on it, or its agent is lost
    DRAINING --> TERMINATING: the same, and the group does not list it
    DRAINING --> RETURNING: wanted, a task got onto it, attached again, or its agent is back
    DRAINING --> [*]: gone, registered anew, or AWS denies it
    DETACHING --> TERMINATING: not listed any more
    DETACHING --> DRAINING: refused, or we began anew
    DETACHING --> RETURNING: the group would be too small, AWS denies it, or its agent is back after a drain
    DETACHING --> [*]: its agent is back, or the group is at it already
    TERMINATING --> DRAINING: still a member, or at work outside the group
    TERMINATING --> [*]: it joined after all
    TERMINATING --> LEAVING: EC2 accepted
    LEAVING --> [*]: gone
    RETURNING --> [*]: ACTIVE again, or gone
```
"""

CAUSES_TEXT = """\
## Causes of a task's end

`core/lifecycle/causes.py:classify_stop` takes the first row that matches: a stop code, a text that begins
so, or after `...` one that has it in it. Once the main container has exited, only its own texts count beside
the task's. If no row matches, exit codes decide: the main container's (EXIT), another one's
(ESSENTIAL_EXITED), and if there are none, INSTANCE_LOST.
"""


def page() -> str:
    """The whole page."""
    parts = (
        HEAD, TASKS, _diagram(), _tasks(), ATTEMPTS, _attempts(), INTENTS, _intents(), HEALTH, _health(),
        REMOVALS, REMOVAL_DIAGRAM, _removals(), _removal_causes(), CAUSES_TEXT, _causes(),
    )  # fmt: skip
    return "\n".join(parts)


def _diagram() -> str:
    edges = [f"    {state} --> {after}" for state in TaskState for after in _after(state)]
    ends = [f"    {state} --> [*]" for state in TaskState if state in TERMINAL_STATES]
    body = ["stateDiagram-v2", f"    [*] --> {TaskState.QUEUED}", *edges, *ends]
    return "\n".join(["```mermaid", *body, "```", ""])


def _tasks() -> str:
    rows = ((state, TASK_WORDS[state], ", ".join(_after(state)) or "terminal") for state in TaskState)
    return _table(("state", "meaning", "may become"), rows)


def _after(state: TaskState) -> Sequence[TaskState]:
    return [each for each in TaskState if each in EDGES[state]]


def _attempts() -> str:
    rows = (
        (state, ATTEMPT_WORDS[state], "no" if state in CLOSED_ATTEMPT_STATES else "yes")
        for state in AttemptState
    )
    return _table(("state", "meaning", "holds room"), rows)


def _intents() -> str:
    return _table(("state", "meaning"), ((state, INTENT_WORDS[state]) for state in IntentState))


def _health() -> str:
    order = [*(health for health, _ in RULES), InstanceHealth.SCHEDULABLE]
    return _table(("health", "rule"), ((health.value, HEALTH_WORDS[health]) for health in order))


def _removals() -> str:
    return _table(("step", "meaning"), ((step, REMOVAL_WORDS[step]) for step in RemovalStep))


def _removal_causes() -> str:
    return _table(("cause", "when"), ((cause, CAUSE_WORDS[cause]) for cause in RemovalCause))


def _causes() -> str:
    rows = (
        (cause.category, _codes(sorted(cause.stop_codes)), _codes((*cause.prefixes, *_inside(cause))))
        for cause in CAUSES
    )
    return _table(("category", "stop codes", "texts that begin with"), rows)


def _inside(cause: Cause) -> Iterable[str]:
    return (f"... {phrase}" for phrase in cause.phrases)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "-"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
