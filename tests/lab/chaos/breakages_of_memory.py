"""Breakages of what is kept: the order of commit and act, restarts, requests, readers and events."""

from collections.abc import Sequence
from dataclasses import replace

from scheduler.adapters.memory.requests import Refusal, Requests
from scheduler.adapters.memory.scaling import ScalingLog
from scheduler.adapters.memory.store import MemoryStore
from scheduler.bootstrap import Engine
from scheduler.core.model.answers import Message
from scheduler.core.model.calls import Call, StartTask
from scheduler.core.model.errors import Violation
from scheduler.core.model.records import (
    FactRecorded,
    IntentRecorded,
    Record,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.scaling import StoredScalingEvent
from scheduler.core.model.task import TERMINAL_STATES, Task, TaskEvent, TaskRequest, TaskState
from scheduler.core.placement.images import Images
from scheduler.core.validate import validate
from scheduler.core.world.attempts import Track
from scheduler.core.world.definitions import Definitions
from scheduler.core.world.disconnections import Disconnections
from scheduler.core.world.world import World
from scheduler.lab.virtual_driver import VirtualDriver
from scheduler.ports.store import RequestTaken, StoredState, TaskFilter
from scheduler.services.asking import Ask
from scheduler.services.control_loop import ControlLoop, Step
from tests.lab.chaos.breakages import Breakage, Patch


def act_before_the_intent(patch: Patch) -> None:
    """Calls are sent before their intents are durable."""
    begin, send = VirtualDriver._begin, VirtualDriver._send

    def eager(driver: VirtualDriver) -> Engine:
        engine = begin(driver)
        think = engine.loop.step

        def step(now_ms: int, messages: Sequence[Message | Ask]) -> Step:
            thought = think(now_ms, messages)
            for call in thought.calls:
                send(driver, call)
            return thought

        patch.setattr(engine.loop, "step", step)
        return engine

    def never(driver: VirtualDriver, call: Call) -> None:
        return

    patch.setattr(VirtualDriver, "_begin", eager)
    patch.setattr(VirtualDriver, "_send", never)


def start_again_what_was_open(patch: Patch) -> None:
    """After a restart what has no outcome is sent again, in place of being looked for."""
    real = World.resume

    def resume(world: World, track: Track, now_ms: int, *, since_ms: int, cancelled: bool) -> None:
        real(world, track, now_ms, since_ms=since_ms, cancelled=cancelled)
        attempt = track.attempt
        if attempt is not None and not attempt.ecs_task_arn:
            start = StartTask(
                attempt_id=attempt.attempt_id,
                task_id=attempt.task_id,
                container_instance_arn=attempt.container_instance_arn,
                task_definition_arn=attempt.task_definition_arn,
            )
            world.agenda.repeat(start, now_ms)

    patch.setattr(World, "resume", resume)


def forget_what_was_open(patch: Patch) -> None:
    """After a restart what has no outcome is not looked for."""
    real = World.resume

    def resume(world: World, track: Track, now_ms: int, *, since_ms: int, cancelled: bool) -> None:
        real(world, track, now_ms, since_ms=since_ms, cancelled=cancelled)
        if track.attempt is not None:
            world.agenda.searches.end(track.attempt.attempt_id)

    patch.setattr(World, "resume", resume)


def forget_cancellations_at_a_restart(patch: Patch) -> None:
    """What was cancelled and not yet asked to stop is not cancelled any more."""
    real = World.resume

    def resume(world: World, track: Track, now_ms: int, *, since_ms: int, cancelled: bool) -> None:
        real(world, track, now_ms, since_ms=since_ms, cancelled=False)

    patch.setattr(World, "resume", resume)


def forget_limits_at_a_restart(patch: Patch) -> None:
    """What ran already when the process began runs for as long as it likes."""
    real = World.resume

    def resume(world: World, track: Track, now_ms: int, *, since_ms: int, cancelled: bool) -> None:
        real(world, track, now_ms, since_ms=since_ms, cancelled=cancelled)
        if track.state is TaskState.RUNNING:
            world.deadlines.set(track.task.task_id, None)

    patch.setattr(World, "resume", resume)


def forget_removals_at_a_restart(patch: Patch) -> None:
    """What was under way is not gone on with."""
    real = ControlLoop.resume

    def resume(loop: ControlLoop, stored: StoredState, now_ms: int) -> None:
        real(loop, replace(stored, intents=()), now_ms)

    patch.setattr(ControlLoop, "resume", resume)


def leave_intents_open(patch: Patch) -> None:
    """An act that was under way when the process ended is decided anew, and its intent forgotten."""

    def close_intent(world: World, intent: IntentRecorded) -> None:
        return

    patch.setattr(World, "close_intent", close_intent)


def forget_what_is_starting(patch: Patch) -> None:
    """A task that is neither waiting nor running is not read from the store any more."""
    real = MemoryStore.load

    def load(store: MemoryStore) -> StoredState:
        stored = real(store)
        live = (each for each in stored.live if each.state is not TaskState.STARTING)
        return replace(stored, live=live)

    patch.setattr(MemoryStore, "load", load)


def forget_requests(patch: Patch) -> None:
    """A repeated request is a new task."""

    def none(requests: Requests, batches: Sequence[Sequence[Record]]) -> list[Refusal | None]:
        return [None for _ in batches]

    patch.setattr(Requests, "refusals", none)


def lose_an_event(patch: Patch) -> None:
    """A watch is resumed one revision late."""
    real = MemoryStore.events_after

    def later(store: MemoryStore, revision: int, limit: int) -> list[TaskEvent]:
        return real(store, revision + 1, limit)

    patch.setattr(MemoryStore, "events_after", later)


def lose_a_scaling_event(patch: Patch) -> None:
    """A watch of the scaling log is resumed one event late."""
    real = ScalingLog.after

    def later(log: ScalingLog, sequence: int, limit: int) -> list[StoredScalingEvent]:
        return real(log, sequence + 1, limit)

    patch.setattr(ScalingLog, "after", later)


def free_the_request_of_what_has_ended(patch: Patch) -> None:
    """Nobody repeats a request whose task is over."""
    real = MemoryStore._transition

    def transition(store: MemoryStore, record: TaskTransitioned) -> None:
        real(store, record)
        if record.state in TERMINAL_STATES:
            store._requests.forget(store._tasks[record.task_id])

    patch.setattr(MemoryStore, "_transition", transition)


def compare_a_request_with_itself(patch: Patch) -> None:
    """Whoever repeats a request is told that it is taken, with the fingerprint that he has sent."""
    real = Requests.refusals

    def refusals(requests: Requests, batches: Sequence[Sequence[Record]]) -> list[Refusal | None]:
        return [
            replace(refusal, fingerprint=batch[0].fingerprint)
            if isinstance(refusal, RequestTaken) and isinstance(batch[0], TaskSubmitted)
            else refusal
            for batch, refusal in zip(batches, real(requests, batches), strict=True)
        ]

    patch.setattr(Requests, "refusals", refusals)


def accept_whatever_comes(patch: Patch) -> None:
    """AWS will refuse what is wrong."""
    patch.setattr("scheduler.services.placement.validate", lambda request: ())


def refuse_the_unimportant(patch: Patch) -> None:
    """Priorities begin with 0."""

    def strict(request: TaskRequest) -> tuple[Violation, ...]:
        below = Violation(field_path="priority", expected="0 or more")
        return (*validate(request), below) if request.priority < 0 else validate(request)

    patch.setattr("scheduler.services.placement.validate", strict)


def list_the_first_page_alone(patch: Patch) -> None:
    """The limit is applied before the place in the list."""
    real = MemoryStore.list_tasks

    def list_tasks(store: MemoryStore, wanted: TaskFilter, after_task_id: str, limit: int) -> list[Task]:
        return [each for each in real(store, wanted, "", limit) if each.task_id > after_task_id]

    patch.setattr(MemoryStore, "list_tasks", list_tasks)


# ---- what is over


def keep_facts_for_ever(patch: Patch) -> None:
    """A fact that is taken back stays in the store."""
    real = MemoryStore._record_fact

    def record_fact(store: MemoryStore, fact: FactRecorded) -> None:
        if fact.value:
            real(store, fact)

    patch.setattr(MemoryStore, "_record_fact", record_fact)


def keep_spells_for_ever(patch: Patch) -> None:
    """What was written of an agent that is away is not taken back."""
    real = Disconnections._end

    def end(known: Disconnections, ec2_id: str) -> list[FactRecorded]:
        real(known, ec2_id)
        return []

    patch.setattr(Disconnections, "_end", end)


def remember_where_images_were(patch: Patch) -> None:
    """An instance that is gone is still known to have had an image."""
    patch.setattr(Images, "forget", lambda images, arn: None)


# ---- registrations


def register_what_is_under_way(patch: Patch) -> None:
    """A configuration that is being registered is registered once more."""
    patch.setattr(Definitions, "begin", lambda definitions, key: None)


TABLE = (
    Breakage(act_before_the_intent, ("a_task_is_started_once", "nothing_foreign_is_stopped")),
    Breakage(start_again_what_was_open, ("a_task_is_started_once",)),
    Breakage(forget_what_was_open, ("every_task_ends",)),
    Breakage(forget_cancellations_at_a_restart, ("what_is_cancelled_is_stopped",)),
    Breakage(forget_limits_at_a_restart, ("a_timeout_is_kept", "every_task_ends")),
    Breakage(forget_removals_at_a_restart, ("every_intent_is_resolved",)),
    Breakage(leave_intents_open, ("every_intent_is_resolved",)),
    Breakage(forget_what_is_starting, ("room_is_never_given_twice", "every_task_ends")),
    Breakage(forget_requests, ("requests_are_answered_alike",)),
    Breakage(lose_an_event, ("a_watch_sees_every_event_once",)),
    Breakage(lose_a_scaling_event, ("the_scaling_log_is_dense",)),
    Breakage(free_the_request_of_what_has_ended, ("no_accepted_task_is_lost",)),
    Breakage(compare_a_request_with_itself, ("a_changed_request_is_refused",)),
    Breakage(accept_whatever_comes, ("nothing_invalid_is_accepted",)),
    Breakage(refuse_the_unimportant, ("what_is_valid_is_accepted",)),
    Breakage(list_the_first_page_alone, ("readers_see_what_is_durable",)),
    Breakage(keep_facts_for_ever, ("nothing_is_held_in_the_end",)),
    Breakage(keep_spells_for_ever, ("facts_are_about_what_is",)),
    Breakage(remember_where_images_were, ("the_books_are_closed",)),
    Breakage(register_what_is_under_way, ("a_configuration_is_registered_once",)),
)
