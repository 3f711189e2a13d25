"""The demo's story and how it is shown, from values."""

from collections.abc import Iterable

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from ecs_scheduler.v1.capacity_pb2 import ScalingEvent, ScalingKind
from ecs_scheduler.v1.container_instance_pb2 import (
    ContainerInstance,
    ContainerInstanceHealth,
    Removal,
    RemovalCause,
)
from ecs_scheduler.v1.scaling_pb2 import Cluster, InstanceGroup
from ecs_scheduler.v1.task_pb2 import Attempt, AttemptState, Task, TaskEvent, TaskState
from scheduler.cli import words
from scheduler.cli.demo.cast import agents
from scheduler.cli.demo.screen import ENTRIES, picture
from scheduler.cli.demo.story import Condition, Entry, Story, condition, waited
from scheduler.cli.demo.tellers import NUMBERS_PAUSE_MS, PlainLines

ASSIGNED, QUEUED, RUNNING, SUCCEEDED, FAILED = (
    TaskState.TASK_STATE_ASSIGNED,
    TaskState.TASK_STATE_QUEUED,
    TaskState.TASK_STATE_RUNNING,
    TaskState.TASK_STATE_SUCCEEDED,
    TaskState.TASK_STATE_FAILED,
)
SCHEDULABLE = ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_SCHEDULABLE
DISCONNECTED = ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_DISCONNECTED
LEAVING = ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_LEAVING
IN_A_MOMENT = ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_NOT_IN_SERVICE
IDLE_TOO_LONG = Removal(cause=RemovalCause.REMOVAL_CAUSE_IDLE)
LOST = Removal(cause=RemovalCause.REMOVAL_CAUSE_DISCONNECTED)

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


def tried(state: AttemptState) -> TaskEvent:
    """The task's only attempt is now so."""
    heard = event("t-1", ASSIGNED)
    heard.task.attempts.append(Attempt(attempt_id="a-1", state=state))
    return heard


def removing(step: str) -> ScalingEvent:
    """This was done to an instance."""
    return ScalingEvent(kind=f"SCALING_KIND_{step}", ec2_instance_id="i-0123456789", message="for a reason")


def cluster(*, desired: int, in_flight: int = 0) -> Cluster:
    group = InstanceGroup(min_size=1, max_size=12, desired_capacity=desired, in_flight=in_flight)
    return Cluster(group=group)


def instance(
    health: ContainerInstanceHealth = SCHEDULABLE, *, tasks: int = 0, removal: Removal | None = None
) -> ContainerInstance:
    return ContainerInstance(health=health, tasks=tasks, removal=removal, launch_time=Timestamp(seconds=1))


def test_over() -> None:
    """A story is over once as many tasks as expected have ended, and not before."""
    assert not told(event("t-1", SUCCEEDED), expected=2).over
    assert not told(event("t-1", SUCCEEDED), event("t-2", RUNNING), expected=2).over
    assert told(event("t-1", SUCCEEDED), event("t-2", FAILED), expected=2).over


@pytest.mark.parametrize(
    ("seen", "instances", "settled"),
    [
        (cluster(desired=1), [instance()], True),
        (cluster(desired=2), [instance(), instance()], False),
        (cluster(desired=1), [instance(), instance(LEAVING, removal=IDLE_TOO_LONG)], False),
        (cluster(desired=1), [instance(DISCONNECTED)], False),
        (cluster(desired=1), [instance(), instance(IN_A_MOMENT)], False),
        (cluster(desired=1, in_flight=1), [], False),
    ],
)
def test_settled(seen: Cluster, instances: Iterable[ContainerInstance], settled: bool) -> None:
    """The group is back once it is as large as its min size, and all that is listed can work and stays."""
    story = Story(0)
    story.see(T0_MS, seen, instances)
    assert story.settled is settled


def test_placed() -> None:
    """A task is somewhere once ECS has it; until then an instance that looks idle may be meant for it."""
    events = (event("t-1", QUEUED), event("t-2", ASSIGNED), event("t-3", RUNNING), event("t-4", SUCCEEDED))
    assert told(*events, expected=4).placed == 2


def test_waiting_time() -> None:
    """A wait ends when the agent runs; until then it grows."""
    assert waited(event("t-1", RUNNING, start_ms=9_000).task, T0_MS + 50_000).total_seconds() == 9
    assert waited(event("t-1", QUEUED).task, T0_MS + 50_000).total_seconds() == 50


def test_lost_start() -> None:
    """That a start whose answer was lost has been found is told once, and nothing of a usual start."""
    story = Story(1)
    started = AttemptState.ATTEMPT_STATE_STARTED
    adopted = AttemptState.ATTEMPT_STATE_ADOPTED
    heads = [story.hear(tried(state)) for state in (started, adopted, adopted)]
    assert [entry and entry.head for entry in heads] == [None, "ADOPTED", None]


def test_removal_is_told_in_two_entries() -> None:
    """Of a removal the first step and the last are told; what is taken back may go once more."""
    story = Story(1)
    kinds = ("DRAIN", "DETACH", "TERMINATE", "REMOVED", "TAKE_BACK", "DETACH")
    for name in kinds:
        story.hear_scaling(removing(name))
    assert [entry.head for entry in story.entries] == ["DRAIN", "REMOVED", "TAKE_BACK", "DETACH"]


def test_entry_of_growth() -> None:
    """An entry says between which sizes the group went, and why; without an instance it names none."""
    story = Story(1)
    grow = ScalingKind.SCALING_KIND_GROW
    story.hear_scaling(ScalingEvent(kind=grow, desired_before=1, desired_after=4, message="for a reason"))
    assert story.entries[0].text == "1 -> 4, for a reason"


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        (instance(tasks=2), Condition.BUSY),
        (instance(), Condition.IDLE),
        (instance(DISCONNECTED, tasks=2), Condition.DISCONNECTED),
        (instance(LEAVING, removal=LOST), Condition.DISCONNECTED),
        (instance(LEAVING, removal=IDLE_TOO_LONG), Condition.LEAVING),
        (instance(IN_A_MOMENT), None),
    ],
)
def test_condition(seen: ContainerInstance, shown: Condition | None) -> None:
    """An instance is shown as what it is good for; one that is lost stays so until it is gone."""
    assert condition(seen) is shown


def test_cast() -> None:
    """As many agents as are asked for, of two tenants, some with containers beside them, all with own ids."""
    cast = agents(60)
    assert len({request.request_id for request in cast}) == len(cast) == 60
    assert len({request.bamboo_agent.result_id for request in cast}) == 60
    assert len({request.tenant for request in cast[:12]}) == 2
    assert sum(bool(request.bamboo_agent.extra_containers) for request in cast) >= 15


def crowded_story() -> Story:
    """Sixty agents in all their states, every condition of an instance, more entries than are shown."""
    states = (QUEUED, ASSIGNED, RUNNING, SUCCEEDED)
    events = [event(f"t-{number}", states[number % 4], tenant=f"team-{number % 2}") for number in range(60)]
    story = told(*events, expected=60)
    seen = (
        [instance(tasks=1)] * 5 + [instance()] * 2 + [instance(DISCONNECTED), instance(removal=IDLE_TOO_LONG)]
    )
    for second in range(300):
        story.see(T0_MS + second, cluster(desired=11, in_flight=2), seen)
    for _ in range(10):
        story.tell(Entry(at_ms=T0_MS + 599_000, head="CONDITION_BEGAN", text="so it is " * 20, mishap=True))
    return story


def drawn(story: Story, columns: int) -> list[str]:
    console = Console(width=columns)
    with console.capture() as captured:
        console.print(picture(story, T0_MS + 599_000, columns))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_picture_fits(columns: int) -> None:
    """The picture never needs more than 80 columns or 20 lines, and gets by with 60 columns."""
    lines = drawn(crowded_story(), columns)
    assert len(lines) <= 20
    assert max(map(len, lines)) == min(columns, 80)


def test_picture_keeps_its_height() -> None:
    """The picture does not jump when there is more to tell."""
    story = told(event("t-1", RUNNING), event("t-2", RUNNING, tenant="payments"), expected=2)
    before = len(drawn(story, 80))
    for _ in range(2 * ENTRIES):
        story.tell(Entry(at_ms=T0_MS, head="GROW", text="for a reason"))
    assert len(drawn(story, 80)) == before


def test_picture_counts() -> None:
    """One block an agent and one glyph an instance, with what they mean and how many there are."""
    text = "\n".join(drawn(crowded_story(), 80))
    assert "▒▒▒" in text
    assert "░ queued 15" in text
    assert "■ ■ ■ ■ ■ □ □ ▽ ✗ ◌ ◌ ·  desired 11, 1 to 12" in text


def test_nothing_to_draw_yet() -> None:
    """Before anything is known there is a picture too."""
    assert drawn(Story(60), 80)


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers are printed when they have changed, and not more often than now and then."""
    story = told(event("t-1", QUEUED), expected=1)
    story.see(T0_MS, cluster(desired=1, in_flight=1), [])
    with PlainLines(story) as teller:
        teller.progress(T0_MS)
        teller.progress(T0_MS + NUMBERS_PAUSE_MS)
        story.hear(event("t-1", RUNNING))
        teller.progress(T0_MS + 1)
        teller.progress(T0_MS + NUMBERS_PAUSE_MS)
        teller.tell(None)
        teller.tell(Entry(at_ms=T0_MS + 61_000, head="GROW", text="for a reason"))
    assert capsys.readouterr().out.splitlines() == [
        " 0:00  agents: queued 1; instances: in flight 1",
        " 0:30  agents: running 1; instances: in flight 1",
        " 1:01  GROW            for a reason",
    ]
