"""The steps of a removal: what ends each, and what never does."""

from dataclasses import replace
from typing import Any

import pytest

from scheduler.core.lifecycle.removal import Ended, RemovalEvidence, advance
from scheduler.core.model.answers import (
    BELOW_MIN_SIZE,
    INSTANCE_UNKNOWN,
    NOT_A_MEMBER,
    NOT_IN_SERVICE,
    UNKNOWN_TO_ECS,
    EcsTask,
    InstanceInspected,
)
from scheduler.core.model.removal import RemovalCause, RemovalStep, read_removal, removal_text
from tests.builders import a_removal, a_removal_evidence, an_ecs_task, an_instance, attempt
from tests.core.clusters import LOST, THROTTLED, UNREACHED, refused

DRAINED = an_instance(status="DRAINING")
EMPTY = InstanceInspected(instance=DRAINED)
STEPS = tuple(RemovalStep)


def inspected(*tasks: EcsTask, **changes: Any) -> InstanceInspected:
    return InstanceInspected(instance=replace(DRAINED, **changes), tasks=tasks)


RUNNING = an_ecs_task(attempt(), last_status="RUNNING")
STOPPING = an_ecs_task(attempt(), last_status="STOPPING", desired_status="STOPPED")


def turn(
    step: RemovalStep, cause: RemovalCause = RemovalCause.IDLE, **known: Any
) -> RemovalStep | str | None:
    """The next step, `gone` or `kept` at the end, or None."""
    decrement = known.pop("decrement", True)
    removal = a_removal(step=step, cause=cause, decrement=decrement)
    return told(a_removal_evidence(removal, **known))


def told(evidence: RemovalEvidence) -> RemovalStep | str | None:
    after = advance(evidence)
    if isinstance(after, Ended):
        assert after.removal == evidence.removal
        return "gone" if after.gone else "kept"
    return after.removal.step if after else None


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_nothing_was_heard_of_goes_on(step: RemovalStep) -> None:
    """It was just made durable: the act comes first, and no rule jumps ahead of it."""
    assert turn(step) is None


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("refusal", [LOST, THROTTLED])
def test_an_act_that_may_be_repeated_changes_nothing(step: RemovalStep, refusal: Any) -> None:
    """It is sent again; only what AWS says of the instance itself moves a removal on."""
    assert turn(step, refusal=refusal) is None


@pytest.mark.parametrize("cause", sorted(set(RemovalCause) - {RemovalCause.NOT_IN_GROUP}))
def test_an_empty_drained_instance_is_detached(cause: RemovalCause) -> None:
    """ECS shows it DRAINING, and nothing runs on it that has not stopped."""
    assert turn(RemovalStep.DRAINING, cause, accepted=True, inspected=EMPTY) is RemovalStep.DETACHING


OUTSIDE: dict[str, Any] = {"lifecycle_state": None, "accepted": True}


@pytest.mark.parametrize("cause", RemovalCause)
@pytest.mark.parametrize("known", [{"inspected": EMPTY}, {"lost": True}])
def test_one_that_is_outside_the_group_is_not_detached(cause: RemovalCause, known: dict[str, Any]) -> None:
    """There is nothing to let go: it is drained and terminated."""
    assert turn(RemovalStep.DRAINING, cause, **OUTSIDE, **known) is RemovalStep.TERMINATING


def test_one_that_is_outside_is_never_taken_back() -> None:
    """Whatever got onto it is waited for: its room is nobody's."""
    assert turn(RemovalStep.DRAINING, **OUTSIDE, busy=True) is None
    assert turn(RemovalStep.DRAINING, **OUTSIDE, inspected=inspected(RUNNING)) is None


def test_one_that_is_attached_again_stays() -> None:
    """It serves its group; before its drain was accepted nobody knows which would take effect last."""
    assert turn(RemovalStep.DRAINING, RemovalCause.NOT_IN_GROUP, accepted=True) is RemovalStep.RETURNING
    assert turn(RemovalStep.DRAINING, RemovalCause.NOT_IN_GROUP) is None


@pytest.mark.parametrize("cause", sorted(set(RemovalCause) - {RemovalCause.NEVER_JOINED}))
@pytest.mark.parametrize("untouched", [True, False])
def test_one_that_was_detached_and_is_at_work_is_drained(cause: RemovalCause, untouched: bool) -> None:
    """So that its work has an end: nothing new comes onto it, and what services have there moves away."""
    known: dict[str, Any] = {"lifecycle_state": None, "connected": True, "untouched": untouched}
    assert turn(RemovalStep.TERMINATING, cause, busy=True, **known) is RemovalStep.DRAINING
    assert turn(RemovalStep.TERMINATING, cause, busy=False, **known) is None


@pytest.mark.parametrize(
    "known",
    [
        {"busy": True, "inspected": EMPTY},
        {"inspected": None},
        {"inspected": inspected(STOPPING)},
        {"inspected": inspected(status="ACTIVE")},
        {"inspected": inspected(agent_connected=False)},
        {"inspected": InstanceInspected(instance=None)},
    ],
)
def test_an_instance_that_may_not_be_empty_is_not_detached(known: dict[str, Any]) -> None:
    """An attempt of ours, a task that still stops, a drain not visible yet, no agent, or no look at all."""
    assert turn(RemovalStep.DRAINING, RemovalCause.STALE, accepted=True, **known) is None


def test_a_task_of_others_that_stops_is_waited_for() -> None:
    """Its room was given up; it is no reason to keep the instance."""
    assert turn(RemovalStep.DRAINING, inspected=inspected(STOPPING)) is None


@pytest.mark.parametrize("known", [{"busy": True}, {"inspected": inspected(RUNNING)}])
@pytest.mark.parametrize("cause", [RemovalCause.IDLE, RemovalCause.SURPLUS])
def test_an_idle_one_that_somebody_got_onto_is_taken_back(cause: RemovalCause, known: dict[str, Any]) -> None:
    """It is not idle any more."""
    assert turn(RemovalStep.DRAINING, cause, accepted=True, **known) is RemovalStep.RETURNING


def test_nothing_is_taken_back_before_its_drain_was_accepted() -> None:
    """Of a drain and its undoing that are both under way nobody knows which takes effect last."""
    assert turn(RemovalStep.DRAINING, busy=True) is None


@pytest.mark.parametrize("known", [{"busy": True}, {"inspected": inspected(RUNNING)}])
def test_an_old_one_waits_for_what_runs_on_it(known: dict[str, Any]) -> None:
    """It is drained while its tasks finish, however long they take."""
    assert turn(RemovalStep.DRAINING, RemovalCause.STALE, accepted=True, **known) is None


def test_a_drained_one_whose_agent_is_lost_is_not_waited_for() -> None:
    """What was meant is done: nobody will ever tell that it is empty."""
    assert turn(RemovalStep.DRAINING, RemovalCause.STALE, lost=True, busy=True) is RemovalStep.DETACHING


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.RETURNING])
@pytest.mark.parametrize("code", sorted(UNKNOWN_TO_ECS))
def test_one_that_ecs_does_not_know_any_more_is_gone(step: RemovalStep, code: str) -> None:
    """EC2, the group or an operator took it: ECS refuses by name to drain it, or to make it ACTIVE."""
    assert turn(step, listed=None, refusal=refused(code)) == "gone"


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.RETURNING])
@pytest.mark.parametrize(
    "known", [{}, {"lifecycle_state": None}, {"inspected": InstanceInspected(instance=None)}]
)
def test_one_that_lists_and_looks_leave_out_is_not_given_up(step: RemovalStep, known: dict[str, Any]) -> None:
    """They have gaps, of the group as well, and it would stay DRAINING for good."""
    assert turn(step, listed=None, **known) is None


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.DETACHING, RemovalStep.RETURNING])
@pytest.mark.parametrize("state", ["Terminating", "Terminating:Wait", "Terminated"])
def test_one_that_the_group_is_taking_away_is_left_to_it(step: RemovalStep, state: str) -> None:
    """It is gone, and the group launches another one in its place."""
    assert turn(step, lifecycle_state=state) == "gone"


@pytest.mark.parametrize(
    "known",
    [
        {"lifecycle_state": None},
        {"refusal": refused(NOT_A_MEMBER)},
        {"lifecycle_state": None, "listed": None},
    ],
)
def test_one_that_is_no_member_any_more_is_terminated(known: dict[str, Any]) -> None:
    """By whatever call it was detached: an answer that was lost is found out so too."""
    assert turn(RemovalStep.DETACHING, **known) is RemovalStep.TERMINATING


@pytest.mark.parametrize("state", ["Detaching", "Detached"])
@pytest.mark.parametrize("refusal", [None, refused(NOT_IN_SERVICE)])
def test_our_own_detach_that_is_under_way_is_waited_for(state: str, refusal: Any) -> None:
    """The group lists it for a while longer, and refuses a second one meanwhile."""
    assert turn(RemovalStep.DETACHING, lifecycle_state=state, refusal=refusal) is None


def test_a_refusal_that_no_reading_explains_is_waited_out() -> None:
    """It still looks in service: a detach of ours whose answer was lost may be what is under way."""
    assert turn(RemovalStep.DETACHING, refusal=refused(NOT_IN_SERVICE)) is None


@pytest.mark.parametrize(
    ("cause", "busy", "expected"),
    [
        (RemovalCause.DISCONNECTED, True, RemovalStep.RETURNING),
        (RemovalCause.DISCONNECTED, False, RemovalStep.RETURNING),
        (RemovalCause.STALE, True, RemovalStep.DRAINING),
        (RemovalCause.STALE, False, None),
        (RemovalCause.IDLE, True, RemovalStep.DRAINING),
    ],
)
def test_one_whose_agent_is_back_before_its_detach_is_not_lost(
    cause: RemovalCause, busy: bool, expected: RemovalStep | str | None
) -> None:
    """What runs on it runs on: taken back, or drained on. One that was seen empty is none of these."""
    back = {"connected": True, "untouched": True, "listed": DRAINED, "busy": busy}
    assert told(a_removal_evidence(a_removal(step=RemovalStep.DETACHING, cause=cause), **back)) == expected


def test_one_that_was_lost_and_never_drained_is_kept_when_its_agent_is_back() -> None:
    """Nothing was done to it: there is nothing to undo."""
    removal = a_removal(step=RemovalStep.DETACHING, cause=RemovalCause.DISCONNECTED)
    back = a_removal_evidence(removal, connected=True, untouched=True, listed=an_instance())
    assert told(back) == "kept"


@pytest.mark.parametrize(("accepted", "expected"), [(True, RemovalStep.RETURNING), (False, None)])
def test_one_that_is_drained_because_it_was_lost_is_taken_back_with_its_agent(
    accepted: bool, expected: RemovalStep | None
) -> None:
    """Not while the drain is under way: nobody knows which takes effect last."""
    removal = a_removal(step=RemovalStep.DRAINING, cause=RemovalCause.DISCONNECTED)
    in_service = {"lifecycle_state": "InService", "connected": True, "listed": DRAINED}
    assert told(a_removal_evidence(removal, accepted=accepted, **in_service)) == expected


SILENT = an_instance(status="DRAINING", agent_connected=False)


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.DETACHING, RemovalStep.RETURNING])
def test_one_that_registered_under_another_arn_is_judged_anew(step: RemovalStep) -> None:
    """What was drained and looked at is its old ARN: whatever came onto the new one, nobody has seen it."""
    found = turn(step, accepted=True, inspected=EMPTY, listed=SILENT, connected=True, untouched=True)
    assert found == "kept"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"listed": SILENT}, RemovalStep.DETACHING),
        ({"listed": DRAINED, "connected": True}, RemovalStep.DETACHING),
    ],
)
def test_one_that_is_only_silent_or_there_goes_on(known: dict[str, Any], expected: RemovalStep) -> None:
    """It has no other ARN."""
    assert turn(RemovalStep.DRAINING, accepted=True, inspected=EMPTY, **known) is expected


@pytest.mark.parametrize("known", [{"connected": True}, {"untouched": True}])
def test_one_that_may_be_detached_already_goes_its_way(known: dict[str, Any]) -> None:
    """Back or not: an instance that left its group half-way would be nobody's."""
    assert turn(RemovalStep.DETACHING, RemovalCause.DISCONNECTED, busy=True, **known) is None


def test_one_that_is_not_in_service_is_left_to_the_group() -> None:
    """It is replacing it already: our intent is dropped, and nothing is terminated."""
    assert turn(RemovalStep.DETACHING, lifecycle_state="Standby", refusal=refused(NOT_IN_SERVICE)) == "gone"


def test_one_that_the_group_may_not_lose_is_taken_back() -> None:
    """Somebody raised its min size since."""
    assert turn(RemovalStep.DETACHING, refusal=refused(BELOW_MIN_SIZE)) is RemovalStep.RETURNING


@pytest.mark.parametrize("known", [{"accepted": True}, {"refusal": refused(INSTANCE_UNKNOWN)}])
def test_one_that_ec2_ends_leaves(known: dict[str, Any]) -> None:
    """Accepted, or long gone."""
    assert turn(RemovalStep.TERMINATING, **known) is RemovalStep.LEAVING


@pytest.mark.parametrize(
    ("cause", "known", "expected"),
    [
        (RemovalCause.IDLE, {"listed": None}, "gone"),
        (RemovalCause.IDLE, {"listed": None, "lifecycle_state": None}, "gone"),
        (RemovalCause.IDLE, {"lifecycle_state": None}, None),
        (RemovalCause.NEVER_JOINED, {"listed": None}, None),
        (RemovalCause.NEVER_JOINED, {"listed": None, "lifecycle_state": None}, "gone"),
    ],
)
def test_a_removal_ends_when_nobody_lists_it(
    cause: RemovalCause, known: dict[str, Any], expected: Any
) -> None:
    """ECS for one that was registered, the group for one that never was."""
    assert turn(RemovalStep.LEAVING, cause, **known) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"accepted": True, "read_anew": True}, "kept"),
        ({"accepted": True, "read_anew": False}, None),
        ({"accepted": True, "read_anew": True, "settled": False}, None),
        ({"accepted": True, "read_anew": True, "listed": DRAINED}, None),
        ({"accepted": False}, None),
    ],
)
def test_one_is_back_when_ecs_shows_it(known: dict[str, Any], expected: Any) -> None:
    """Accepted and ACTIVE: a reading from before the drain was visible, or a lost one may come, is none."""
    assert turn(RemovalStep.RETURNING, **known) == expected


@pytest.mark.parametrize("cause", RemovalCause)
@pytest.mark.parametrize("step", STEPS)
def test_only_an_idle_one_that_drains_may_be_taken_back(cause: RemovalCause, step: RemovalStep) -> None:
    """From the intent to detach on there is no way back, and an old or sick one is not wanted."""
    idle = cause in (RemovalCause.IDLE, RemovalCause.SURPLUS)
    assert a_removal(cause=cause, step=step).returnable is (idle and step is RemovalStep.DRAINING)


@pytest.mark.parametrize("cause", RemovalCause)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("arn", ["", an_instance().arn])
@pytest.mark.parametrize("decrement", [True, False])
def test_a_removal_is_read_back_as_it_was_written(
    cause: RemovalCause, step: RemovalStep, arn: str, decrement: bool
) -> None:
    """Every cause, every step, with and without an ARN."""
    removal = a_removal(cause=cause, step=step, arn=arn, decrement=decrement)
    assert read_removal(removal.ec2_instance_id, removal_text(removal)) == removal


DENIED = refused("AccessDenied")
IN_SERVICE: dict[str, Any] = {"connected": True, "untouched": True, "lifecycle_state": "InService"}


def test_one_that_ecs_refuses_to_drain_goes_on_working() -> None:
    """Claimed and never drained, it would be of use to nobody."""
    active = an_instance()
    known: dict[str, Any] = {"refusal": DENIED, "connected": True}
    assert turn(RemovalStep.DRAINING, listed=active, **known) == "kept"
    assert turn(RemovalStep.DRAINING, listed=DRAINED, **known) is None, "an earlier drain took effect"


def test_one_that_the_group_refuses_to_let_go_is_taken_back() -> None:
    """Its room serves again."""
    known = {**IN_SERVICE, "listed": DRAINED, "refusal": DENIED, "failed": True}
    assert turn(RemovalStep.DETACHING, **known) is RemovalStep.RETURNING


def test_what_never_reached_aws_ends_nothing() -> None:
    """No connection, or no credentials that are believed: the drain is tried again, and so is the detach."""
    known: dict[str, Any] = {"refusal": UNREACHED, "failed": True}
    assert turn(RemovalStep.DRAINING, listed=an_instance(), connected=True, **known) is None
    assert turn(RemovalStep.DETACHING, **IN_SERVICE, listed=DRAINED, **known) is RemovalStep.DRAINING


@pytest.mark.parametrize(
    "known",
    [
        {"resumed": True, "listed": DRAINED},
        {"failed": True, "refusal": THROTTLED, "listed": DRAINED},
        {"read_anew": True, "listed": an_instance()},
    ],
)
def test_a_detach_that_is_late_follows_another_look(known: dict[str, Any]) -> None:
    """After a restart, a refusal, or somebody's making it ACTIVE, something may run on it."""
    assert turn(RemovalStep.DETACHING, **IN_SERVICE, **known) is RemovalStep.DRAINING
    assert turn(RemovalStep.DETACHING, **{**IN_SERVICE, "untouched": False}, **known) is None


def test_an_instance_that_counts_tasks_is_not_empty() -> None:
    """The list of its tasks may lag behind the instance's own count."""
    assert turn(RemovalStep.DRAINING, accepted=True, inspected=inspected(tasks=1)) is None


def test_nothing_more_is_let_go_while_terminations_are_refused() -> None:
    """Each would run on outside the group."""
    assert turn(RemovalStep.DRAINING, accepted=True, inspected=EMPTY, held=True) is None
    assert turn(RemovalStep.DRAINING, RemovalCause.STALE, lost=True, held=True) is None


@pytest.mark.parametrize(
    ("cause", "state", "expected"),
    [
        (RemovalCause.NEVER_JOINED, "InService", "kept"),
        (RemovalCause.DISCONNECTED, "InService", "kept"),
        (RemovalCause.DISCONNECTED, None, None),
        (RemovalCause.IDLE, "InService", RemovalStep.DRAINING),
        (RemovalCause.IDLE, None, None),
    ],
)
def test_one_that_is_there_after_all_is_not_terminated(
    cause: RemovalCause, state: Any, expected: Any
) -> None:
    """A member whose agent is connected before EC2 was told; of one that was detached nobody else is left."""
    known: dict[str, Any] = {**IN_SERVICE, "lifecycle_state": state}
    assert turn(RemovalStep.TERMINATING, cause, **known) == expected
    assert turn(RemovalStep.TERMINATING, cause, **{**known, "untouched": False}) is None
