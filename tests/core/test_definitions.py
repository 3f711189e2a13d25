"""The definitions: registered once, whoever and however many ask."""

from scheduler.core.model.answers import Failure
from scheduler.core.model.policy import Policy
from scheduler.core.world.definitions import Definitions
from tests.builders import a_task
from tests.clocks import START_MS

POLICY = Policy()
KEY = "definition-1"
REFUSED = Failure(definite=True, code="ClientException", message="no such log driver")


def waiting(*numbers: int) -> Definitions:
    definitions = Definitions(POLICY)
    for number in numbers:
        definitions.wait(a_task(number))
    return definitions


def wanted(definitions: Definitions, after_ms: int = 0) -> list[tuple[str, str]]:
    return [(each.definition_key, each.task_id) for each in definitions.wanted(START_MS + after_ms)]


def test_a_definition_is_wanted_once_for_all_who_wait() -> None:
    """It is asked for in the name of the first."""
    assert wanted(waiting(1, 2, 3)) == [(KEY, a_task(1).task_id)]


def test_while_a_registration_is_under_way_nobody_asks_again() -> None:
    """Single flight by content hash; other definitions do not wait for it."""
    definitions = waiting(1)
    definitions.begin(KEY)
    definitions.wait(a_task(2))
    definitions.wait(a_task(3, definition_key="definition-2"))
    assert wanted(definitions) == [("definition-2", a_task(3).task_id)]


def test_a_registered_definition_frees_its_tasks_in_order() -> None:
    """They are returned oldest first, and the definition is never wanted again."""
    definitions = waiting(1, 2)
    assert [task.task_id for task in definitions.register(KEY, "arn")] == [
        a_task(1).task_id,
        a_task(2).task_id,
    ]
    assert (wanted(definitions), definitions.registered) == ([], {KEY: "arn"})


def test_a_failed_registration_rests_longer_each_time() -> None:
    """Throttled, collided or lost: after 1, 2, 5, then every 10 seconds."""
    definitions = waiting(1)
    for pause_ms in (1_000, 2_000, 5_000, 10_000, 10_000):
        definitions.rest(KEY, START_MS)
        assert definitions.next_ms() == START_MS + pause_ms
        assert wanted(definitions, pause_ms - 1) == []
        assert wanted(definitions, pause_ms) == [(KEY, a_task(1).task_id)]


def test_a_refused_definition_dooms_whoever_waits_for_it() -> None:
    """With AWS's own answer, at most as many at once as are asked for, and it is not tried again for them."""
    definitions = waiting(1, 2, 3)
    definitions.reject(KEY, REFUSED)
    assert definitions.rejected(2) == ((a_task(1), REFUSED), (a_task(2), REFUSED))
    assert wanted(definitions) == []


def test_a_refusal_is_forgotten_with_the_last_who_waited() -> None:
    """Whoever asks tomorrow is not told yesterday's answer: the role may exist by then."""
    definitions = waiting(1)
    definitions.reject(KEY, REFUSED)
    definitions.leave(a_task(1))
    definitions.wait(a_task(2))
    assert (wanted(definitions), definitions.rejected(10)) == ([(KEY, a_task(2).task_id)], ())


def test_a_refusal_that_nobody_waits_for_is_not_kept() -> None:
    """Its last task was cancelled while the registration was under way: the next one is registered for."""
    definitions = waiting(1)
    definitions.begin(KEY)
    definitions.leave(a_task(1))
    definitions.reject(KEY, REFUSED)
    definitions.finish(KEY)
    definitions.wait(a_task(2))
    assert (wanted(definitions), definitions.rejected(10)) == ([(KEY, a_task(2).task_id)], ())


def test_what_nobody_waits_for_is_not_wanted() -> None:
    """The last task left before the registration was sent."""
    definitions = waiting(1)
    definitions.leave(a_task(1))
    assert (wanted(definitions), definitions.next_ms()) == ([], None)


def test_a_registration_under_way_wakes_nobody() -> None:
    """Its outcome does: a rest that is over is no reason to look again and again meanwhile."""
    definitions = waiting(1)
    definitions.rest(KEY, START_MS)
    definitions.begin(KEY)
    assert definitions.next_ms() is None
