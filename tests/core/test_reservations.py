"""Reservations as arithmetic, and as what the World keeps of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.reservations import REGULAR, cut, left_of, number_of_pieces, succeed, use
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.reservation import (
    Pieces,
    Reservation,
    ReservationOutcomes,
    Use,
    count_of,
    read_reservation,
    reservation_fact,
)
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.world.reservations import USED_UP_KEPT, Reservations
from tests.builders import a_task, a_type
from tests.clocks import START_MS

SMALL = Resources(cpu=1_024, memory_mib=4_006)
LARGE = Resources(cpu=3_072, memory_mib=12_006)
TYPES = (a_type("m4.4xlarge", Resources(cpu=16_384, memory_mib=64_419)),)

amounts = st.builds(
    Resources, cpu=st.integers(0, 40_000), memory_mib=st.integers(0, 160_000), gpus=st.integers(0, 4)
)
shapes = st.builds(Resources, cpu=st.integers(0, 4_096), memory_mib=st.integers(1, 16_000))


def a_reservation(count: int = 2, ask: Resources = REGULAR, **changes: Any) -> Reservation:
    """Room for so many tasks of results R1, R2..."""
    fields: dict[str, Any] = {
        "tenant": "bamboo",
        "build_key": "PLAN",
        "result_ids": tuple(f"R{number + 1}" for number in range(count)),
        "pieces": (Pieces(ask=ask, count=count),),
        "at_ms": START_MS,
        "expires_ms": START_MS + 2_400_000,
    }
    return Reservation(**(fields | changes))


class Kept:
    """Reservations, and the facts that the store has of them."""

    def __init__(self) -> None:
        self.reservations = Reservations()
        self.facts: dict[str, str] = {}
        self.revision = 0

    def reserve(self, reservation: Reservation, *tasks: Any) -> None:
        fact = reservation_fact(reservation)
        self._keep(fact)
        self.reservations.remember(fact.key, fact.value, self.revision, tasks)
        self.tend()

    def come(self, number: int, result_id: str, **changes: Any) -> int:
        """The task of a result comes; its place in the queue."""
        self.revision += 1
        task = a_task(number, build_key="PLAN", result_id=result_id, **({"ask": REGULAR} | changes))
        task = self.reservations.claim(replace(task, enqueue_revision=self.revision))
        self.tend()
        return task.enqueue_revision

    def tend(self, after_ms: int = 0) -> None:
        for fact in self.reservations.tend(START_MS + after_ms):
            self._keep(fact)

    def restart(self) -> None:
        """Only the facts are left."""
        self.reservations = Reservations()
        for key in sorted(self.facts):
            if key.startswith("reservation/"):
                self.reservations.remember(key, self.facts[key], self.revision, ())
            else:
                self.reservations.remember_outcomes(self.facts[key])
        self.tend()

    @property
    def left(self) -> int:
        return sum(count_of(each.left) for each in self.reservations)

    def _keep(self, fact: FactRecorded) -> None:
        self.facts[fact.key] = fact.value
        if not fact.value:
            del self.facts[fact.key]


# ---- arithmetic


@given(total=amounts, shape=shapes)
def test_a_cut_loses_nothing(total: Resources, shape: Resources) -> None:
    """The pieces together are at least the total, and their number is told without cutting."""
    if number_of_pieces(total, shape) > 500:
        return
    pieces = cut(total, shape, TYPES)
    together = sum((each.ask.times(each.count) for each in pieces), NOTHING)
    assert total.fits_in(together)
    assert count_of(pieces) == number_of_pieces(total, shape)


def test_a_cut_leaves_the_remainder_last() -> None:
    """Whole pieces first."""
    assert cut(Resources(cpu=5_000, memory_mib=20_000), REGULAR, TYPES) == (
        Pieces(ask=REGULAR, count=2),
        Pieces(ask=Resources(cpu=904, memory_mib=3_988), count=1),
    )


def test_memory_alone_takes_the_ratio_of_the_group() -> None:
    """And so does CPU alone; without a known type that of an agent."""
    assert cut(Resources(memory_mib=8_000), REGULAR, TYPES)[0].ask == Resources(cpu=2_035, memory_mib=8_000)
    assert cut(Resources(cpu=2_035), REGULAR, TYPES)[0].ask == Resources(cpu=2_035, memory_mib=8_002)
    assert cut(Resources(memory_mib=8_006), REGULAR, ())[0].ask == REGULAR


def test_a_build_whose_agents_want_to_be_alone_reserves_whole_instances() -> None:
    """Also what it asks for in total: a piece is as its last agent was."""
    assert {each.ask for each in cut(REGULAR.times(3), REGULAR.alone(), TYPES)} == {REGULAR.alone()}


def test_a_fact_of_an_earlier_version_is_read() -> None:
    """Its pieces and its tasks shared their instances; what is written now is read as it was."""
    ask = Resources(cpu=2_048, memory_mib=8_006, architecture=Architecture.ARM64)
    used = Use(result_id="R1", task_id="t-1", ask=ask.alone(), pieces=1)
    now = a_reservation(2, ask=ask.alone(), uses=(used,))
    assert read_reservation(reservation_fact(now).value) == now
    earlier = reservation_fact(now).value.replace(",true]", "]")
    shared = replace(now, pieces=(Pieces(ask=ask, count=2),), uses=(replace(used, ask=ask),))
    assert read_reservation(earlier) == shared


@pytest.mark.parametrize(
    ("ask", "pieces"),
    [(SMALL, 1), (REGULAR, 1), (LARGE, 2), (LARGE.times(9), 3)],
    ids=["smaller", "equal", "larger", "much larger"],
)
def test_a_task_uses_what_holds_it_or_its_share(ask: Resources, pieces: int) -> None:
    """Of six pieces for two results: one, or two that together hold it, but never more than half."""
    reservation = a_reservation(6, result_ids=("R1", "R2"))
    assert use(reservation, left_of(reservation), ask) == pieces


def test_a_task_uses_the_smallest_piece_that_holds_it() -> None:
    """The larger one is for a larger task."""
    kept = Kept()
    mixed = (Pieces(ask=LARGE, count=1), Pieces(ask=SMALL, count=1))
    kept.reserve(a_reservation(2, pieces=mixed))
    kept.come(1, "R1", ask=SMALL)
    [standing] = kept.reservations
    assert standing.left == (Pieces(ask=LARGE, count=1),)


def test_an_architecture_does_not_keep_a_task_from_its_piece() -> None:
    """Whoever reserved without one has a piece for it."""
    arm = REGULAR.on(Architecture.ARM64)
    assert use(a_reservation(), left_of(a_reservation()), arm) == 1


def test_the_same_again_keeps_place_and_uses() -> None:
    """It only lasts longer."""
    kept = Kept()
    kept.reserve(a_reservation())
    kept.come(1, "R1")
    [former] = kept.reservations
    later = succeed(a_reservation(at_ms=START_MS + 1, expires_ms=9), former.reservation)
    assert (later.place, later.uses) == (former.reservation.place, former.reservation.uses)


def test_a_fact_is_read_as_it_was_written() -> None:
    """With uses, architectures and place."""
    kept = Kept()
    kept.reserve(a_reservation(ask=REGULAR.on(Architecture.ARM64)))
    kept.come(1, "R1")
    [standing] = kept.reservations
    assert read_reservation(reservation_fact(standing.reservation).value) == standing.reservation


# ---- what the World keeps


def test_the_tasks_of_its_results_use_it_up_once_each() -> None:
    """A second task of the same result uses nothing, nor does that of another result."""
    kept = Kept()
    kept.reserve(a_reservation(3))
    for number, result_id in enumerate(("R1", "R1", "R9")):
        kept.come(number, result_id)
    assert kept.left == 2


def test_nothing_is_left_once_all_results_have_come() -> None:
    """Whatever they asked for; what they did not use has lapsed."""
    kept = Kept()
    kept.reserve(a_reservation(6, result_ids=("R1", "R2")))
    kept.come(1, "R1")
    kept.come(2, "R2")
    assert kept.left == 0
    assert kept.reservations.outcomes == ReservationOutcomes(used=2, lapsed=4)


def test_a_task_takes_the_place_that_was_kept_for_it() -> None:
    """Behind those who came before the reservation, ahead of those who came since; once."""
    kept = Kept()
    kept.come(1, "other")
    kept.reserve(a_reservation())
    kept.come(2, "other")
    assert kept.come(3, "R1") == 1
    assert kept.come(4, "R1") == 4


def test_a_late_repeat_brings_nothing_back() -> None:
    """Of what has been used; what is not may be used for longer."""
    kept = Kept()
    kept.reserve(a_reservation())
    kept.come(1, "R1")
    kept.reserve(a_reservation(at_ms=START_MS + 1))
    assert kept.left == 1
    kept.come(2, "R2")
    kept.reserve(a_reservation(at_ms=START_MS + 2))
    assert kept.left == 0


def test_another_one_replaces_it() -> None:
    """Of the build's results that have come the parts are gone from it too; what it lacks has lapsed."""
    kept = Kept()
    kept.reserve(a_reservation(4))
    kept.come(1, "R1")
    kept.reserve(a_reservation(2, at_ms=START_MS + 1))
    assert kept.left == 1
    assert kept.reservations.outcomes == ReservationOutcomes(used=1, lapsed=2)
    assert len(kept.facts) == 2


def test_nothing_releases_it() -> None:
    """Also when nothing is reserved; the store forgets both."""
    kept = Kept()
    kept.reserve(a_reservation())
    kept.reserve(a_reservation(0, pieces=(), at_ms=START_MS + 1))
    kept.reserve(a_reservation(0, pieces=(), at_ms=START_MS + 2))
    assert list(kept.reservations) == []
    assert list(kept.facts) == ["reservation_outcomes"]


def test_results_whose_tasks_wait_already_have_come() -> None:
    """A reservation that was overtaken by its agents holds nothing for them."""
    kept = Kept()
    kept.reserve(a_reservation(), a_task(1, build_key="PLAN", result_id="R1", ask=REGULAR))
    assert kept.left == 1


def test_of_the_used_up_a_tenant_keeps_so_many() -> None:
    """Those that end last; what is not used up, and another tenant's, stands."""
    reservations = Reservations()
    for number in range(USED_UP_KEPT + 4):
        changes: dict[str, Any] = {"tenant": "other"} if number == 0 else {}
        changes |= {"build_key": f"B{number}", "expires_ms": START_MS + 60_000 + number}
        fact = reservation_fact(a_reservation(1, **changes))
        reservations.remember(fact.key, fact.value, number, ())
        if number != 1:
            changes.pop("expires_ms")
            reservations.claim(a_task(number, result_id="R1", ask=REGULAR, **changes))
    reservations.tend(START_MS)
    kept = {each.reservation.build_key for each in reservations}
    assert kept == {f"B{number}" for number in range(USED_UP_KEPT + 4)} - {"B2", "B3"}
    assert sum(fact.value == "" for fact in reservations.tend(START_MS)) == 0


def test_it_ends_when_it_expires() -> None:
    """What nobody used has lapsed, and the store forgets it."""
    kept = Kept()
    kept.reserve(a_reservation())
    kept.come(1, "R1")
    assert kept.reservations.next_ms() == START_MS + 2_400_000
    kept.tend(2_399_999)
    assert kept.left == 1
    kept.tend(2_400_000)
    assert kept.reservations.outcomes.hit_rate == 0.5
    assert list(kept.facts) == ["reservation_outcomes"]


def test_it_survives_a_restart() -> None:
    """With its place and what has been used."""
    kept = Kept()
    kept.reserve(a_reservation())
    kept.come(1, "R1")
    before = list(kept.reservations)
    kept.restart()
    assert list(kept.reservations) == before
    assert kept.reservations.outcomes == ReservationOutcomes(used=1)


def test_what_was_asked_for_before_a_crash_is_taken_in_after_it() -> None:
    """The crash came before the loop had heard of it; what had been used of the former stays used."""
    kept = Kept()
    kept.reserve(a_reservation(3))
    kept.come(1, "R1")
    repeat = reservation_fact(a_reservation(3, at_ms=START_MS + 1))
    kept.facts[repeat.key] = repeat.value
    kept.restart()
    assert kept.left == 2
    assert [key for key in kept.facts if key.startswith("reservation/")] == ["reservation/bamboo/PLAN/0"]


def test_what_a_failed_commit_left_over_brings_nothing_back() -> None:
    """Facts that are committed late, all in their order, leave what stands as it is."""
    kept = Kept()
    kept.reserve(a_reservation())
    kept.revision += 1
    kept.reservations.claim(a_task(1, build_key="PLAN", result_id="R1", ask=REGULAR))
    late = kept.reservations.tend(START_MS)
    for at_ms, pieces in ((1, ()), (2, a_reservation().pieces)):
        asked = reservation_fact(a_reservation(at_ms=START_MS + at_ms, pieces=pieces))
        kept.reservations.remember(asked.key, asked.value, kept.revision, ())
        late += kept.reservations.tend(START_MS)
    before = list(kept.reservations)
    for fact in (each for each in late if each.key.startswith("reservation/")):
        kept.reservations.remember(fact.key, fact.value, kept.revision, ())
    assert list(kept.reservations) == before


def test_a_build_reserves_in_its_usual_shape() -> None:
    """That of its last agent; REGULAR before the first."""
    kept = Kept()
    assert kept.reservations.usual(("bamboo", "PLAN")) == REGULAR
    kept.come(1, "R1", ask=SMALL)
    assert kept.reservations.usual(("bamboo", "PLAN")) == SMALL
