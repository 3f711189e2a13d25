"""The wire: whose doing an effect is, who is told of it, and when what was announced strikes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.invariants import nothing_foreign_is_stopped
from scheduler.lab.chaos.scene import Scene
from scheduler.lab.chaos.stage import GROUP, Stage
from scheduler.lab.chaos.truth import EcsTask, Entry, Origin, Truth
from scheduler.lab.chaos.wire import Cut, Line
from scheduler.simulated_aws.errors import ConnectionDropped
from scheduler.simulated_aws.faults import ANY_OPERATION, Fault
from scheduler.simulated_aws.journal import Effect

DRAWN = draw(2)
PLAN = replace(
    DRAWN, mishaps=(), account=replace(DRAWN.account, min_size=0, desired=1, max_size=5, throttling=False)
)
LOST_ANSWER = Fault(operation="SetDesiredCapacity", kind="dropped_after")


class Caller:
    """A process that may die, and what it does."""

    def __init__(self, stage: Stage, by: Origin = Origin.SERVICE) -> None:
        """It lives."""
        self.alive = True
        self.effects: list[Entry] = []
        self._line = Line(stage.wire, by, alive=lambda: self.alive, asked=lambda operation, params: None)
        stage.wire.listeners.append(self)

    def heard(self, entry: Entry) -> None:
        """Remembers the effects of its calls."""
        if entry.effect == Effect.SET_DESIRED_CAPACITY:
            self.effects.append(entry)

    def set_desired(self, size: int) -> None:
        """A call that has an effect; the answer may be lost."""
        wanted: dict[str, Any] = {"AutoScalingGroupName": GROUP, "DesiredCapacity": size}
        try:
            self._line.call("autoscaling", "SetDesiredCapacity", wanted)
        except ConnectionDropped:
            return


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An account to which nothing happens by itself."""
    return Stage(PLAN, tmp_path, telling=False)


def test_a_lost_answer_is_unheard_and_its_process_lives(stage: Stage) -> None:
    """Only what a process sent before its end is posthumous."""
    caller = Caller(stage)
    stage.wire.arm(LOST_ANSWER, lambda: None)
    caller.set_desired(3)
    assert [(each.unheard, each.posthumous) for each in caller.effects] == [(True, False)]


@pytest.mark.parametrize("lives_on", [True, False])
def test_a_late_effect_is_posthumous_if_its_process_is_dead_by_then(stage: Stage, lives_on: bool) -> None:
    """It counts whether it lives when the effect comes, not when the call was sent."""
    caller, due = Caller(stage), list[Any]()
    stage.wire.later = lambda at_ms, act: due.append(act)
    stage.wire.delay("SetDesiredCapacity", 5_000, lambda: None)
    caller.set_desired(3)
    caller.alive = lives_on
    due[0]()
    assert [(each.late, each.posthumous) for each in caller.effects] == [(True, not lives_on)]


@pytest.mark.parametrize(
    ("by", "times"),
    [(Origin.SERVICE, 1), (Origin.RIVAL, 0)],
)
def test_a_fault_strikes_when_the_service_makes_the_call(stage: Stage, by: Origin, times: int) -> None:
    """Not when it is announced, and not as somebody else runs into it."""
    struck: list[str] = []
    stage.wire.arm(LOST_ANSWER, lambda: struck.append("now"))
    assert struck == []
    caller = Caller(stage, by)
    caller.set_desired(3)
    caller.set_desired(4)
    assert len(struck) == times


def test_what_was_healed_strikes_nobody(stage: Stage) -> None:
    """Neither a fault nor an effect that was awaited."""
    struck: list[str] = []
    stage.wire.arm(LOST_ANSWER, lambda: struck.append("a fault"))
    stage.wire.expect(Effect.SET_DESIRED_CAPACITY, 1, lambda: struck.append("an effect"))
    stage.wire.heal()
    caller = Caller(stage)
    caller.set_desired(3)
    assert (len(caller.effects), struck) == (1, [])


@pytest.mark.parametrize(("posthumous", "is_wrong"), [(False, True), (True, False)])
def test_an_unanswered_stop_of_somebody_elses_task_is_told(posthumous: bool, is_wrong: bool) -> None:
    """Only what had left a process that is dead, and whose store is lost, may stop it."""
    theirs = EcsTask(
        arn="task/1",
        container_instance_arn="instance/1",
        ec2_instance_id="i-1",
        definition_arn="agents:1",
        attempt_id="a-1",
        task_id="t-9",
        epoch="another",
        started_ms=0,
        since_ms=0,
    )
    scene = Scene(plan=PLAN, truth=Truth(tasks={"task/1": theirs}), book=Book(epoch="ours"))
    stop = Entry(
        at_ms=1,
        effect=Effect.STOP_TASK,
        origin=Origin.SERVICE,
        fields={"taskArn": "task/1"},
        unheard=True,
        posthumous=posthumous,
    )
    assert (nothing_foreign_is_stopped(scene, stop) is not None) is is_wrong


def test_what_is_cut_has_no_effect_until_it_is_mended(stage: Stage) -> None:
    """Calls of the operation alone, or of any; the others go on."""
    caller = Caller(stage)
    out_of_reach = Cut("SetDesiredCapacity", lambda service: ConnectionDropped(service))
    mend = stage.wire.cut(out_of_reach)
    other = stage.wire.cut(Cut("StartTask", out_of_reach.error))
    caller.set_desired(2)
    assert caller.effects == []
    mend()
    caller.set_desired(2)
    assert len(caller.effects) == 1
    stage.wire.cut(Cut(ANY_OPERATION, out_of_reach.error))
    other()
    caller.set_desired(3)
    assert len(caller.effects) == 1
    stage.wire.heal()
    caller.set_desired(3)
    assert len(caller.effects) == 2
