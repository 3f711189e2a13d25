"""Starts: what fails on an instance, and what fails of a configuration, are told apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.attempt import AttemptState, ContainerExit, StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.world.quarantine import Quarantine
from scheduler.core.world.starts import FailedStart, Starts, failed_start, good_start_ms
from tests.builders import a_task, attempt, ec2_id, stop_reason
from tests.clocks import START_MS

POLICY = Policy()
EVERYBODY = [ec2_id(number) for number in range(1, 40)]


def failure(instance: int, image: str, at_s: int = 0, **changes: Any) -> FailedStart:
    """A start of a build of this image that failed there."""
    fields: dict[str, Any] = {
        "at_ms": START_MS + at_s * 1_000,
        "begun_ms": START_MS + at_s * 1_000 - 500,
        "ec2_instance_id": ec2_id(instance),
        "key": f"key-{image}",
        "image": image,
        "build_key": f"BUILD-{image}",
        "category": StopCategory.CANNOT_START,
        "message": "no space left on device",
    }
    return FailedStart(**(fields | changes))


def starts(*failures: FailedStart, well_on: tuple[int, ...] = (9,)) -> Starts:
    """These failed, after something started well on these instances."""
    book = Starts(POLICY)
    for number in well_on:
        book.succeed(ec2_id(number), "key-good", START_MS - 60_000)
    for each in failures:
        book.fail(each)
    return book


ON_ONE = (failure(1, "java"), failure(1, "node"), failure(1, "java"))


def test_three_in_a_row_of_two_images_make_a_black_hole() -> None:
    """While something started well elsewhere."""
    assert list(starts(*ON_ONE).black_holes()) == [ec2_id(1)]


@pytest.mark.parametrize(
    "row",
    [
        ON_ONE[:2],
        (failure(1, "java"),) * 3,
        (*ON_ONE[:2], failure(1, "go", category=StopCategory.IMAGE)),
        tuple(failure(1, image, build_key="ONE-BUILD") for image in ("java", "node", "go")),
        (failure(1, "java"), failure(2, "node"), failure(3, "go")),
        (failure(1, "java"), *(failure(1, "", build_key=build) for build in ("A", "B"))),
    ],
    ids=["two", "one image", "not pulled", "one build", "on three instances", "one that is known"],
)
def test_less_than_that_is_no_black_hole(row: tuple[FailedStart, ...]) -> None:
    """Too few, of one image or one build, for want of an image, or each elsewhere.

    The images of tasks from before a restart are not known, and may all be the same.
    """
    assert starts(*row).black_holes() == {}


def test_without_a_success_elsewhere_nobody_is_a_black_hole() -> None:
    """Then it may be the registry, the agent or the region."""
    assert starts(*ON_ONE, well_on=()).black_holes() == {}
    assert starts(*ON_ONE, well_on=(1,)).black_holes() == {}


def test_a_success_on_one_that_has_gone_since_counts() -> None:
    """A group that came down to the sick one has no other; its own good starts do not speak for it."""
    book = starts(*ON_ONE)
    for minute in (0, 30, 59, 60):
        book.forget([ec2_id(1)], START_MS + 60_000 * minute - 60_000)
        assert list(book.black_holes()) == [ec2_id(1)] * (minute < 60)
    book = starts(*ON_ONE, well_on=(1,))
    book.forget([ec2_id(1)], START_MS)
    assert book.black_holes() == {}


def test_a_start_that_goes_well_ends_the_row() -> None:
    """What failed before it was a mishap; what ended hours after its start says nothing of now."""
    book = starts(*ON_ONE)
    book.succeed(ec2_id(1), "key-go", START_MS - 1_000)
    assert list(book.black_holes()) == [ec2_id(1)]
    book.succeed(ec2_id(1), "key-go", START_MS + 1_000)
    assert book.black_holes() == {}


def test_what_failed_elsewhere_too_is_not_blamed_on_an_instance() -> None:
    """Two broken builds of one tenant meet on one instance, and then on another."""
    elsewhere = (failure(2, "java"), failure(3, "node"))
    assert starts(*ON_ONE, *elsewhere).black_holes() == {}


def test_what_is_old_is_forgotten() -> None:
    """After the window, and with the instance."""
    book = starts(*ON_ONE)
    book.forget([ec2_id(9)], START_MS)
    assert book.black_holes() == {}
    book = starts(*ON_ONE)
    book.forget(EVERYBODY, START_MS + POLICY.start_window_ms)
    assert book.black_holes() == {}


BROKEN = tuple(failure(number, "typo") for number in (1, 2, 3))


def test_a_configuration_that_fails_on_three_instances_is_to_blame() -> None:
    """If others start well on one of them."""
    assert starts(*BROKEN, well_on=(2,)).follows("key-typo", able=5) == BROKEN
    assert starts(*BROKEN, well_on=(9,)).follows("key-typo", able=5) == ()


def test_a_small_group_has_no_three_instances() -> None:
    """There as many failures count, on all that there are."""
    row = (failure(1, "typo"),) * 3
    assert starts(*row, well_on=(1,)).follows("key-typo", able=1) == row
    assert starts(*row, well_on=(1,)).follows("key-typo", able=2) == ()


def test_a_good_start_of_the_configuration_ends_its_row() -> None:
    """It is not broken."""
    book = starts(*BROKEN, well_on=(2,))
    book.succeed(ec2_id(7), "key-typo", START_MS + 1)
    assert book.follows("key-typo", able=5) == ()


def test_a_failed_start_is_read_from_its_attempt() -> None:
    """With the words of the container that did not start."""
    exits = (ContainerExit(name="agent", reason="CannotStartContainerError: exec"),)
    reason = stop_reason(category=StopCategory.CANNOT_START, containers=exits)
    ended = attempt(state=AttemptState.ENDED, stopped_ms=START_MS, stop_reason=reason)
    found = failed_start(ended, a_task(image="java", build_key="PLAN-JOB"))
    assert found is not None
    assert (found.message, found.name) == ("CannotStartContainerError: exec", "PLAN-JOB")


@pytest.mark.parametrize("category", [StopCategory.EXIT, StopCategory.OOM, StopCategory.INSTANCE_LOST])
def test_what_ended_otherwise_is_no_failed_start(category: StopCategory) -> None:
    """It ran, or its instance was taken away."""
    ended = attempt(state=AttemptState.ENDED, stopped_ms=START_MS, stop_reason=stop_reason(category=category))
    assert failed_start(ended, a_task()) is None
    assert good_start_ms(ended) == (None if category is StopCategory.INSTANCE_LOST else START_MS)


def quarantine(black_holes: int, members: int, *, leaving: int = 0) -> Quarantine:
    found = {ec2_id(number): ON_ONE for number in range(1, black_holes + 1)}
    judged = Quarantine(POLICY)
    judged.judge(found, leaving=[ec2_id(90 + number) for number in range(leaving)], members=members)
    return judged


@given(black_holes=st.integers(0, 30), members=st.integers(0, 200), leaving=st.integers(0, 3))
def test_never_more_than_a_tenth_is_in_quarantine(black_holes: int, members: int, leaving: int) -> None:
    """One always; those that are being removed for it count, and who has no room there is counted."""
    judged = quarantine(black_holes, members, leaving=leaving)
    most = max(1, members // 10, leaving)
    assert len(judged.held) <= most
    assert len(judged.held) + judged.spared == black_holes + leaving
    assert bool(judged.message()) is bool(black_holes + leaving)


def test_who_was_first_stays_and_who_is_well_goes() -> None:
    """A later black hole pushes nobody out; one that started something well is out at once."""
    judged = quarantine(1, 10)
    judged.judge({ec2_id(5): ON_ONE, ec2_id(1): ON_ONE}, leaving=(), members=10)
    assert list(judged.held) == [ec2_id(1)]
    judged.judge({ec2_id(5): ON_ONE}, leaving=(), members=10)
    assert list(judged.held) == [ec2_id(5)]


def test_one_removal_in_ten_minutes() -> None:
    """From when the last one began, in whichever life."""
    judged = quarantine(3, 30)
    assert judged.may_drain(START_MS)
    judged.drained(START_MS)
    assert not judged.may_drain(START_MS + POLICY.quarantine_pause_ms - 1)
    assert judged.may_drain(START_MS + POLICY.quarantine_pause_ms)
