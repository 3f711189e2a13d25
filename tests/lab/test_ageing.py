"""A group that cannot grow renews itself: old instances are replaced one by one, while work goes on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.journal import Effect, Journal
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import detached, harms, lowered
from tests.lab.worlds import MINUTE_MS, VirtualService

AGE_MS = 6 * 60 * MINUTE_MS
RUN_MS = (15 * MINUTE_MS, 30 * MINUTE_MS)
SELDOM = Policy(
    instance_max_age_ms=AGE_MS,
    cluster_poll_ms=150_000,
    eager_poll_ms=15_000,
    task_poll_ms=75_000,
    census_poll_ms=450_000,
    hazards_poll_ms=AGE_MS // 2,
    types_poll_ms=AGE_MS // 2,
)
"""Instances live for six hours instead of a week, and are seldom read: virtual time is long."""


def lives_ms(journal: Journal) -> Iterator[int]:
    """How long each instance was a member that worked, for those that were detached."""
    joined = {entry["ec2InstanceId"]: entry["time_ms"] for entry in journal.of(Effect.INSTANCE_LAUNCHED)}
    for entry in journal.of(Effect.DETACH_INSTANCES):
        yield from (entry["time_ms"] - joined[each] for each in entry["ec2InstanceIds"])


def most_missing(journal: Journal) -> int:
    """How many instances were away at a time, from DRAINING until another one had registered."""
    missing = most = 0
    for entry in journal.entries:
        missing += entry["effect"] == Effect.CONTAINER_INSTANCE_STATE_CHANGE and entry["status"] == "DRAINING"
        missing = max(0, missing - (entry["effect"] == Effect.CONTAINER_INSTANCE_REGISTERED))
        most = max(most, missing)
    return most


def assert_a_fixed_group_renews_itself(
    policy: Policy, *, rounds: int, pause_minutes: int, least: int
) -> None:
    """Three instances get a task a round, every eighth time three; so many are replaced at `least`."""
    simulation = SimulationSettings(min_size=3, max_size=3, desired_capacity=3, run_ms=RUN_MS)
    service = VirtualService(simulation=simulation, policy=policy)
    for number in range(rounds):
        service.submit(3 if number % 8 == 0 else 1)
        service.let_pass(pause_minutes)
    assert service.finish(limit_minutes=45)
    journal, age_ms = service.account.journal, policy.instance_max_age_ms
    ages = [each / age_ms for each in lives_ms(journal)]
    assert len(ages) >= least
    assert min(ages) >= 0.9
    assert max(ages) <= 1.1 + 2 * RUN_MS[1] / age_ms
    assert most_missing(journal) == 1
    assert service.states() == {TaskState.SUCCEEDED: rounds + 2 * -(-rounds // 8)}
    assert {task.attempts[-1].number for task in service.tasks()} == {1}
    assert max(waits_ms(service)) <= policy.cluster_poll_ms
    assert len(detached(journal, decrement=False)) == len(ages)
    assert (harms(journal), lowered(journal), service.desired) == ([], [], 3)


def test_a_group_of_fixed_size_renews_itself_under_steady_load() -> None:
    """Each is replaced when it is old and its tasks have ended, one at a time; no task ever fails.

    For three ages, a task of up to half an hour every quarter of one and now and then three: what waits
    finds room at once.
    """
    assert_a_fixed_group_renews_itself(SELDOM, rounds=3 * 24, pause_minutes=15, least=6)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_a_group_of_fixed_size_renews_itself_for_thirty_days() -> None:
    """The same with instances that live for a week, as by default: every one is replaced four times."""
    policy = replace(SELDOM, instance_max_age_ms=Policy().instance_max_age_ms)
    assert_a_fixed_group_renews_itself(policy, rounds=30 * 4, pause_minutes=6 * 60, least=4 * 3)


def waits_ms(service: VirtualService) -> Iterator[int]:
    """From each request to the intent of its start."""
    return (task.attempts[-1].created_ms - task.submitted_ms for task in service.tasks())
