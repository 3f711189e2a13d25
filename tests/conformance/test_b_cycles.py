"""Cases B: whole cycles, from the requests to where they run and what becomes of the group.

What the seed called retryable is a task that waits, and what it asked of the group (its sums and one more) is
what packing needs.
"""

from tests.conformance.scenes import DAY, Scene, Used, percent

STALE = 7 * DAY + 1 / 60


def test_B01_the_group_grows_when_nothing_fits() -> None:
    """All five together have room for it, and none alone: one is bought, and it runs there."""
    scene = Scene((Used(10, 50), Used(20, 40), Used(30, 30), Used(40, 20), Used(50, 10)))
    scene.play(percent(75, 75))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([0], [6], [])


def test_B02_nothing_is_bought_for_what_fits() -> None:
    """Three could hold it; the one with the least memory left gets it."""
    scene = Scene((Used(10, 50), Used(20, 40), Used(30, 30), Used(40, 20), Used(50, 10)))
    scene.play(percent(55, 55))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([4], [], [])


def test_B03_an_idle_stale_instance_goes() -> None:
    """It is the emptiest, and gets nothing: it is a week old."""
    instances = (Used(0, 0, STALE), Used(50, 50), Used(30, 30), Used(40, 20), Used(50, 10))
    scene = Scene(instances).play(percent(10, 10))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([2], [], [1])


def test_B04_a_stale_instance_with_work_is_left_alone() -> None:
    """It gets nothing new, and is not touched."""
    instances = (Used(10, 10, STALE), Used(40, 40), Used(10, 10), Used(40, 20), Used(30, 10))
    scene = Scene(instances).play(percent(10, 10))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([2], [], [])


def test_B05_an_idle_instance_goes_at_the_end_of_its_hour() -> None:
    """In minute 55; the others are busy, and would be in the middle of theirs."""
    instances = (Used(0, 0, 55), Used(60, 60, 45), Used(30, 30), Used(30, 30), Used(10, 10))
    scene = Scene(instances).play(percent(5, 5))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([2], [], [1])


def test_B06_thirty_percent_stay_free() -> None:
    """Of three idle ones at the end of their hour two go; without the third 17.5 % would be free."""
    busy = (Used(80, 80, 45), Used(80, 80), Used(80, 80), Used(80, 80))
    scene = Scene((Used(0, 0, 55), *busy, Used(0, 0, 55), Used(0, 0, 55))).play(percent(10, 10))
    assert (scene.where(), scene.scaled_to()) == ([2], [])
    assert len(scene.gone()) == 2
    assert set(scene.gone()) < {1, 6, 7}


def test_B07_an_instance_that_is_old_and_not_stale_is_used() -> None:
    """Forty minutes are no age, and it is the fullest that holds the request."""
    instances = (Used(60, 60, 40), Used(20, 20), Used(30, 30), Used(40, 40), Used(50, 50))
    scene = Scene(instances).play(percent(39, 39))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([1], [], [])


def test_B08_of_two_requests_one_fits() -> None:
    """It is not kept waiting by the other; for that one an instance is bought."""
    scene = Scene((Used(60, 60), Used(40, 40))).play(percent(10, 10), percent(65, 65))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([1, 0], [3], [])
