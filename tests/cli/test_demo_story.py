"""The demo's story and verdict, from values."""

import json
from collections import Counter
from pathlib import Path

from rich.console import Console

from ecs_scheduler.v1.scaling_pb2 import Cluster, InstanceCounts, InstanceGroup
from ecs_scheduler.v1.task_pb2 import Task, TaskEvent, TaskState
from scheduler.cli import words
from scheduler.cli.demo.command import agents
from scheduler.cli.demo.screen import picture
from scheduler.cli.demo.story import Story, waited
from scheduler.cli.demo.verdict import each_started_once, starts_by_task

QUEUED, RUNNING, SUCCEEDED, FAILED = (
    TaskState.TASK_STATE_QUEUED,
    TaskState.TASK_STATE_RUNNING,
    TaskState.TASK_STATE_SUCCEEDED,
    TaskState.TASK_STATE_FAILED,
)
T0_MS = 1_800_000_000_000


def event(
    task_id: str, state: TaskState, *, tenant: str = "mobile", start_ms: int | None = None
) -> TaskEvent:
    task = Task(task_id=task_id, tenant=tenant, build_key="LEDGER-INTEG", state=state)
    task.create_time.FromMilliseconds(T0_MS)
    if start_ms is not None:
        task.start_time.FromMilliseconds(T0_MS + start_ms)
    if state in words.TERMINAL:
        task.stop_time.FromMilliseconds(T0_MS + 60_000)
    return TaskEvent(task=task)


def told(*events: TaskEvent, expected: int) -> Story:
    story = Story(expected)
    for each in events:
        story.hear(each)
    return story


def test_over() -> None:
    """A story is over once as many tasks as expected have ended, and not before."""
    assert not told(event("t-1", SUCCEEDED), expected=2).over
    assert not told(event("t-1", SUCCEEDED), event("t-2", RUNNING), expected=2).over
    assert told(event("t-1", SUCCEEDED), event("t-2", FAILED), expected=2).over


def test_failure_is_no_success() -> None:
    """One agent that failed spoils the success."""
    assert not told(event("t-1", SUCCEEDED), event("t-2", FAILED), expected=2).succeeded
    assert told(event("t-1", SUCCEEDED), expected=1).succeeded


def test_capacity_changes() -> None:
    """Only a change of the group or its instances is told; the peak is kept."""
    story = Story(1)
    grown = Cluster(group=InstanceGroup(desired_capacity=2), instances=InstanceCounts(schedulable=2))
    assert story.see(grown)
    assert not story.see(grown)
    assert story.see(Cluster(group=InstanceGroup(desired_capacity=1)))
    assert story.peak_instances == 2


def test_waiting_time() -> None:
    """A wait ends when the agent runs; until then it grows."""
    assert waited(event("t-1", RUNNING, start_ms=9_000).task, T0_MS + 50_000).total_seconds() == 9
    assert waited(event("t-1", QUEUED).task, T0_MS + 50_000).total_seconds() == 50


def test_verdict(tmp_path: Path) -> None:
    """A task that AWS started twice, or not at all, is found in the journal."""
    journal = tmp_path / "journal.jsonl"
    starts = [{"effect": "StartTask", "tags": {"ecs-scheduler:task": name}} for name in ("t-1", "t-2", "t-2")]
    lines = [{"effect": "StopTask"}, *starts]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    counted = starts_by_task(journal)
    story = told(event("t-1", SUCCEEDED), event("t-2", SUCCEEDED), expected=2)
    assert counted == {"t-1": 1, "t-2": 2}
    assert not each_started_once(story, counted)
    assert not each_started_once(story, Counter({"t-1": 1}))
    assert each_started_once(story, Counter({"t-1": 1, "t-2": 1}))


def test_cast() -> None:
    """Twenty agents of two tenants, some with containers beside them, each with an id of its own."""
    cast = agents()
    assert len({request.request_id for request in cast}) == len(cast) == 20
    assert len({request.tenant for request in cast}) == 2
    assert sum(bool(request.bamboo_agent.extra_containers) for request in cast) >= 5


def test_picture_fits() -> None:
    """The picture of twenty running agents fits a terminal of 80 by 24."""
    events = [
        event(f"t-{number}", RUNNING, tenant=f"team-{number % 2}", start_ms=3_000) for number in range(20)
    ]
    story = told(*events, expected=20)
    story.see(Cluster(group=InstanceGroup(max_size=8, desired_capacity=8, in_flight=4)))
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(story, T0_MS + 599_000))
    lines = captured.get().splitlines()
    assert len(lines) <= 23
    assert max(len(line.rstrip()) for line in lines) <= 80
