"""One client's way through the logs of a task."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.answers import Failure
from scheduler.core.model.task import TaskState
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import LogPlaceGone, LogsDenied, LogsNotReadable
from scheduler.services.logs.errors import (
    LogReaderLagging,
    LogsForbidden,
    LogStreamNotFound,
    LogsUnavailable,
    LogsUnreadable,
    LogTokenExpired,
    TaskNotStarted,
)
from scheduler.services.logs.reads import KEPT_BYTES
from tests.services.played_logs import LOST, THROTTLED, Tailing

PATIENCE_MS = 10_000


def a_stage(*lines: str, **settings: Any) -> Tailing:
    """A task that was started and has written these lines."""
    stage = Tailing(**settings)
    stage.started()
    if lines:
        stage.write(*lines)
    return stage


def test_everything_is_read_from_the_beginning() -> None:
    """And then it ends, though the task goes on."""
    stage = a_stage(*"abcdefghijklm", limit=5)
    told = stage.tail(follow=False)
    stage.run(told)
    assert (told.texts, told.tail.ended) == (list("abcdefghijklm"), True)


def test_who_follows_is_given_what_comes() -> None:
    """Until the task has ended, and a reading that began after its end found nothing more."""
    stage = a_stage("a")
    told = stage.tail()
    stage.run(told)
    stage.write("b")
    stage.run(told, for_ms=2_000)
    assert (told.texts, told.tail.ended) == (["a", "b"], False)
    stage.write("c")
    stage.ended()
    stage.run(told, for_ms=2_000)
    assert (told.texts, told.tail.ended) == (["a", "b", "c"], True)


def test_last_lines_that_turn_up_late_are_waited_for() -> None:
    """As long as patience lasts after the end."""
    stage = a_stage("a")
    told = stage.tail(patience_ms=PATIENCE_MS)
    stage.ended()
    stage.run(told, for_ms=5_000)
    stage.write("late")
    stage.run(told, for_ms=7_000)
    assert (told.texts, told.tail.ended) == (["a", "late"], True)


def test_only_the_last_lines_are_read() -> None:
    """Where that is asked for; with `follow` they are the beginning."""
    stage = a_stage("a", "b", "c")
    last, follower = stage.tail(follow=False, last=2), stage.tail(last=1)
    stage.run(last, follower)
    stage.write("d")
    stage.run(last, follower, for_ms=2_000)
    assert (last.texts, follower.texts) == (["b", "c"], ["c", "d"])


def test_none_of_the_last_lines_is_only_what_comes() -> None:
    """Zero of them is a number too."""
    stage = a_stage("a")
    told = stage.tail(last=0)
    stage.run(told)
    stage.write("b")
    stage.run(told, for_ms=2_000)
    assert told.texts == ["b"]


@given(lines=st.lists(st.sampled_from("abc"), max_size=30), limit=st.integers(1, 7), cut=st.integers(0, 6))
def test_a_resumed_tail_repeats_and_misses_nothing(lines: list[str], limit: int, cut: int) -> None:
    """Wherever it was cut, between any two of its pages."""
    stage = a_stage(*lines, limit=limit)
    first = stage.tail(follow=False)
    for _ in range(cut):
        first.read()
        stage.pages.play()
    position = first.tail.position
    first.tail.close()
    second = stage.tail(follow=False, position=position) if position else stage.tail(follow=False)
    stage.run(second, for_ms=2_000)
    assert first.texts + second.texts == lines


class TestTheTask:
    def test_a_task_that_waits_is_waited_for(self) -> None:
        """By who follows."""
        stage = Tailing()
        told = stage.tail()
        stage.run(told, for_ms=1_000)
        stage.started()
        stage.write("a")
        stage.run(told)
        assert told.texts == ["a"]

    def test_a_task_that_waits_has_no_log(self) -> None:
        """Whoever does not follow is told so at once."""
        with pytest.raises(TaskNotStarted, match="QUEUED and was never started by ECS; follow waits"):
            Tailing().tail(follow=False).read()

    def test_a_task_that_ended_before_it_started_has_none(self) -> None:
        """Nobody need wait for it."""
        stage = Tailing()
        stage.ended(TaskState.EXPIRED)
        with pytest.raises(TaskNotStarted, match=r"EXPIRED and was never started by ECS$"):
            stage.tail().read()

    def test_a_stream_that_is_not_there_yet_is_nothing_yet(self) -> None:
        """It is made with the first line."""
        stage = a_stage()
        told = stage.tail()
        stage.run(told, for_ms=3_000)
        stage.write("a")
        stage.run(told, for_ms=2_000)
        assert told.texts == ["a"]

    def test_without_follow_nothing_yet_is_an_end(self) -> None:
        """A running task may have said nothing so far."""
        stage = a_stage()
        told = stage.tail(follow=False)
        stage.run(told)
        assert (told.texts, told.tail.ended) == ([], True)

    @pytest.mark.parametrize("follow", [True, False])
    def test_a_stream_that_never_comes_is_not_waited_for_for_ever(self, follow: bool) -> None:
        """After the task's end and patience it is told what is missing."""
        stage = a_stage()
        stage.ended()
        told = stage.tail(follow=follow, patience_ms=PATIENCE_MS)
        stage.run(told, for_ms=9_000)
        assert not told.tail.ended
        with pytest.raises(LogStreamNotFound, match=r"launch 1 has ended and left no logs.*no line was put"):
            stage.run(told, for_ms=3_000)


class TestLaunches:
    def test_a_task_is_followed_from_launch_to_launch(self) -> None:
        """Each to its end."""
        stage = a_stage("a")
        told = stage.tail()
        stage.run(told)
        stage.started(2)
        stage.write("b", launch=1)
        stage.write("c", launch=2)
        stage.run(told, for_ms=2_000)
        assert told.texts == ["a", "b", "c"]
        assert told.tail.position is not None
        assert told.tail.position.attempt == 2

    def test_who_comes_anew_begins_with_the_last_launch(self) -> None:
        """The others failed, and usually wrote nothing."""
        stage = a_stage("a")
        stage.started(2)
        stage.write("b", launch=2)
        told = stage.tail(follow=False)
        stage.run(told)
        assert told.texts == ["b"]

    def test_a_launch_that_wrote_nothing_is_passed_over(self) -> None:
        """When its task was launched again."""
        stage = a_stage()
        told = stage.tail()
        stage.run(told, for_ms=1_000)
        stage.started(2)
        stage.write("b", launch=2)
        stage.run(told, for_ms=3_000)
        assert told.texts == ["b"]

    def test_a_launch_that_wrote_nothing_may_be_followed_by_another(self) -> None:
        """It is waited for."""
        stage = a_stage()
        stage.ended(TaskState.QUEUED)
        told = stage.tail()
        stage.run(told, for_ms=3_000)
        stage.started(2)
        stage.write("b", launch=2)
        stage.run(told, for_ms=3_000)
        assert told.texts == ["b"]

    def test_whoever_resumes_goes_on_with_later_launches(self) -> None:
        """From where it was, and from the beginning of the next."""
        stage = a_stage("a")
        first = stage.tail()
        stage.run(first)
        stage.started(2)
        stage.write("b", launch=1)
        stage.write("c", "d", launch=2)
        second = stage.tail(position=first.tail.position)
        stage.run(second, for_ms=3_000)
        assert second.texts == ["b", "c", "d"]

    def test_the_task_ends_after_its_last_launch_was_read(self) -> None:
        """Not after the one that was read when it was launched again."""
        stage = a_stage("a")
        told = stage.tail()
        stage.started(2)
        stage.write("b", launch=2)
        stage.ended()
        stage.run(told, for_ms=3_000)
        assert (told.texts, told.tail.ended) == (["b"], True)


class TestFailures:
    @pytest.mark.parametrize(
        ("failure", "told"),
        [
            (LogsNotReadable("logs with json-file"), LogsUnreadable),
            (LogsDenied("logs:GetLogEvents"), LogsForbidden),
            (LogPlaceGone("too old"), LogTokenExpired),
            (KeyError("a defect"), KeyError),
        ],
    )
    def test_what_waiting_does_not_mend_is_told(self, failure: Exception, told: type[Exception]) -> None:
        """At once; a defect stays one."""
        stage = a_stage("a")
        stage.logs.failures = [failure]
        with pytest.raises(told):
            stage.run(stage.tail(), for_ms=200)

    def test_a_throttle_is_waited_out(self) -> None:
        """Whoever reads hears nothing of it."""
        stage = a_stage("a")
        stage.logs.failures = [THROTTLED] * 5
        told = stage.tail(follow=False)
        stage.run(told, for_ms=5_000)
        assert (told.texts, told.tail.ended) == (["a"], True)

    def test_a_lost_answer_is_asked_for_again(self) -> None:
        """A reading has no effect."""
        stage = a_stage("a")
        stage.logs.failures = [LOST, LOST]
        told = stage.tail(follow=False)
        stage.run(told, for_ms=7_000)
        assert told.texts == ["a"]

    def test_after_three_of_them_it_is_told(self) -> None:
        """The client resumes when it likes."""
        stage = a_stage("a")
        stage.logs.failures = [LOST] * 3
        with pytest.raises(LogsUnavailable, match="ReadTimeoutError"):
            stage.run(stage.tail(), for_ms=7_000)

    def test_a_definite_refusal_is_told_like_it(self) -> None:
        """Credentials that have run out may be there again a moment later."""
        stage = a_stage("a")
        stage.logs.failures = [CloudError(Failure(definite=True, code="ExpiredToken", message=""))] * 3
        with pytest.raises(LogsUnavailable, match="ExpiredToken"):
            stage.run(stage.tail(), for_ms=7_000)


class TestCompany:
    def test_followers_of_one_stream_share_its_readings(self) -> None:
        """However many they are, a place at the end is looked at as often as for one."""
        alone, together = a_stage("a"), a_stage("a")
        alone.run(alone.tail(), for_ms=5_000)
        together.run(*[together.tail() for _ in range(20)], for_ms=5_000)
        assert together.logs.readings.total() == alone.logs.readings.total()

    def test_who_comes_later_joins_the_others(self) -> None:
        """Once it has come to the end."""
        stage = a_stage("a")
        first, second = stage.tail(), stage.tail()
        stage.run(first, for_ms=1_300)
        stage.run(first, second, for_ms=1_000)
        before = stage.logs.readings.total()
        stage.write("b")
        stage.run(first, second, for_ms=5_000)
        assert stage.logs.readings.total() - before <= 7
        assert (first.texts, second.texts) == (["a", "b"], ["a", "b"])

    def test_who_is_a_little_behind_reads_what_is_kept(self) -> None:
        """The account is not asked again."""
        stage = a_stage("a")
        quick, slow = stage.tail(), stage.tail()
        stage.run(quick, slow)
        stage.write("b")
        stage.run(quick, for_ms=2_000)
        readings = stage.logs.readings.total()
        slow.read()
        slow.read()
        assert slow.texts == ["a", "b"]
        assert stage.logs.readings.total() == readings

    def test_who_is_far_behind_the_others_is_ended(self) -> None:
        """It resumes where it was."""
        stage = a_stage("a")
        quick, slow = stage.tail(), stage.tail()
        stage.run(quick, slow)
        for _ in range(4):
            stage.write("x" * (KEPT_BYTES // 2))
            stage.run(quick, for_ms=2_000)
        with pytest.raises(LogReaderLagging):
            stage.run(slow, for_ms=100)
        again = stage.tail(position=slow.tail.position)
        stage.run(quick, again, for_ms=1_000)
        assert len(slow.texts + again.texts) == len(quick.texts) == 5

    def test_who_goes_leaves_nothing(self) -> None:
        """No reading is due for who has gone."""
        stage = a_stage("a")
        told = stage.tail()
        stage.run(told)
        told.tail.close()
        told.tail.close()
        assert stage.pages.reads.next_due_ms(stage.clock.now_ms()) is None
