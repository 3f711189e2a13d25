"""Clients of the fault machine: what they notice when they are answered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.agents.expansion import expand
from scheduler.core.model.records import Record, TaskSubmitted
from scheduler.core.model.task import ContainersSpec, Task, TaskRequest
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.plan import Mishap, MishapKind, Plan, Tuning
from scheduler.lab.chaos.requests import ask_of, request_of
from scheduler.lab.chaos.run import play
from scheduler.lab.chaos.stage import agents_of
from scheduler.ports.store import CommitResult
from scheduler.services import placement
from scheduler.services.errors import NeverFits
from scheduler.services.fingerprint import fingerprint


def quiet_plan() -> Plan:
    """One client asks, repeats it, and sends another request under its id; a second one asks."""
    drawn = draw(2)
    job = replace(drawn.jobs[0], at_s=1, size=None, cpu=256, memory_mib=512, invalid=False, when="")
    job = replace(job, run_s=200, repeats_s=(2,), changed_s=4, cancel_after_s=None)
    account = replace(drawn.account, min_size=1, desired=1, max_size=2, read_lag_ms=0, group_lag_ms=0)
    jobs = (job, replace(job, at_s=20, repeats_s=(), changed_s=None))
    return Plan(seed=2, quiet_s=30, account=account, tuning=Tuning(), jobs=jobs, mishaps=())


def test_a_service_as_it_is_satisfies_them() -> None:
    """Nothing below is told of it."""
    verdict = play(quiet_plan())
    assert verdict.good, verdict.message


def without_image(request: TaskRequest) -> str:
    """A fingerprint that tells requests of different images not apart."""
    assert isinstance(request.spec, ContainersSpec)
    same = (replace(each, image="") for each in request.spec.containers)
    return fingerprint(replace(request, spec=replace(request.spec, containers=tuple(same))))


def test_a_changed_request_that_passes_for_the_first_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared are the requests themselves, not only what the service makes of them."""
    monkeypatch.setattr(placement, "fingerprint", without_image)
    assert play(quiet_plan()).invariant == "a_changed_request_is_refused"


def test_a_repeated_request_that_passes_for_another_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client would be told that its id is taken."""
    numbers = iter(range(1_000))
    monkeypatch.setattr(placement, "fingerprint", lambda request: f"{next(numbers)}")
    assert play(quiet_plan()).invariant == "a_changed_request_is_refused"


def test_a_service_that_finds_everything_too_large_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits the group's types is not refused for its size."""
    largest: Any = type("Largest", (), {"name": "m5.large"})()
    monkeypatch.setattr(placement, "never_fits", lambda ask, types: NeverFits(ask, largest, ("cpu",)))
    assert play(quiet_plan()).invariant == "what_is_valid_is_accepted"


def test_a_task_that_a_list_shows_twice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every accepted task is on one page, once, whoever asked for it."""
    whole = MemoryStore.list_tasks

    def twice(self: MemoryStore, *args: Any) -> Sequence[Task]:
        page = list(whole(self, *args))
        return [*page[:1], *page]

    monkeypatch.setattr(MemoryStore, "list_tasks", twice)
    assert play(quiet_plan()).invariant == "readers_see_what_is_durable"


def test_what_requests_ask_for_is_known_without_the_service() -> None:
    """By the sizes that are promised; and the service asks ECS for just that."""
    for seed in range(1, 60):
        plan = draw(seed)
        for number, job in enumerate(plan.jobs):
            request = request_of(plan, number, job)
            ask, known = expand(request.spec, agents_of(plan)).ask, ask_of(request)
            assert (ask.cpu, ask.memory_mib) == (known.cpu, known.memory_mib)


def committed_at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects how many requests each commit has, from now on."""
    sizes: list[int] = []
    whole = MemoryStore.commit

    def commit(self: MemoryStore, batches: Sequence[Sequence[Record]]) -> Sequence[CommitResult]:
        sizes.append(sum(isinstance(each, TaskSubmitted) for batch in batches for each in batch))
        return whole(self, batches)

    monkeypatch.setattr(MemoryStore, "commit", commit)
    return sizes


def test_clients_that_ask_at_the_same_moment_share_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a busy service do: one of them repeats what another one has just asked."""
    sizes = committed_at_once(monkeypatch)
    plan = quiet_plan()
    first = replace(plan.jobs[0], repeats_s=(0,), changed_s=None)
    verdict = play(replace(plan, jobs=(first, first)))
    assert verdict.good, verdict.message
    assert (max(sizes), verdict.tasks) == (4, 2)


@pytest.mark.parametrize("pick", [0, 1], ids=["after it is durable", "before it is"])
def test_all_who_shared_a_commit_ask_again_when_the_process_dies_of_it(pick: int) -> None:
    """Nobody was answered: neither request is lost, and none becomes two tasks."""
    plan = quiet_plan()
    job = replace(plan.jobs[0], at_s=20, repeats_s=(), changed_s=None)
    crash = Mishap(at_s=19, kind=MishapKind.CRASH_AT_COMMIT, pick=pick, count=0)
    verdict = play(replace(plan, jobs=(job, job), mishaps=(crash,)))
    assert verdict.good, verdict.message
    assert verdict.tasks == 2
