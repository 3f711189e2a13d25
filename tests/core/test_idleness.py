"""Idleness: it begins with a reading and ends with anything."""

from scheduler.core.world.idleness import Idle, Idleness
from tests.builders import instance_arn
from tests.clocks import START_MS

ONE, OTHER = instance_arn(1), instance_arn(2)


def test_a_spell_begins_with_the_first_reading_that_shows_it() -> None:
    """And is as old as that reading, not as the answer; each further one counts."""
    idleness = Idleness()
    for at_ms in (0, 5_000, 10_000):
        idleness.see(ONE, START_MS + at_ms, idle=True)
    assert idleness.of(ONE) == Idle(START_MS, 3)


def test_whatever_comes_onto_it_ends_the_spell() -> None:
    """A reading that shows it busy, or an intent of ours that no reading shows yet; then it begins anew."""
    idleness = Idleness()
    idleness.see(ONE, START_MS, idle=True)
    idleness.see(ONE, START_MS + 1, idle=False)
    assert idleness.of(ONE) is None
    idleness.see(ONE, START_MS + 2, idle=True)
    idleness.end(ONE)
    idleness.see(ONE, START_MS + 3, idle=True)
    assert idleness.of(ONE) == Idle(START_MS + 3, 1)


def test_each_instance_has_its_own_spell() -> None:
    """One that was never seen idle is not, and ending it is nothing."""
    idleness = Idleness()
    idleness.see(ONE, START_MS, idle=True)
    idleness.end(OTHER)
    assert (idleness.of(ONE), idleness.of(OTHER)) == (Idle(START_MS, 1), None)
