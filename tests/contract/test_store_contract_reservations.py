"""The store port's contract: what a restart must know of the tasks of builds that have reserved."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.records import FactRecorded
from scheduler.core.model.reservation import reservation_prefix
from scheduler.core.model.task import BambooAgentSpec, ContainerSize
from scheduler.ports.store import Store
from tests.builders import submitted
from tests.contract.store_adapters import ADAPTERS, OpenStore


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: OpenStore = request.param
    made = opened(tmp_path)
    yield made
    made.close()


def an_agent(result_id: str) -> BambooAgentSpec:
    return BambooAgentSpec(
        result_id=result_id,
        build_key="PLAN-KEY",
        server_url="http://bamboo",
        sidekick_image="sidekick:1",
        image="agent:1",
        size=ContainerSize.REGULAR,
    )


def reserved(tenant: str, build_key: str) -> FactRecorded:
    return FactRecorded(key=f"{reservation_prefix(tenant, build_key)}1790000000000", value="{}")


def results(store: Store) -> list[tuple[str, str]]:
    """Build keys and result ids of what is loaded."""
    return [(live.queued.build_key, live.queued.result_id) for live in store.load().live]


def test_results_of_a_build_that_has_reserved_are_loaded(store: Store) -> None:
    """Tasks of a reservation are known by them, however little time passed before the crash."""
    store.commit([[submitted(1, spec=an_agent("R1")), reserved("bamboo", "PLAN-KEY")]])
    assert results(store) == [("PLAN-KEY", "R1")]


@pytest.mark.parametrize(("tenant", "build_key"), [("others", "PLAN-KEY"), ("bamboo", "PLAN")])
def test_results_of_other_builds_are_not(store: Store, tenant: str, build_key: str) -> None:
    """Nobody asks for them: a long queue is loaded without a look at its specs."""
    store.commit([[submitted(1, spec=an_agent("R1")), reserved(tenant, build_key)]])
    assert results(store) == [("PLAN-KEY", "")]


def test_a_task_that_names_no_result_has_none(store: Store) -> None:
    """Whatever its build has reserved."""
    store.commit([[submitted(1), reserved("bamboo", "PLAN-KEY")]])
    assert results(store) == [("PLAN-KEY", "")]
