"""The fault machine bites: each of these breakages of the real code is found within 300 seeds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.memory.requests import Refusal, Requests
from scheduler.adapters.memory.store import MemoryStore
from scheduler.core import decide
from scheduler.core.lifecycle import reconcile, removal
from scheduler.core.model.answers import EcsTask
from scheduler.core.model.attempt import StopReason
from scheduler.core.model.calls import Call
from scheduler.core.model.evidence import AttemptEvidence
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import Record
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.task import TaskEvent
from scheduler.core.view import ClusterView
from scheduler.core.world.disconnections import Disconnections
from scheduler.core.world.ledger import Ledger
from scheduler.lab.chaos import invariants
from scheduler.lab.chaos.pool import verdicts
from scheduler.ports.cloud import CloudError, TaskLaunch
from scheduler.ports.store import StoredState
from scheduler.services.control_loop import ControlLoop

MOST_SEEDS = 300

Patch = pytest.MonkeyPatch


def start_again_when_unanswered(patch: Patch) -> None:
    """What the default retries of an AWS SDK do."""
    once = AwsCloud.start_task

    def start_task(cloud: AwsCloud, launch: TaskLaunch) -> EcsTask:
        try:
            return once(cloud, launch)
        except CloudError:
            return once(cloud, launch)

    patch.setattr(AwsCloud, "start_task", start_task)


def abandon_at_once(patch: Patch) -> None:
    """One search that finds nothing is enough."""
    real = reconcile.reconcile

    def hasty(evidence: AttemptEvidence, now_ms: int, policy: Policy) -> reconcile.Change | None:
        return real(evidence, now_ms, replace(policy, visibility_window_ms=0))

    patch.setattr(decide, "reconcile", hasty)


def forget_what_is_taken(patch: Patch) -> None:
    """Room is what ECS says it is."""
    patch.setattr(Ledger, "record", lambda ledger, attempt, ask, state: None)


def lose_patience_with_agents(patch: Patch) -> None:
    """An agent that is away is lost."""
    patch.setattr(Disconnections, "is_lost", lambda known, ec2_id: known.since_ms(ec2_id) is not None)


def lower_desired(patch: Patch) -> None:
    """The group is told to be smaller first."""
    real = AwsCloud.detach

    def detach(cloud: AwsCloud, group: str, ids: tuple[str, ...], *, decrement: bool) -> None:
        if decrement:
            cloud.set_desired_capacity(group, cloud.group(group).desired - len(ids))
        real(cloud, group, ids, decrement=False)

    patch.setattr(AwsCloud, "detach", detach)


def ask_for_one_more(patch: Patch) -> None:
    """The sum of lacking capacity, and one."""
    real = AwsCloud.set_desired_capacity

    def generous(cloud: AwsCloud, group: str, desired: int) -> None:
        real(cloud, group, desired + 1)

    patch.setattr(AwsCloud, "set_desired_capacity", generous)


def act_while_held(patch: Patch) -> None:
    """Whatever is due is sent."""

    def always(view: ClusterView, call: Call) -> bool:
        return True

    patch.setattr(decide, "_may_be_sent", always)


def leave_the_detached_running(patch: Patch) -> None:
    """What the group has let go is gone."""

    def rule(evidence: removal.RemovalEvidence) -> removal.Turn:
        gone = evidence.lifecycle_state is None
        return removal.Ended(removal=evidence.removal, gone=True, message="") if gone else None

    patch.setitem(removal.RULES, RemovalStep.DETACHING, (rule,))


def forget_removals_at_a_restart(patch: Patch) -> None:
    """What was under way is not gone on with."""
    real = ControlLoop.resume

    def resume(loop: ControlLoop, stored: StoredState, now_ms: int) -> None:
        real(loop, replace(stored, intents=()), now_ms)

    patch.setattr(ControlLoop, "resume", resume)


def forget_requests(patch: Patch) -> None:
    """A repeated request is a new task."""

    def none(requests: Requests, batches: Sequence[Sequence[Record]]) -> list[Refusal | None]:
        return [None for _ in batches]

    patch.setattr(Requests, "refusals", none)


def lose_an_event(patch: Patch) -> None:
    """A watch begins after the first event."""
    real = MemoryStore.events_after

    def later(store: MemoryStore, revision: int, limit: int) -> list[TaskEvent]:
        return real(store, revision + 1, limit)

    patch.setattr(MemoryStore, "events_after", later)


def call_everything_a_success(patch: Patch) -> None:
    """Whoever stops has succeeded."""

    def always(stop: StopReason, main: str) -> bool:
        return True

    patch.setattr(reconcile, "succeeded", always)


class Mutation(NamedTuple):
    """A breakage, the invariant that is to tell of it, and the first seed known to find it.

    Other seeds find it too. If `draw` changes, look for one again: `verdicts(range(1, 301), jobs=1)`.
    """

    breaks: Callable[[Patch], None]
    invariant: str
    seed: int


MUTATIONS = (
    Mutation(start_again_when_unanswered, "a_task_is_started_once", 21),
    Mutation(abandon_at_once, "a_task_is_started_once", 255),
    Mutation(forget_what_is_taken, "room_is_never_given_twice", 2),
    Mutation(lose_patience_with_agents, "no_busy_instance_goes", 22),
    Mutation(lower_desired, "desired_is_only_raised", 3),
    Mutation(ask_for_one_more, "limits_are_kept", 3),
    Mutation(act_while_held, "what_is_held_is_left_alone", 1),
    Mutation(leave_the_detached_running, "the_group_comes_down", 3),
    Mutation(forget_removals_at_a_restart, "every_intent_is_resolved", 9),
    Mutation(forget_requests, "requests_are_answered_alike", 1),
    Mutation(lose_an_event, "every_event_is_told_in_order", 2),
    Mutation(call_everything_a_success, "success_is_an_exit_with_0", 2),
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.breaks.__name__)
def test_a_broken_service_is_found_out(mutation: Mutation, monkeypatch: Patch) -> None:
    """Its seed tells what was broken, by the invariant that is there to tell."""
    monkeypatch.setattr("scheduler.lab.chaos.run.PATIENCE_S", 600)
    mutation.breaks(monkeypatch)
    (verdict,) = verdicts([mutation.seed], jobs=1)
    assert verdict.invariant == mutation.invariant, verdict.message


def test_every_expected_invariant_exists() -> None:
    """The table speaks of invariants by the names under which they are told."""
    known = {name for name, _ in invariants.sentences()}
    assert {each.invariant for each in MUTATIONS} <= known
    assert all(each.seed <= MOST_SEEDS for each in MUTATIONS)
