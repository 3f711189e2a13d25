"""Breakers: tasks of a configuration that fails everywhere rest, longer each time, and try one by one."""

import pytest

from scheduler.core.model.policy import Policy
from scheduler.core.model.task import QueuedTask
from scheduler.core.world.breakers import Breakers
from scheduler.core.world.starts import FailedStart
from tests.builders import a_task
from tests.clocks import START_MS
from tests.core.test_starts import failure

POLICY = Policy()
FIRST, SECOND, THIRD = POLICY.breaker_pauses_ms
KEY = "key-typo"


def failed(at_ms: int = 0) -> FailedStart:
    """It was begun and failed at this time."""
    return failure(1, "typo", at_ms=START_MS + at_ms, begun_ms=START_MS + at_ms)


def tripped(*numbers: int) -> Breakers:
    """These tasks rest."""
    breakers = Breakers(POLICY)
    breakers.trip(failed(), START_MS)
    for number in numbers:
        breakers.shelve(waiting(number))
    return breakers


def waiting(number: int) -> QueuedTask:
    return a_task(number, definition_key=KEY)


def released(breakers: Breakers, at_ms: int) -> list[int]:
    """Revisions of the tasks that may try now."""
    return [each.enqueue_revision for each in breakers.release(START_MS + at_ms)]


def test_the_first_tries_alone_and_the_others_follow() -> None:
    """When the rest is over, and when the first had its time."""
    breakers = tripped(3, 1, 2)
    assert released(breakers, FIRST - 1) == []
    assert released(breakers, FIRST) == [1]
    assert breakers.rests(KEY)
    assert released(breakers, FIRST + POLICY.breaker_trial_ms) == [2, 3]
    assert not breakers.rests(KEY)


def test_one_that_fails_again_makes_them_rest_for_longer() -> None:
    """Each time, up to the last pause."""
    breakers, now_ms = tripped(1, 2), 0
    for pause in (FIRST, SECOND, THIRD, THIRD):
        assert released(breakers, now_ms + pause - 1) == []
        (number,) = released(breakers, now_ms + pause)
        now_ms += pause
        assert breakers.trip(failed(now_ms), START_MS + now_ms)
        breakers.shelve(waiting(number))


def test_what_was_begun_before_it_tripped_is_no_news() -> None:
    """A burst fails one by one: that is one trip."""
    assert not tripped().trip(failed(-1), START_MS + 5_000)


def test_a_good_start_closes_it() -> None:
    """Everybody may go."""
    breakers = tripped(1, 2)
    assert breakers.close(KEY, START_MS - 1) == (), "it started before it tripped, and ends now"
    assert {each.enqueue_revision for each in breakers.close(KEY, START_MS)} == {1, 2}
    assert (breakers.rests(KEY), breakers.message(), breakers.next_ms()) == (False, "", None)


def test_it_is_forgotten_after_a_window_without_a_failure() -> None:
    """Nobody tried: it begins anew."""
    breakers, at_ms = tripped(), 0
    for pause in (FIRST, POLICY.breaker_trial_ms, POLICY.start_window_ms):
        at_ms += pause
        assert breakers.is_tripped(KEY)
        released(breakers, at_ms)
    assert not breakers.is_tripped(KEY)


@pytest.mark.parametrize(("number", "there"), [(1, True), (2, False)])
def test_who_leaves_does_not_try(number: int, there: bool) -> None:
    """A cancelled or expired task is gone from here; one that is not here is not."""
    breakers = tripped(1)
    assert breakers.leave(waiting(number)) is there
    assert released(breakers, FIRST) == ([] if there else [1])


def test_it_names_the_build_and_what_ecs_said() -> None:
    """To the operator, and to who waits: by tenant, priority and shape."""
    breakers = tripped(1, 2)
    assert "BUILD-typo (2 tasks wait" in breakers.message()
    assert "no space left on device" in breakers.message()
    (group,) = breakers.resting()
    assert (group.count, group.why) == (2, "its configuration BUILD-typo fails to start and rests")
