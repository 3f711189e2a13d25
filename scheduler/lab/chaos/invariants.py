"""The invariants: what never happens, each a named function whose first line is the sentence.

Each returns what is wrong, in one line, or None. `ON_EFFECT` judges an entry of the account's journal while
the truth still is as it was before it; `ON_CALL` a call before it is made; `ON_STEP` a step of the loop;
`AT_END` the run once everything had its time, `AFTERWARDS` a while later. What the service believes is called
*book*, what the account knows *truth*.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from scheduler.core.lifecycle.transitions import EDGES
from scheduler.core.model.calls import ACTS, CAPACITY_ACTS
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TERMINAL_STATES, TaskEvent, TaskState
from scheduler.lab.chaos.rules_of_causes import (
    an_end_is_told_as_it_was,
    is_findable,
    launches_are_used_up,
    nothing_ends_before_its_task,
    nothing_fails_without_a_cause,
    nothing_runs_twice,
    nothing_wanted_is_stopped,
    what_is_cancelled_is_not_started,
)
from scheduler.lab.chaos.rules_of_definitions import (
    a_configuration_is_registered_once,
    nothing_of_use_is_deregistered,
    nothing_wanted_is_deregistered,
    only_ours_is_deregistered,
    what_is_of_no_use_goes,
)
from scheduler.lab.chaos.rules_of_growth import (
    desired_is_only_raised,
    limits_are_kept,
    no_more_is_bought_than_is_wanted,
)
from scheduler.lab.chaos.rules_of_manners import (
    READS_BEGIN,
    absence_proves_little,
    budgets_are_kept,
    facts_are_about_what_is,
    the_books_are_closed,
    the_later_scheduler_waits,
    zones_are_left_alone,
)
from scheduler.lab.chaos.rules_of_neighbours import nobody_shares_with_an_exclusive_task
from scheduler.lab.chaos.rules_of_removals import (
    a_mass_failure_ends_nobody,
    an_unproven_pair_is_left_alone,
    no_busy_instance_goes,
    no_fresh_instance_goes,
    only_lost_agents_are_deregistered,
    the_group_kills_no_work,
)
from scheduler.lab.chaos.rules_of_reservations import (
    a_place_is_used_once,
    a_reservation_ends_in_time,
    held_room_is_not_given_away,
    nothing_is_held_in_the_end,
    tenants_reserve_within_their_cap,
)
from scheduler.lab.chaos.rules_of_starts import (
    a_black_hole_is_found,
    few_are_taken_for_black_holes,
    no_black_hole_without_failures,
)
from scheduler.lab.chaos.rules_of_stops import strays_are_stopped, what_is_cancelled_is_stopped
from scheduler.lab.chaos.rules_of_timeouts import a_timeout_is_kept, no_timeout_comes_early
from scheduler.lab.chaos.scene import EVERYTHING, Ending, Scene
from scheduler.lab.chaos.truth import Entry, Origin
from scheduler.ports.store import TaskFilter
from scheduler.services.control_loop import Step
from scheduler.simulated_aws.journal import Effect

# ---- at each effect


def a_task_is_started_once(scene: Scene, entry: Entry) -> str | None:
    """No task is started while it runs already, unless no search within the window could find that.

    A start that was given up may come late, and so may one that a restored store has forgotten.
    """
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE:
        return None
    attempt_id = entry.fields["startedBy"]
    task_id = entry.fields["tags"]["ecs-scheduler:task"]
    given_up = attempt_id in scene.book.given_up.keys() | scene.book.forgotten
    for each in scene.truth.tasks.values():
        if each.attempt_id == attempt_id:
            return f"attempt {attempt_id} of {task_id} was started twice"
        known = each.epoch == scene.book.epoch and each.attempt_id not in scene.book.forgotten
        if each.task_id == task_id and each.alive and known and is_findable(scene, each) and not given_up:
            return f"{task_id} is started while {each.arn} is {each.status}"
    return None


def room_is_never_given_twice(scene: Scene, entry: Entry) -> str | None:
    """What was started on an instance and has not stopped never asks for more than it registered.

    A start that was given up may come late.
    """
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE:
        return None
    if entry.fields["startedBy"] in scene.book.given_up:
        return None
    arn, asks = entry.fields["containerInstanceArn"], scene.book.asks
    alive = [each for each in scene.truth.tasks.values() if each.alive and each.container_instance_arn == arn]
    ids = [each.task_id for each in alive if scene.believed(each)]
    new = entry.fields["tags"]["ecs-scheduler:task"]
    taken = sum((asks.get(each, NOTHING) for each in [*ids, new]), NOTHING)
    registered = scene.truth.registered(arn)
    return None if taken.fits_in(registered) else f"{arn} has {registered} and is to hold {taken}"


def nothing_foreign_is_stopped(scene: Scene, entry: Entry) -> str | None:
    """Nothing is stopped that this store did not start.

    But by what had left the process when it was killed and its store lost.
    """
    if entry.effect != Effect.STOP_TASK or entry.origin is not Origin.SERVICE:
        return None
    task = scene.truth.tasks[entry.fields["taskArn"]]
    return (
        None
        if task.epoch == scene.book.epoch or (task.epoch and entry.posthumous)
        else f"{task.arn} of {task.epoch or 'nobody'} is stopped"
    )


# ---- at each step


def what_is_held_is_left_alone(scene: Scene, step: Step) -> str | None:
    """While something holds the service it does nothing that this hold forbids."""
    hold = step.view.upkeep.hold
    if hold is None:
        return None
    forbidden = ACTS if hold.everything else CAPACITY_ACTS
    act = next((each for each in step.calls if isinstance(each, forbidden)), None)
    return f"{act} while held by {hold.reason}" if act else None


def nothing_is_done_when_observing(
    scene: Scene, operation: str, params: Mapping[str, Any], now_ms: int
) -> str | None:
    """A service that only observes changes nothing in the account."""
    if not scene.plan.tuning.observe_only or operation.startswith(READS_BEGIN):
        return None
    return f"{operation} is called"


# ---- at the end


def every_task_ends(scene: Scene, ending: Ending) -> str | None:
    """Once the mishaps are over every task comes to its end."""
    left = {key: state for key, state in scene.book.states.items() if state not in TERMINAL_STATES}
    return f"{len(left)} have not ended: {_few(left)}" if left else None


def no_accepted_task_is_lost(scene: Scene, ending: Ending) -> str | None:
    """Every task that a client was told of is there, under the request that it was accepted for."""
    for (tenant, request_id), task_id in scene.book.answers.items():
        found = ending.store.find_request(tenant, request_id)
        if found is None or found.task_id != task_id or ending.store.get(task_id) is None:
            return f"{task_id} of {tenant} was answered and is {found}"
    return None


def success_is_an_exit_with_0(scene: Scene, ending: Ending) -> str | None:
    """A task succeeded only if its agent exited by itself, with 0."""
    good = {each.task_id for each in scene.truth.tasks.values() if each.exited and each.exit_code == 0}
    for task_id, state in scene.book.states.items():
        if state is TaskState.SUCCEEDED and task_id not in good:
            return f"{task_id} is SUCCEEDED and nothing of it exited with 0"
    return None


def nothing_runs_on(scene: Scene, ending: Ending) -> str | None:
    """When a task has ended, no ECS task of it runs any more, but for a start that was given up."""
    for each in scene.truth.tasks.values():
        ended = scene.book.states.get(each.task_id) in TERMINAL_STATES
        if (
            ended
            and each.alive
            and scene.believed(each)
            and each.container_instance_arn in scene.truth.statuses
        ):
            return f"{each.task_id} is {scene.book.states[each.task_id]} and {each.arn} is {each.status}"
    return None


def every_intent_is_resolved(scene: Scene, ending: Ending) -> str | None:
    """No intent stays open, but for a removal that waits for the end of what others run on its instance."""
    others = scene.worked_on_by_others()
    intents = [
        f"{each.kind} {each.key} {each.payload}"
        for each in ending.store.load().intents
        if each.key not in others
    ]
    return f"{len(intents)} are open: {intents[0]}" if intents else None


def has_joined(scene: Scene, instances: list[dict[str, Any]]) -> bool:
    """Whether a member of the group was ever in the cluster, in this store's life; by the account's rows."""
    return scene.book.proven or any(each["groupState"] and each["containerInstances"] for each in instances)


def the_group_comes_down(scene: Scene, ending: Ending) -> str | None:
    """An idle group comes to its floor, all of it at work, and no instance is left running outside it.

    Unless no member ever joined the cluster in this store's life: the settings may be wrong, nothing is done.
    By a clock that is far ahead who never joins looks old enough to have: that is told.
    """
    if ending.settled or scene.plan.tuning.observe_only or not has_joined(scene, ending.instances):
        return None
    far_ahead = max(scene.errors_ms) >= Policy().never_joined_until_ms
    if far_ahead and "INSTANCES_NEVER_JOIN" in ending.conditions:
        return None
    rows = [
        f"{each['ec2InstanceId']} {each['groupState']} connected={each['agentConnected']}"
        for each in ending.instances
        if each["state"] == "running" and each["ec2InstanceId"] not in ending.inherited
    ]
    limits, conditions = scene.truth.limits[-1][1:], dict(ending.conditions)
    return f"desired {scene.truth.desired}, limits {limits}, conditions {conditions}, {rows}"


def every_event_is_told_in_order(scene: Scene, ending: Ending) -> str | None:
    """A watch from the beginning sees every change of every task once, in order, along edges that exist."""
    events = ending.store.events_after(0, EVERYTHING)
    revisions = [each.revision for each in events]
    if revisions != list(range(1, len(events) + 1)) or ending.store.revision() != len(events):
        return f"revisions are not dense up to {ending.store.revision()}: {revisions[:5]}..."
    states: dict[str, TaskState] = {}
    for event in events:
        if wrong := _edge(scene, states, event):
            return wrong
    final = {
        each.task_id: each.status.state for each in ending.store.list_tasks(TaskFilter(), "", EVERYTHING)
    }
    return None if final == states else "the events do not lead to the present states"


def _edge(scene: Scene, states: dict[str, TaskState], event: TaskEvent) -> str | None:
    task, before = event.task, states.get(event.task.task_id)
    states[task.task_id] = after = task.status.state
    legal = after in EDGES[before] if before else after is TaskState.QUEUED
    if before is TaskState.RUNNING and after is TaskState.QUEUED:
        legal = task.task_id in scene.book.may_run_again
    if before is event.previous_state and legal:
        return None
    return f"revision {event.revision} of {task.task_id}: {before} -> {after}, told as {event.previous_state}"


def the_scaling_log_is_dense(scene: Scene, ending: Ending) -> str | None:
    """Scaling events are numbered from 1 without a gap, and never go back in time.

    Unless a clock was set. A launch that has failed is told later, with the time at which it did.
    """
    events = ending.store.scaling_events_after(0, EVERYTHING)
    numbers = [each.sequence for each in events]
    if numbers != list(range(1, len(events) + 1)):
        return f"sequences are {numbers[:5]}..."
    own = [each.event for each in events if each.event.kind is not ScalingKind.LAUNCH_FAILED]
    back = next((each for each in pairwise(own) if each[1].at_ms < each[0].at_ms), None)
    return f"{back[1]} comes after {back[0]}" if back and len(scene.errors_ms) == 1 else None


def _few(left: Mapping[str, TaskState]) -> str:
    return ", ".join(f"{key} {state}" for key, state in list(left.items())[:3])


OnEffect = Callable[[Scene, Entry], str | None]
OnCall = Callable[[Scene, str, Mapping[str, Any], int], str | None]
OnStep = Callable[[Scene, Step], str | None]
AtEnd = Callable[[Scene, Ending], str | None]

ON_EFFECT: tuple[OnEffect, ...] = (
    a_task_is_started_once,
    room_is_never_given_twice,
    nobody_shares_with_an_exclusive_task,
    no_busy_instance_goes,
    only_lost_agents_are_deregistered,
    nothing_foreign_is_stopped,
    nothing_wanted_is_stopped,
    desired_is_only_raised,
    the_group_kills_no_work,
    nothing_runs_twice,
    what_is_cancelled_is_not_started,
    no_fresh_instance_goes,
    an_unproven_pair_is_left_alone,
    a_mass_failure_ends_nobody,
    a_configuration_is_registered_once,
    only_ours_is_deregistered,
    nothing_of_use_is_deregistered,
    a_black_hole_is_found,
)
ON_CALL: tuple[OnCall, ...] = (
    limits_are_kept,
    nothing_is_done_when_observing,
    budgets_are_kept,
    the_later_scheduler_waits,
)
ON_STEP: tuple[OnStep, ...] = (
    what_is_held_is_left_alone,
    absence_proves_little,
    nothing_wanted_is_deregistered,
    a_place_is_used_once,
    a_reservation_ends_in_time,
    tenants_reserve_within_their_cap,
    held_room_is_not_given_away,
    few_are_taken_for_black_holes,
    no_black_hole_without_failures,
    no_more_is_bought_than_is_wanted,
)
AT_END: tuple[AtEnd, ...] = (
    every_task_ends,
    every_intent_is_resolved,
    no_accepted_task_is_lost,
    success_is_an_exit_with_0,
    nothing_runs_on,
    nothing_ends_before_its_task,
    nothing_fails_without_a_cause,
    an_end_is_told_as_it_was,
    launches_are_used_up,
    no_timeout_comes_early,
    a_timeout_is_kept,
    the_group_comes_down,
    every_event_is_told_in_order,
    the_scaling_log_is_dense,
    zones_are_left_alone,
    what_is_of_no_use_goes,
    nothing_is_held_in_the_end,
    what_is_cancelled_is_stopped,
    strays_are_stopped,
)
AFTERWARDS: tuple[AtEnd, ...] = (the_books_are_closed, facts_are_about_what_is)


OF_CLIENTS = {
    "requests_are_answered_alike": "A request that is repeated is answered with the task that it became.",
    "nothing_invalid_is_accepted": "A request that breaks a rule is refused.",
    "what_is_valid_is_accepted": "A request that breaks no rule is not refused as invalid.",
    "a_changed_request_is_refused": "Another request under a taken id is told what it stands for.",
    "readers_see_what_is_durable": "GetTask and ListTasks show every accepted task in its present state.",
    "a_watch_sees_every_event_once": "A watch that breaks and is resumed sees every event once, in order.",
    "tails_show_every_line_once": "Who follows a task's logs gets every line once, in order, and an end.",
    "tails_leave_nothing": "When all tails have ended nothing of them is left.",
    "the_service_never_fails": "No exception leaves the service.",
}
"""Invariants that are judged where clients are answered, and where the run is played."""


def sentences() -> Iterator[tuple[str, str]]:
    """Every invariant by its name, with its sentence."""
    for each in (*ON_EFFECT, *ON_CALL, *ON_STEP, *AT_END, *AFTERWARDS):
        yield each.__name__, (each.__doc__ or "").splitlines()[0]
    yield from OF_CLIENTS.items()
