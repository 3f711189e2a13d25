"""Late launches: what EC2 owes and does not bring is told, polled at ease, and not asked for twice."""

import pytest

from scheduler.core.model.answers import GroupSeen, Outcome
from scheduler.core.model.calls import DescribeContainerInstances, DescribeGroup, SetDesiredCapacity
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import ScaleRequested
from scheduler.core.world.late_launches import LateLaunches
from tests.builders import M4_4XLARGE, a_wish
from tests.clocks import START_MS
from tests.core.region import Region

LATE_MS, MINUTE_MS = Policy().launches_late_after_ms, 60_000
REASON = "LAUNCHES_LATE"


def a_wait(unlaunched: int = 2) -> LateLaunches:
    """Two instances are owed since the start."""
    launches = LateLaunches()
    look(launches, 0, unlaunched=unlaunched)
    return launches


def look(
    launches: LateLaunches,
    after_ms: int,
    *,
    owed: int = 2,
    unlaunched: int = 2,
    arrived: bool = False,
    read_ms: int | None = None,
) -> str:
    """What is told of a look so long after the start."""
    launches.see(owed, unlaunched, START_MS + after_ms, arrived=arrived)
    return launches.judge(START_MS + (after_ms if read_ms is None else read_ms), LATE_MS)


def test_what_is_owed_for_long_is_late() -> None:
    """With how many there are, for how long, and how many of them the group has not even launched."""
    launches = a_wait()
    assert look(launches, LATE_MS - 1) == ""
    told = look(launches, LATE_MS + 2 * MINUTE_MS)
    assert launches.late
    assert "2 container instances" in told
    assert "12 minutes" in told
    assert "2 of them are not even launched" in told


def test_an_arrival_begins_the_wait_anew() -> None:
    """The others are late only when no more come for as long again."""
    launches = a_wait()
    look(launches, LATE_MS)
    assert look(launches, LATE_MS + 1, arrived=True, owed=1) == ""
    assert not launches.late
    assert look(launches, 2 * LATE_MS, owed=1) == ""
    assert look(launches, 2 * LATE_MS + 1, owed=1) != ""


def test_what_is_not_owed_any_more_is_not_late() -> None:
    """Nor is what is owed after that late by the old wait."""
    launches = a_wait()
    look(launches, LATE_MS)
    assert look(launches, LATE_MS + 1, owed=0) == ""
    assert look(launches, LATE_MS + 2) == ""
    assert not launches.late


def test_what_was_not_read_is_not_late() -> None:
    """While AWS was not read an instance may have come: both readings must be of after the wait."""
    launches = a_wait()
    assert look(launches, 2 * LATE_MS, read_ms=LATE_MS - 1) == ""
    assert look(launches, 2 * LATE_MS, read_ms=LATE_MS) != ""


@pytest.mark.parametrize(("unlaunched", "futile"), [(2, True), (1, True), (0, False), (-1, False)])
def test_more_is_futile_while_the_group_launches_nothing(unlaunched: int, futile: bool) -> None:
    """Members that were launched and do not join say nothing of the next ones."""
    launches = a_wait(unlaunched)
    look(launches, LATE_MS, unlaunched=unlaunched)
    assert (launches.late, launches.futile) == (True, futile)


def waiting(policy: Policy | None = None) -> Region:
    """An instance at work, and another one that was asked for and is not launched."""
    region = Region(1, policy=policy)
    region.run(1, ask=M4_4XLARGE)
    region.submit(2, M4_4XLARGE)
    region.minutes(0.5)
    assert region.truth.desired == 2
    return region


def test_a_launch_that_never_comes_is_told() -> None:
    """It was silent: no scaling activity fails where the process Launch is suspended."""
    region = waiting()
    region.minutes(9)
    assert REASON not in region.world.troubles
    region.minutes(1.5)
    assert "1 container instances" in region.world.troubles[REASON]
    region.truth.join(region.steps.now_ms)
    region.minutes(0.2)
    assert REASON not in region.world.troubles


def test_slow_boots_have_their_time() -> None:
    """Twice the slowest that was measured, if that is more than the setting."""
    region = waiting(Policy(launches_late_after_ms=60_000))
    launched = region.truth.launch(region.steps.now_ms)
    assert launched is not None
    region.minutes(4)
    region.truth.register(launched)
    region.minutes(0.5)
    region.submit(3, M4_4XLARGE)
    region.minutes(7.5)
    assert REASON not in region.world.troubles
    region.minutes(2)
    assert REASON in region.world.troubles


def polls(region: Region, seconds: int) -> int:
    """How often the cluster is read in so many seconds."""
    seen = 0
    for _ in range(seconds):
        seen += any(isinstance(call, DescribeContainerInstances) for call in region.turn().calls)
    return seen


def test_the_cluster_is_read_at_ease_while_launches_are_late() -> None:
    """They come in their own time: a reading a second is for those that are about to."""
    region = waiting()
    assert polls(region, 60) > 20
    region.minutes(11)
    assert polls(region, 60) <= 12


def test_no_more_is_asked_while_the_group_launches_nothing() -> None:
    """It would owe that as well; once one has come, what is still lacking is asked for."""
    region = waiting()
    region.minutes(11)
    region.submit(3, M4_4XLARGE)
    region.minutes(5)
    assert region.truth.desired == 2
    region.truth.join(region.steps.now_ms)
    region.minutes(0.5)
    assert region.truth.desired == 3


@pytest.mark.parametrize("state", ["InService", "Pending:Wait"])
def test_more_is_asked_while_what_was_launched_does_not_join(state: str) -> None:
    """One that does not join, or that a hook holds, would else stop growth while it is left alone."""
    region = waiting(Policy(never_joined_after_ms=7_200_000, never_joined_until_ms=14_400_000))
    launched = region.truth.launch(region.steps.now_ms)
    assert launched is not None
    region.truth.members[launched] = state
    region.minutes(11)
    assert REASON in region.world.troubles
    region.submit(3, M4_4XLARGE)
    region.minutes(0.5)
    assert region.truth.desired == 3


def test_an_operators_floor_is_asked_for_all_the_same() -> None:
    """It is a wish and not a guess, and no more than it is asked for beside it."""
    region = waiting()
    region.minutes(11)
    region.submit(3, M4_4XLARGE)
    region.submit(4, M4_4XLARGE)
    region.steps.commit(ScaleRequested(wish=a_wish(3)))
    region.minutes(5)
    assert region.truth.desired == 3


def test_a_restart_waits_anew() -> None:
    """What a new life has not seen it does not tell."""
    region = waiting()
    region.minutes(11)
    region.restart()
    region.minutes(9)
    assert REASON not in region.world.troubles
    region.minutes(2)
    assert REASON in region.world.troubles


def test_a_group_read_after_an_outage_tells_of_no_late_launch() -> None:
    """The instance may be there: that shows when the cluster is read too."""
    region = waiting()
    region.truth.join(region.steps.now_ms)
    region.steps.now_ms += 2 * LATE_MS
    seen = GroupSeen(group=region.truth.group())
    region.world.hear(
        Outcome(call=DescribeGroup(group="ci"), answer=seen, sent_ms=region.steps.now_ms),
        region.steps.now_ms,
    )
    assert REASON not in region.world.troubles
    assert region.awaited(SetDesiredCapacity) == []
