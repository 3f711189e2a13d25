"""Revisions: which of ours was of no use for long, and how often its use is written down."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.facts import REVISION_PREFIX, forgotten_revision_fact, read_revision, revision_fact
from scheduler.core.model.mark import Mark
from scheduler.core.model.policy import Policy
from scheduler.core.model.revision import DAY_MS, Owner, Revision
from scheduler.core.world.revisions import Revisions
from tests.clocks import START_MS

POLICY = Policy()
TODAY = START_MS // DAY_MS
OURS = Owner(mark=Mark(service_id="ci/ci-agents", store_epoch="e", since_ms=1), cluster="ci")


def a_revision(number: int = 1, *, age_days: int = 0) -> Revision:
    return Revision(arn=f"arn:agents:{number}", definition_key=f"key-{number}", used_day=TODAY - age_days)


def knowing(*revisions: Revision) -> Revisions:
    known = Revisions(POLICY)
    for each in revisions:
        known.remember(each.arn, revision_fact(each).value)
    return known


def stale(revisions: Revisions, now_ms: int = START_MS, *, needed: str = "") -> Revision | None:
    return revisions.stale(now_ms, lambda key: key == needed)


def test_the_one_that_was_of_no_use_for_longest_goes_first() -> None:
    """One at a time, the oldest first, and only what is older than thirty days."""
    revisions = knowing(a_revision(1, age_days=40), a_revision(2, age_days=50), a_revision(3, age_days=3))
    assert stale(revisions) == a_revision(2, age_days=50)


def test_a_day_is_over_before_it_counts() -> None:
    """A use is known by its day: thirty days after its last moment, not after its first."""
    assert stale(knowing(a_revision(age_days=30))) is None
    assert stale(knowing(a_revision(age_days=32))) is not None


def test_what_a_live_task_needs_stays() -> None:
    """Queued or running, of whatever age: its configuration keeps every revision of it."""
    assert stale(knowing(a_revision(1, age_days=99)), needed="key-1") is None


def test_a_use_is_written_down_once_a_day() -> None:
    """However many tasks are launched: one record a revision and day."""
    revisions = knowing(a_revision(1, age_days=1))
    (fact,) = revisions.use("arn:agents:1", START_MS)
    assert fact == revision_fact(a_revision(1))
    assert [revisions.use("arn:agents:1", START_MS + each) for each in range(100)] == [()] * 100


def test_a_clock_that_was_set_back_writes_nothing_down() -> None:
    """The last use is the latest one."""
    revisions = knowing(a_revision(1))
    assert revisions.use("arn:agents:1", START_MS - 5 * DAY_MS) == ()


def test_a_revision_that_is_not_ours_has_no_use() -> None:
    """An attempt of an earlier life may name one that nobody knows any more."""
    assert knowing().use("arn:agents:1", START_MS) == ()


def test_one_deregistration_at_a_time_with_pauses() -> None:
    """While one is under way, and for a while after it, none begins."""
    revisions = knowing(a_revision(1, age_days=40), a_revision(2, age_days=50))
    revisions.settle("arn:agents:2", START_MS, under_way=True)
    assert (stale(revisions), revisions.next_ms()) == (None, None)
    revisions.settle("arn:agents:2", START_MS, under_way=False)
    assert stale(revisions) is None
    assert stale(revisions, START_MS + POLICY.revision_pause_ms) is not None


def test_a_decision_that_could_not_act_looks_again_after_the_pause() -> None:
    """With something to do soon, with nothing within the hour."""
    revisions = knowing(a_revision(1, age_days=40))
    revisions.looked(START_MS, stale(revisions))
    assert revisions.next_ms() == START_MS + POLICY.revision_pause_ms
    idle = knowing(a_revision(1))
    idle.looked(START_MS, stale(idle))
    assert idle.next_ms() == START_MS + 3_600_000


def test_a_refusal_is_not_tried_again_before_tomorrow() -> None:
    """The pause after the call does not shorten it."""
    revisions = knowing(a_revision(1, age_days=40))
    revisions.settle("arn:agents:1", START_MS, under_way=True)
    revisions.rest(START_MS)
    revisions.settle("arn:agents:1", START_MS, under_way=False)
    assert revisions.next_ms() == START_MS + DAY_MS


def test_a_forgotten_revision_is_gone() -> None:
    """Nothing is looked for when nothing is known."""
    revisions = knowing(a_revision(1, age_days=40))
    revisions.remember("arn:agents:1", forgotten_revision_fact("arn:agents:1").value)
    assert (stale(revisions), revisions.next_ms(), revisions.knows("arn:agents:1")) == (None, None, False)


@given(st.text(min_size=1), st.text(), st.integers(0, 100_000))
def test_a_fact_reads_as_it_was_written(arn: str, key: str, day: int) -> None:
    """Whatever the names are."""
    revision = Revision(arn=arn, definition_key=key, used_day=day)
    fact = revision_fact(revision)
    assert read_revision(fact.key.removeprefix(REVISION_PREFIX), fact.value) == revision


def test_our_tags_say_that_it_is_ours() -> None:
    """After a lost store too: the mark's epoch and time do not count, nor how the cluster is named."""
    later = Owner(
        mark=Mark(service_id="ci/ci-agents", store_epoch="f", since_ms=2),
        cluster="arn:aws:ecs:r:1:cluster/ci",
    )
    assert later.key_in(OURS.tags("abc")) == "abc"


def test_tags_of_anybody_else_do_not() -> None:
    """No tags, another service's, another cluster's: each alone is enough."""
    other_service = Owner(mark=Mark(service_id="other", store_epoch="e", since_ms=1), cluster="ci")
    other_cluster = Owner(mark=OURS.mark, cluster="other")
    for tags in ({}, other_service.tags("abc"), other_cluster.tags("abc"), OURS.mark.tags()):
        assert OURS.key_in(tags) == ""
