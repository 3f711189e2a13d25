"""The store port's contract: what readers see of tasks and their events."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.core.model.attempt import AttemptState, StopCategory
from scheduler.core.model.records import AttemptRecorded
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import (
    TERMINAL_STATES,
    BambooAgentSpec,
    ContainerSize,
    EnvironmentVariable,
    ExtraContainer,
    HostFolderMapping,
    Secret,
    TaskState,
    Timeouts,
)
from scheduler.ports.store import RevisionCompacted, Store, TaskFilter, Written
from tests.builders import REGULAR, attempt, containers_spec, stop_reason, submitted, task_id, transitioned
from tests.contract.store_adapters import (
    ADAPTERS,
    ASSIGNED,
    CANCELLED,
    FAILED,
    QUEUED,
    RUNNING,
    STARTING,
    STOPPING,
    SUCCEEDED,
    OpenStore,
    live,
)


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: OpenStore = request.param
    made = opened(tmp_path)
    yield made
    made.close()


def listed(store: Store, wanted: TaskFilter, after: str = "", limit: int = 100) -> list[str]:
    return [task.task_id for task in store.list_tasks(wanted, after, limit)]


# --- get -------------------------------------------------------------------------------------------


def test_get_returns_the_whole_task(store: Store) -> None:
    """What was submitted comes back, with its spec and labels and the status of a queued task."""
    record = submitted(
        1, labels={"team": "a", "ü'\"": "\n"}, spec=containers_spec(A="ä\x00", B=""), priority=3
    )
    store.commit([[record]])
    task = store.get(task_id(1))
    assert task is not None
    assert (task.request_id, task.tenant, task.priority) == ("request-1", "bamboo", 3)
    assert (task.labels, task.spec) == (record.request.labels, record.request.spec)
    assert (task.build_key, task.ask, task.submitted_ms) == ("PLAN-KEY", record.ask, record.at_ms)
    assert (task.status.state, task.status.revision, task.status.updated_ms) == (QUEUED, 1, record.at_ms)


@pytest.mark.parametrize(
    "timeouts", [Timeouts(), Timeouts(queue_ms=0), Timeouts(queue_ms=1, start_ms=2, run_ms=3)]
)
def test_every_reader_shows_the_timeouts(store: Store, timeouts: Timeouts) -> None:
    """What is not set stays so, zero is not "not set", and `may_run_again` goes with them."""
    store.commit([[submitted(1, timeouts=timeouts, may_run_again=True)], [submitted(2)]])
    got, (listed_first, other) = store.get(task_id(1)), store.list_tasks(TaskFilter(), "", 10)
    for task in (got, listed_first, store.events_after(0, 1)[0].task):
        assert task is not None
        assert (task.timeouts, task.may_run_again) == (timeouts, True)
    assert (other.timeouts, other.may_run_again) == (Timeouts(), False)


def test_get_returns_a_bamboo_agent(store: Store) -> None:
    """A Bamboo agent's spec comes back as it was, with its extra containers."""
    extra = ExtraContainer(
        name="db",
        image="postgres:16",
        size=ContainerSize.SMALL,
        commands=("a", "b"),
        environment=(EnvironmentVariable(name="A", value="secret"),),
    )
    spec = BambooAgentSpec(
        result_id="PLAN-JOB-1",
        build_key="PLAN-JOB",
        server_url="https://bamboo.example.com",
        sidekick_image="sidekick:1",
        image="agent:1",
        size=ContainerSize.LARGE_4X,
        extra_containers=(extra,),
        queue_time_ms=1,
        host_folder_mappings=(
            HostFolderMapping(volume_name="v", source_path="/outside", container_path="/inside"),
        ),
        task_role_arn="arn:role",
        architecture=Architecture.ARM64,
        secrets=(Secret(name="TOKEN", value_from="token"),),
    )
    store.commit([[submitted(1, spec=spec)]])
    task = store.get(task_id(1))
    assert task is not None
    assert task.spec == spec


@pytest.mark.parametrize("constraint", [{"architecture": Architecture.ARM64}, {"exclusive": True}])
def test_a_constraint_is_part_of_what_is_asked(store: Store, constraint: dict[str, Any]) -> None:
    """Wherever a task is read: one that waits must not be placed elsewhere after a restart."""
    ask = Resources(cpu=1, memory_mib=2, gpus=3, **constraint)
    store.commit([[submitted(1, ask=ask)], [submitted(2)]])
    asks = [[live.queued.ask for live in store.load().live]]
    asks += [[task.ask for task in store.list_tasks(TaskFilter(), "", 10)]]
    asks += [[event.task.ask for event in store.events_after(0, 10)]]
    asks += [[task.ask for number in (1, 2) if (task := store.get(task_id(number)))]]
    assert asks == [[ask, REGULAR]] * 4


def test_get_of_an_unknown_task_is_none(store: Store) -> None:
    """A task that was never submitted is None."""
    assert store.get(task_id(1)) is None


def test_get_shows_the_last_ten_attempts(store: Store) -> None:
    """At most 10 attempts are shown, the last ones, oldest first."""
    store.commit([[submitted(1)], *([AttemptRecorded(attempt=attempt(1, n))] for n in range(1, 13))])
    task = store.get(task_id(1))
    assert task is not None
    assert [shown.number for shown in task.attempts] == list(range(3, 13))


def test_status_follows_the_task(store: Store) -> None:
    """`started_ms` is when RUNNING was first seen, `stopped_ms` the end, and the reason is kept."""
    reason = stop_reason()
    store.commit([[submitted(1)], [transitioned(1, RUNNING, ASSIGNED, at_ms=10)]])
    store.commit([[transitioned(1, FAILED, RUNNING, at_ms=20, stop_reason=reason)]])
    task = store.get(task_id(1))
    assert task is not None
    assert (task.status.started_ms, task.status.stopped_ms, task.status.updated_ms) == (10, 20, 20)
    assert (task.status.state, task.status.revision, task.status.stop_reason) == (FAILED, 3, reason)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_start_is_kept_through_stopping(store: Store, state: TaskState) -> None:
    """A task that is stopped keeps when it ran from, and has no end before it is terminal."""
    store.commit([[submitted(1)], [transitioned(1, RUNNING, at_ms=10)]])
    store.commit(
        [[transitioned(1, STOPPING, RUNNING, at_ms=20)], [transitioned(1, state, STOPPING, at_ms=30)]]
    )
    stopping, ended = (event.task.status for event in store.events_after(2, 10))
    assert (stopping.started_ms, stopping.stopped_ms) == (10, None)
    assert (ended.started_ms, ended.stopped_ms) == (10, 30)


def test_task_that_is_stopped_before_it_ran_has_no_start(store: Store) -> None:
    """STOPPING alone does not make a start."""
    store.commit(
        [[submitted(1)], [transitioned(1, STOPPING, STARTING), transitioned(1, CANCELLED, STOPPING)]]
    )
    task = store.get(task_id(1))
    assert task is not None
    assert task.status.started_ms is None


def test_requeue_forgets_when_it_started(store: Store) -> None:
    """`started_ms` is of the present attempt: a requeued task has none, in the same commit as well."""
    store.commit([[submitted(1), transitioned(1, RUNNING, at_ms=10), transitioned(1, QUEUED, RUNNING)]])
    queued = store.get(task_id(1))
    store.commit([[transitioned(1, RUNNING, QUEUED, at_ms=30)]])
    running = store.get(task_id(1))
    assert queued is not None
    assert running is not None
    assert (queued.status.started_ms, running.status.started_ms) == (None, 30)


def test_task_that_never_ran_has_no_start(store: Store) -> None:
    """ECS may skip RUNNING: such a task stops without a start."""
    store.commit([[submitted(1)], [transitioned(1, SUCCEEDED, STARTING, at_ms=9)]])
    task = store.get(task_id(1))
    assert task is not None
    assert (task.status.started_ms, task.status.stopped_ms) == (None, 9)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_secrets_are_dropped_at_the_end(store: Store, state: TaskState) -> None:
    """Environment values are kept while the task may be launched, and masked once it is terminal."""
    store.commit([[submitted(1, spec=containers_spec(PASSWORD="hunter2"))], [transitioned(1, STOPPING)]])
    before = store.get(task_id(1))
    store.commit([[transitioned(1, state, STOPPING)]])
    after = store.get(task_id(1))
    assert before is not None
    assert after is not None
    assert before.spec == containers_spec(PASSWORD="hunter2")
    assert after.spec == containers_spec(PASSWORD="***")


def test_secrets_are_dropped_when_it_ends_in_the_same_commit(store: Store) -> None:
    """A task that is submitted and ends in one commit leaves no secret."""
    store.commit([[submitted(1, spec=containers_spec(A="hunter2")), transitioned(1, FAILED)]])
    task = store.get(task_id(1))
    assert task is not None
    assert task.spec == containers_spec(A="***")


def test_a_scrub_leaves_what_lives(store: Store) -> None:
    """It goes well while nobody reads, and a task that may still be launched keeps its values."""
    store.commit([[submitted(1, spec=containers_spec(A="hunter2"))]])
    assert store.scrub()
    task = store.get(task_id(1))
    assert task is not None
    assert task.spec == containers_spec(A="hunter2")


# --- list ------------------------------------------------------------------------------------------


def test_list_pages_in_order_of_id(store: Store) -> None:
    """Pages follow each other by the last id of the one before."""
    store.commit([[submitted(n)] for n in (3, 1, 5, 2, 4)])
    assert listed(store, TaskFilter(), limit=2) == [task_id(1), task_id(2)]
    assert listed(store, TaskFilter(), after=task_id(2)) == [task_id(3), task_id(4), task_id(5)]
    assert listed(store, TaskFilter(), after=task_id(5)) == []


def test_listed_task_has_its_last_attempt_and_no_spec(store: Store) -> None:
    """A listed task is what `get` shows, less its spec and all but the last attempt."""
    store.commit([[submitted(1, labels={"a": "b"})]])
    store.commit([[AttemptRecorded(attempt=attempt(1, n))] for n in (2, 1)])
    (task,) = store.list_tasks(TaskFilter(), "", 10)
    assert (task.spec, task.attempts) == (None, (attempt(1, 2),))
    assert (task.labels, task.status.state) == ({"a": "b"}, QUEUED)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TaskFilter(tenant="other"), [2]),
        (TaskFilter(task_ids=frozenset({task_id(1), task_id(3), task_id(9)})), [1, 3]),
        (TaskFilter(build_key="OTHER"), [3]),
        (TaskFilter(labels=(("a", "1"),)), [1, 2]),
        (TaskFilter(labels=(("a", "1"), ("b.'\"$", "2"))), [2]),
        (TaskFilter(labels=(("a", "2"),)), []),
        (TaskFilter(states=frozenset({ASSIGNED, FAILED})), [3, 4]),
        (TaskFilter(tenant="bamboo", states=frozenset({QUEUED})), [1]),
        (TaskFilter(tenant="nobody"), []),
    ],
)
def test_list_filters(store: Store, wanted: TaskFilter, found: list[int]) -> None:
    """Everything that is set in the filter must match."""
    store.commit([[submitted(1, labels={"a": "1"})]])
    store.commit([[submitted(2, tenant="other", labels={"a": "1", "b.'\"$": "2"})]])
    store.commit([[submitted(3, build_key="OTHER")], [submitted(4)]])
    store.commit([[transitioned(3, ASSIGNED)], [transitioned(4, FAILED)]])
    assert listed(store, wanted) == [task_id(n) for n in found]


# --- events ----------------------------------------------------------------------------------------


def test_events_tell_each_change(store: Store) -> None:
    """An event names the state before, None at first, and its revision is that of the task then."""
    store.commit([[submitted(1)], [transitioned(1)], [transitioned(1, FAILED, ASSIGNED)]])
    events = store.events_after(0, 10)
    assert [event.previous_state for event in events] == [None, QUEUED, ASSIGNED]
    assert [event.task.status.state for event in events] == [QUEUED, ASSIGNED, FAILED]
    assert [event.task.status.revision for event in events] == [1, 2, 3]


def test_events_show_the_task_as_of_then(store: Store) -> None:
    """An event keeps the status and the attempt of its time, and never a spec."""
    then = attempt(1, 1, state=AttemptState.STARTED, stop_wish=StopCategory.RUN_TIMEOUT)
    store.commit([[submitted(1, labels={"a": "b"})], [transitioned(1, RUNNING, at_ms=10, attempt=then)]])
    ended = attempt(1, 1, state=AttemptState.ENDED, stopped_ms=20)
    store.commit([[transitioned(1, FAILED, RUNNING, at_ms=20, attempt=ended, stop_reason=stop_reason())]])
    queued, running, failed = (event.task for event in store.events_after(0, 10))
    assert (queued.attempts, running.attempts, failed.attempts) == ((), (then,), (ended,))
    assert (running.status.started_ms, running.status.stopped_ms) == (10, None)
    assert (failed.status.started_ms, failed.status.stopped_ms) == (10, 20)
    assert (running.status.stop_reason, failed.status.stop_reason) == (None, stop_reason())
    assert [(task.labels, task.spec) for task in (queued, failed)] == [({"a": "b"}, None)] * 2


def test_events_page_by_revision(store: Store) -> None:
    """Reading goes on after the last revision seen; at the end there is nothing."""
    store.commit([[submitted(n)] for n in range(1, 6)])
    assert [event.revision for event in store.events_after(1, 2)] == [2, 3]
    assert [event.revision for event in store.events_after(3, 10)] == [4, 5]
    assert store.events_after(5, 10) == []


# --- compaction ------------------------------------------------------------------------------------


def test_compacted_events_are_refused(store: Store) -> None:
    """Events below the compacted revision are gone, and asking for one says from where they are kept."""
    store.commit([[submitted(n)] for n in range(1, 6)])
    store.compact(4)
    with pytest.raises(RevisionCompacted) as refused:
        store.events_after(2, 10)
    assert refused.value.oldest == 4
    assert [event.revision for event in store.events_after(3, 10)] == [4, 5]


def test_compaction_keeps_tasks_and_revisions(store: Store) -> None:
    """Tasks stay, the last revision stays, and the next one follows it, even with no event left."""
    store.commit([[submitted(1)], [submitted(2)]])
    store.compact(1000)
    assert (store.revision(), len(live(store)), store.events_after(2, 10)) == (2, 2, [])
    assert store.commit([[submitted(3)]]) == [Written(first_revision=3)]
    assert [event.revision for event in store.events_after(2, 10)] == [3]


def test_compaction_never_goes_back(store: Store) -> None:
    """Compacting to an earlier revision than before changes nothing."""
    store.commit([[submitted(n)] for n in range(1, 6)])
    store.compact(4)
    store.compact(2)
    with pytest.raises(RevisionCompacted) as refused:
        store.events_after(0, 10)
    assert refused.value.oldest == 4
