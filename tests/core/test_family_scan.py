"""The scan of the family: page by page and one by one, up to a limit, and never in a hurry."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.answers import Failure, RevisionDescribed, RevisionsListed
from scheduler.core.model.calls import Call, DescribeRevision, ListRevisions, RegisterTaskDefinition
from scheduler.core.model.facts import definition_fact, family_scanned_fact, revision_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.revision import DAY_MS, Revision
from scheduler.core.world.world import World
from tests.builders import submitted, task_id
from tests.clocks import START_MS
from tests.core.steps import Steps

THROTTLED = Failure(definite=True, throttled=True, code="ThrottlingException", message="Rate exceeded")
DENIED = Failure(definite=True, blames_request=True, code="AccessDeniedException", message="not authorized")
KEY = submitted(1).definition_key


def scanning(limit: int = 2_000) -> Steps:
    """A world whose store had no index, past the first page of its scan."""
    world = World(Policy(scanned_revisions_max=limit), "ci-agents")
    world.family_scan.begin()
    return Steps(world)


def reading(steps: Steps) -> Call | None:
    """The reading of the family that is under way, once a decision was made."""
    steps.step()
    found: list[Call] = [*steps.awaited(ListRevisions), *steps.awaited(DescribeRevision)]
    assert len(found) <= 1
    return found[0] if found else None


def listed(steps: Steps, *arns: str, token: str = "") -> None:
    """The page that is awaited arrives."""
    call = reading(steps)
    assert isinstance(call, ListRevisions)
    steps.answer(call, RevisionsListed(arns=arns, token=token))


def described(steps: Steps, key: str) -> None:
    """The description that is awaited arrives."""
    call = reading(steps)
    assert isinstance(call, DescribeRevision)
    steps.answer(call, RevisionDescribed(definition_key=key))


def facts(steps: Steps) -> list[FactRecorded]:
    steps.step()
    return [each for each in steps.committed if isinstance(each, FactRecorded)]


def test_a_store_with_an_index_scans_nothing() -> None:
    """Nothing is asked, ever."""
    assert reading(Steps(World(Policy(), "ci-agents"))) is None


@given(st.lists(st.integers(0, 7), max_size=6), st.integers(1, 40))
def test_every_revision_up_to_the_limit_is_described_once(pages: list[int], limit: int) -> None:
    """In the order of the pages, whatever their sizes; an empty page leads on as well."""
    steps, numbers, seen = scanning(limit), iter(range(1_000)), list[str]()
    arns = [[f"arn:{next(numbers)}" for _ in range(size)] for size in pages]
    for page, names in enumerate(arns):
        call = reading(steps)
        if call is None:
            break
        assert call == ListRevisions(token=f"t{page}" if page else "")
        last = page == len(arns) - 1
        steps.answer(call, RevisionsListed(arns=tuple(names), token="" if last else f"t{page + 1}"))
        while isinstance(found := reading(steps), DescribeRevision):
            seen.append(found.arn)
            steps.answer(found, RevisionDescribed(definition_key=""))
    assert seen == [arn for names in arns for arn in names][:limit]


def test_a_revision_of_ours_is_known_and_used() -> None:
    """Its configuration needs no registration any more; it counts as used today."""
    steps = scanning()
    listed(steps, "arn:agents:7")
    described(steps, KEY)
    found = Revision(arn="arn:agents:7", definition_key=KEY, used_day=START_MS // DAY_MS)
    assert facts(steps) == [revision_fact(found), definition_fact(KEY, "arn:agents:7"), family_scanned_fact()]
    assert steps.world.definitions.registered == {KEY: "arn:agents:7"}


def test_what_is_found_is_not_registered_in_the_same_breath() -> None:
    """A task waits for it when it is found: the decision that keeps the finding asks for no other one."""
    steps = scanning()
    steps.commit(submitted(1))
    listed(steps, "arn:agents:7")
    described(steps, KEY)
    view = steps.view()
    assert view.wanted_definitions == ()
    steps.step()
    assert steps.world.definitions.registered == {KEY: "arn:agents:7"}


def test_of_two_revisions_of_a_configuration_the_newer_is_used() -> None:
    """The older one is ours too, and will be collected."""
    steps = scanning()
    listed(steps, "arn:agents:7", "arn:agents:3")
    described(steps, KEY)
    described(steps, KEY)
    steps.step()
    assert steps.world.definitions.registered == {KEY: "arn:agents:7"}
    assert steps.world.revisions.knows("arn:agents:3")


def test_a_revision_of_others_leaves_no_trace() -> None:
    """Nothing of it is kept, so nothing can be done to it."""
    steps = scanning()
    listed(steps, "arn:agents:7")
    described(steps, "")
    assert facts(steps) == [family_scanned_fact()]


def test_a_registration_under_way_wins() -> None:
    """What the scan finds meanwhile is known, and does not take its place."""
    steps = scanning()
    listed(steps, "arn:agents:7")
    steps.commit(submitted(1))
    steps.world.definitions.begin(KEY)
    described(steps, KEY)
    assert definition_fact(KEY, "arn:agents:7") not in facts(steps)


def test_a_throttled_reading_is_repeated_later() -> None:
    """The same one, after a pause."""
    steps = scanning()
    listed(steps, "arn:agents:7")
    call = reading(steps)
    assert call is not None
    steps.answer(call, THROTTLED)
    assert reading(steps) is None
    steps.now_ms += Policy().registration_pauses_ms[-1]
    assert reading(steps) == call


def test_a_refused_reading_ends_the_scan_until_the_next_start() -> None:
    """It is told, nothing is repeated, and nothing says that the family was looked through."""
    steps = scanning()
    call = reading(steps)
    assert call is not None
    steps.answer(call, DENIED)
    assert reading(steps) is None
    assert facts(steps) == []
    assert "REVISIONS_UNLISTED" in steps.world.troubles


def test_a_scan_waits_for_nobody_and_nobody_for_it() -> None:
    """A definition that is needed is registered while the family is looked through."""
    steps = scanning()
    steps.commit(submitted(1))
    wanted = steps.view().wanted_definitions
    assert [each.task_id for each in wanted] == [task_id(1)]
    assert steps.awaited(RegisterTaskDefinition) == []
