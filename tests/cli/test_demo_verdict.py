"""The demo's verdict and figures, from journals that are written here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecs_scheduler.v1.container_instance_pb2 import ContainerInstance
from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scaling_pb2 import Cluster, InstanceGroup, InstanceType
from ecs_scheduler.v1.task_pb2 import Task, TaskEvent, TaskState
from scheduler.cli.demo.books import Books, read_journal
from scheduler.cli.demo.story import Story
from scheduler.cli.demo.summary import usage, utilisation
from scheduler.cli.demo.verdict import Finding, findings, findings_so_far

Line = dict[str, Any]

SUCCEEDED, ONCE, NONE_BUSY, BACK_AT_MIN, ALLOWED, CONSOLES, MISHAPS = range(7)
"""The findings, in their order."""

SECOND_MS = 1_000


def at(seconds: int, effect: str, **fields: Any) -> Line:
    return {"time_ms": seconds * SECOND_MS, "effect": effect, **fields}


def launched(name: str, seconds: int) -> list[Line]:
    return [
        at(seconds, "InstanceLaunched", ec2InstanceId=name, instanceType="m4.4xlarge"),
        at(seconds, "InstanceInService", ec2InstanceId=name),
        at(seconds, "ContainerInstanceRegistered", ec2InstanceId=name, containerInstanceArn=f"arn-{name}"),
    ]


def started(task_id: str, name: str, seconds: int, ecs_task: str = "") -> Line:
    arn = ecs_task or f"ecs-{task_id}"
    tags = {"ecs-scheduler:task": task_id}
    return at(seconds, "StartTask", taskArn=arn, containerInstanceArn=f"arn-{name}", tags=tags)


def changed(task_id: str, status: str, seconds: int, exit_code: int | None = None) -> Line:
    arn = f"ecs-{task_id}"
    return at(seconds, "TaskStateChange", taskArn=arn, lastStatus=status, exitCode=exit_code)


def good_journal() -> list[Line]:
    """Two agents, the second on an instance that is bought for it and given back; all mishaps."""
    return [
        at(0, "SetDesiredCapacity", previous=0, desiredCapacity=1),
        *launched("i-1", 0),
        started("t-1", "i-1", 10),
        at(10, "FaultInjected", operation="StartTask", kind="dropped_after"),
        at(10, "SetDesiredCapacity", previous=1, desiredCapacity=2),
        at(12, "LaunchFailed", message="no capacity"),
        *launched("i-2", 20),
        at(20, "InstanceLaunched", ec2InstanceId="i-9", instanceType="m4.4xlarge"),
        changed("t-1", "RUNNING", 20),
        started("t-2", "i-2", 30),
        changed("t-2", "RUNNING", 40),
        changed("t-1", "DEACTIVATING", 60),
        changed("t-1", "STOPPED", 60, 0),
        changed("t-2", "STOPPED", 80, 0),
        at(80, "AgentConnectionChange", containerInstanceArn="arn-i-2", agentConnected=False),
        at(85, "DetachInstances", ec2InstanceIds=["i-2"], desiredCapacity=1),
        at(90, "InstanceInService", ec2InstanceId="i-9"),
        at(89, "CreateLogStream", logStreamName="pbc-ec2-instance-stale/i-9"),
        at(90, "InstanceTerminating", ec2InstanceId="i-2"),
        at(90, "InstanceTerminating", ec2InstanceId="i-9"),
        at(90, "InstanceTerminated", ec2InstanceId="i-9"),
        at(100, "InstanceTerminated", ec2InstanceId="i-2"),
    ]


def tasks(*states: TaskState) -> list[Task]:
    return [Task(task_id=f"t-{number}", state=state) for number, state in enumerate(states, 1)]


BOTH = tasks(TaskState.TASK_STATE_SUCCEEDED, TaskState.TASK_STATE_SUCCEEDED)


def judged(journal: list[Line], seen: list[Task] = BOTH, expected: int = 2) -> list[Finding]:
    return list(findings(seen, expected, Books(journal), 1))


def broken(journal: list[Line], seen: list[Task] = BOTH, expected: int = 2) -> list[int]:
    """Which findings are not good."""
    return [number for number, each in enumerate(judged(journal, seen, expected)) if not each.good]


def without(effect: str) -> list[Line]:
    return [line for line in good_journal() if line["effect"] != effect]


def before(effect: str, *lines: Line) -> list[Line]:
    journal = good_journal()
    place = next(number for number, line in enumerate(journal) if line["effect"] == effect)
    return [*journal[:place], *lines, *journal[place:]]


def test_a_good_journal_is_found_good() -> None:
    """Where all went well each finding is good, and says in numbers what it found."""
    found = judged(good_journal())
    assert [each.good for each in found] == [True] * 7
    assert found[ONCE].text == "each was started exactly once: 2 agents, 2 starts"
    assert found[NONE_BUSY].text == "none of 2 terminated container instances was busy"


VIOLATIONS: dict[str, tuple[Callable[[], list[Line]], list[int]]] = {
    "started twice": (lambda: [*good_journal(), started("t-2", "i-1", 99, "ecs-again")], [ONCE]),
    "never started": (lambda: [line for line in good_journal() if "t-2" not in str(line)], [SUCCEEDED, ONCE]),
    "started for nobody": (lambda: [*good_journal(), started("", "i-1", 99, "ecs-stray")], [ONCE]),
    "started for a stranger": (lambda: [*good_journal(), started("t-9", "i-1", 99)], [ONCE]),
    "one for the other": (
        lambda: [line | {"tags": {"ecs-scheduler:task": "t-1"}} for line in good_journal()],
        [SUCCEEDED, ONCE],
    ),
    "failed in truth": (lambda: [*good_journal(), changed("t-2", "STOPPED", 99, 1)], [SUCCEEDED]),
    "ended without exit code": (lambda: [*good_journal(), changed("t-2", "STOPPED", 99)], [SUCCEEDED]),
    "still running": (
        lambda: [line for line in good_journal() if line != changed("t-1", "STOPPED", 60, 0)],
        [SUCCEEDED],
    ),
    "busy one terminated": (
        lambda: before("InstanceTerminating", started("t-3", "i-2", 89)),
        [ONCE, NONE_BUSY],
    ),
    "terminated under a start": (
        lambda: [
            *before("InstanceTerminating"),
            *launched("i-3", 101),
            started("t-2", "i-3", 101, "ecs-again"),
            at(102, "InstanceTerminating", ec2InstanceId="i-3"),
        ],
        [ONCE, NONE_BUSY],
    ),
    "lost sight of": (
        lambda: before("InstanceTerminating", at(70, "TaskOrphaned", taskArn="ecs-t-1")),
        [NONE_BUSY],
    ),
    "one too many is left": (lambda: without("InstanceTerminating"), [BACK_AT_MIN, MISHAPS]),
    "one too few is left": (
        lambda: [*good_journal(), at(99, "InstanceTerminating", ec2InstanceId="i-1")],
        [BACK_AT_MIN],
    ),
    "more are desired": (lambda: without("DetachInstances"), [BACK_AT_MIN]),
    "fewer are desired": (
        lambda: [*good_journal(), at(99, "SetDesiredCapacity", desiredCapacity=0)],
        [BACK_AT_MIN],
    ),
    "no lost answer": (lambda: without("FaultInjected"), [MISHAPS]),
    "no failed launch": (lambda: without("LaunchFailed"), [MISHAPS]),
    "a console is lost": (lambda: without("CreateLogStream"), [CONSOLES]),
    "all joined": (lambda: [line for line in good_journal() if "i-9" not in str(line)], [MISHAPS]),
    "refused by IAM": (lambda: [*good_journal(), at(9, "AccessDenied", action="ecs:StopTask")], [ALLOWED]),
    "no lost agent": (lambda: without("AgentConnectionChange"), [MISHAPS]),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_each_violation_is_found(violation: str) -> None:
    """Whatever went wrong by the journal is found, and nothing else is blamed for it."""
    journal, blamed = VIOLATIONS[violation]
    assert broken(journal()) == blamed


def test_an_error_that_had_no_effect_is_no_lost_answer() -> None:
    """Only an effect that the caller did not hear of proves something about exactly once."""
    refused = at(10, "FaultInjected", operation="StartTask", kind="error_before")
    elsewhere = at(10, "FaultInjected", operation="StopTask", kind="dropped_after")
    assert broken([*without("FaultInjected"), refused, elsewhere]) == [MISHAPS]


def test_the_word_of_the_service_counts_too() -> None:
    """An agent that the service calls failed, or has not told of, did not succeed, whatever AWS saw."""
    failed = tasks(TaskState.TASK_STATE_SUCCEEDED, TaskState.TASK_STATE_FAILED)
    assert broken(good_journal(), failed) == [SUCCEEDED]
    assert broken(good_journal(), BOTH[:1]) == [SUCCEEDED, ONCE]
    assert broken(good_journal(), expected=3) == [SUCCEEDED]


def test_nothing_happened() -> None:
    """A demo in which nothing happened is no success."""
    assert SUCCEEDED in broken([], [], expected=2)
    assert BACK_AT_MIN in broken([], [], expected=2)


def test_torn_journal(tmp_path: Path) -> None:
    """A line that is being written while the journal is read is left out."""
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"effect": "StopTask"}\n{"effect": "Start')
    assert list(read_journal(journal)) == [{"effect": "StopTask"}]


def told_story() -> Story:
    """Both agents asked for half of an instance's CPU, from the tenth second on."""
    story = Story(2)
    for each in BOTH:
        task = Task(task_id=each.task_id, state=each.state, resources=Resources(cpu_units=500))
        task.create_time.FromMilliseconds(10 * SECOND_MS)
        story.hear(TaskEvent(task=task))
    kind = InstanceType(name="m4.4xlarge", allocatable=Resources(cpu_units=1_000))
    story.see(0, Cluster(group=InstanceGroup(instance_types=[kind])), [])
    return story


def test_utilisation() -> None:
    """Two runs of 40 s at half of an instance, over two instances that ran for 90 s and 80 s: 40 of 170."""
    share = utilisation(told_story(), Books(good_journal()), 10 * SECOND_MS, 100 * SECOND_MS)
    assert share == pytest.approx(40 / 170)


def test_usage() -> None:
    """The peak is the picture's; instances count from EC2's `running`, or the first request, to their end."""
    story = told_story()
    for count in (2, 3, 1):
        story.see(0, story.cluster, [ContainerInstance()] * count)
    line = usage(story, Books(good_journal()), 130 * SECOND_MS)
    assert line == "container instances: 3 at the peak, 3 instance-minutes, 20% utilised"


def test_given_up() -> None:
    """Of a demo that was given up nothing is claimed of agents that were not started."""
    begun = [line for line in good_journal() if "t-2" not in str(line)]
    texts = [each.text for each in findings_so_far(BOTH, 2, Books(begun))]
    assert texts[1] == "none of 1 agents that were started was started twice"
    assert not any("exactly once" in text or "group" in text for text in texts)


def test_started_twice_before_it_was_given_up() -> None:
    """What was wrong up to then is wrong."""
    journal = [*good_journal(), started("t-2", "i-1", 99, "ecs-again")]
    bad = [each.text for each in findings_so_far(BOTH, 2, Books(journal)) if not each.good]
    assert bad == ["started more than once: t-2"]
