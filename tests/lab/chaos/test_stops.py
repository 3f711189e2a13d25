"""Rules about what lasts: work that nobody wants, facts of who is gone, reservations that end too early."""

from dataclasses import replace

import pytest

from scheduler.core.model.attempt import AttemptState, StopCategory, StopReason
from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.facts import member_fact
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.reservation import (
    Pieces,
    Reservation,
    forgotten_reservation_fact,
    reservation_fact,
)
from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.rules_of_stops import may_yet_be_stopped
from scheduler.lab.chaos.truth import Origin
from scheduler.simulated_aws.journal import Effect
from tests.builders import (
    REGULAR,
    a_scaling_event,
    attempt,
    cancel_requested,
    ec2_id,
    instance_arn,
    submitted,
)
from tests.builders import transitioned as moved
from tests.lab.chaos.scenes import JUDGES, Case, Story, task_arn


def stray() -> Story:
    """What shows up under an attempt that was given up a minute after it had begun."""
    story = Story().later(1).joins().commits(submitted(1), moved(1, attempt=attempt())).later(60)
    given_up = attempt(state=AttemptState.ABANDONED)
    return story.commits(moved(1, attempt=given_up)).later(5).starts()


def wrong(name: str, case: Case) -> str:
    """What the invariant complains of."""
    return JUDGES[name](*case) or ""


def test_a_stray_that_never_ends_ran_on() -> None:
    """For ten hours until the end, as another one that ended by itself."""
    assert "ran on" in wrong("strays_are_stopped", stray().later(36_000).ended())
    assert "ran on" in wrong("strays_are_stopped", stray().later(3_600).is_now("STOPPED").ended())


def test_there_is_time_to_stop_a_stray() -> None:
    """Not all of it is over at first, and then the run goes on: what is not asked to stop is judged later."""
    early = stray().later(600)
    assert wrong("strays_are_stopped", early.ended()) == ""
    assert may_yet_be_stopped(early.scene, early.now_ms)
    late = early.later(120)
    assert not may_yet_be_stopped(late.scene, late.now_ms)


def test_what_is_asked_to_stop_or_gone_did_not_run_on() -> None:
    """Nobody can do more, however long it takes."""
    asked = stray().happens(Effect.STOP_TASK, taskArn=task_arn(attempt()))
    gone = stray().happens(Effect.INSTANCE_TERMINATED, Origin.AWS, ec2InstanceId=ec2_id(1))
    for story in (asked, gone):
        assert wrong("strays_are_stopped", story.later(36_000).ended()) == ""
        assert not may_yet_be_stopped(story.scene, story.now_ms)


def test_what_was_cancelled_and_runs_to_the_end_ran_on() -> None:
    """It does not have to end by itself to be seen."""
    story = Story().joins().commits(submitted(1), moved(1, attempt=attempt())).starts()
    story.commits(cancel_requested(1))
    assert wrong("what_is_cancelled_is_stopped", story.later(3_600).ended())


def test_what_ended_by_itself_before_it_was_cancelled_needs_nobody_to_ask() -> None:
    """Though its instance lost touch before it could tell that it had stopped."""
    story = Story().joins().commits(submitted(1), moved(1, attempt=attempt())).starts().is_now("DEACTIVATING")
    story.later(300).commits(cancel_requested(1))
    assert wrong("what_is_cancelled_is_stopped", story.later(3_600).ended()) == ""


def test_what_showed_up_a_moment_ago_under_a_start_that_was_given_up_is_unforeseen() -> None:
    """Whoever lets its instance go then cannot know; a while later he can."""

    def detached(after_s: float) -> str:
        story = stray().later(after_s)
        story.scene.truth.limits.append((0, 0, 4))
        entry = story.entry(Effect.DETACH_INSTANCES, ec2InstanceIds=[ec2_id(1)])
        return JUDGES["no_busy_instance_goes"](*story.judged(entry)) or ""

    assert detached(600)
    assert not detached(1)


def cancelled_at_work(state: TaskState, exit_code: int, stop_code: str) -> str:
    """What is complained of when a cancelled task is told to have ended so, and its ECS task ended so."""
    reason = StopReason(category=StopCategory.EXIT, code="", message="")
    story = Story().joins().commits(submitted(1), moved(1, attempt=attempt())).starts()
    story.commits(cancel_requested(1))
    story.is_now("STOPPED", exit_code=exit_code, stop_code=stop_code)
    story.commits(moved(1, state, TaskState.ASSIGNED, attempt=attempt(), stop_reason=reason))
    return wrong("an_end_is_told_as_it_was", story.ended())


@pytest.mark.parametrize(
    ("told", "exit_code", "stop_code", "complains"),
    [
        (TaskState.CANCELLED, 1, "EssentialContainerExited", True),
        (TaskState.CANCELLED, 143, "UserInitiated", False),
        (TaskState.FAILED, 143, "UserInitiated", True),
        (TaskState.FAILED, 1, "EssentialContainerExited", False),
        (TaskState.FAILED, 0, "EssentialContainerExited", True),
    ],
)
def test_a_cancelled_task_ends_as_it_did(
    told: TaskState, exit_code: int, stop_code: str, complains: bool
) -> None:
    """By itself before it was stopped, or because it was."""
    assert bool(cancelled_at_work(told, exit_code, stop_code)) == complains


def test_a_signal_that_was_obeyed_is_no_success() -> None:
    """Though an agent that is asked to stop may exit with 0."""
    story = Story().joins().commits(submitted(1), moved(1, attempt=attempt())).starts()
    story.is_now("STOPPED", exit_code=0, stop_code="UserInitiated")
    story.commits(moved(1, TaskState.SUCCEEDED, TaskState.ASSIGNED))
    assert wrong("success_is_an_exit_with_0", story.ended())


def gone_member() -> Story:
    """An instance that was a member, and has ended."""
    story = Story().joins().commits(member_fact(ec2_id(1), "ci-agents"))
    arn = instance_arn(1)
    story.happens(Effect.INSTANCE_TERMINATED, Origin.AWS, ec2InstanceId=ec2_id(1))
    return story.happens(Effect.CONTAINER_INSTANCE_DEREGISTERED, Origin.AWS, containerInstanceArn=arn)


@pytest.mark.parametrize(("after_s", "complains"), [(600, False), (3_600, True)])
def test_a_fact_about_a_member_outlives_it_by_ten_minutes(after_s: int, complains: bool) -> None:
    """Then it is about nobody."""
    case = gone_member().later(after_s).ended()
    assert bool(wrong("facts_are_about_what_is", case)) == complains


RESERVED = Reservation(
    tenant="bamboo",
    build_key="PLAN-A",
    result_ids=("PLAN-A-1",),
    pieces=(Pieces(ask=REGULAR, count=1),),
    at_ms=Story().now_ms,
    expires_ms=Story().now_ms + 600_000,
    place=1,
)
RELEASE = replace(RESERVED, pieces=(), place=None, at_ms=RESERVED.at_ms + 1)


def test_a_reservation_that_nobody_released_does_not_end_early() -> None:
    """Nor right after it was granted."""
    end = forgotten_reservation_fact(RESERVED)
    held = Story().commits(reservation_fact(RESERVED))
    released = Story().commits(reservation_fact(RESERVED), reservation_fact(RELEASE))
    assert "before its expiry" in wrong("a_reservation_ends_in_time", held.stepped(end))
    assert wrong("a_reservation_ends_in_time", released.stepped(end)) == ""
    assert wrong("a_reservation_ends_in_time", held.later(600).stepped(end)) == ""


@pytest.mark.parametrize(("bought", "complains"), [(2, False), (3, True)])
def test_small_tasks_share_what_is_bought(bought: int, complains: bool) -> None:
    """An m5.xlarge holds three of 1,024 CPU units and 4,096 MiB, so that six of them need two."""
    story = Story()
    for number in range(1, 7):
        story.commits(submitted(number, ask=replace(REGULAR, cpu=1_024, memory_mib=4_096)))
    call = SetDesiredCapacity(
        group="ci-agents", desired=bought, types=("m5.xlarge",) * bought, asks=(REGULAR,) * bought
    )
    assert bool(wrong("no_more_is_bought_than_is_wanted", story.stepped(calls=(call,)))) == complains


def test_the_scaling_log_goes_back_in_time_only_by_another_clock() -> None:
    """Of one clock's events none is older than the one before."""
    late, early = (ScalingRecorded(event=a_scaling_event(1, at_ms=at_ms)) for at_ms in (2_000, 1_000))
    story = Story().commits(late, early)
    assert "comes after" in wrong("the_scaling_log_is_dense", story.ended())
    story.scene.errors_ms.add(-30_000)
    assert wrong("the_scaling_log_is_dense", story.ended()) == ""
