"""Every invariant can fail: a breakage of the real code breaks it, or else a story that is told here.

Each story is told twice: as it must not be, and as near to that as it may be.
"""

from collections.abc import Collection
from dataclasses import replace

from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.facts import pair_fact, revision_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded, IntentRecorded, IntentState
from scheduler.core.model.removal import REMOVE, RemovalCause, removal_text
from scheduler.core.model.reservation import Pieces, Reservation, reservation_fact
from scheduler.core.model.revision import DAY_MS, Revision
from scheduler.core.model.task import TaskState, Timeouts
from scheduler.lab.chaos import invariants
from scheduler.lab.chaos.truth import Origin
from scheduler.simulated_aws.journal import Effect
from tests.builders import (
    REGULAR,
    a_removal,
    attempt,
    cancel_requested,
    ec2_id,
    instance_arn,
    submitted,
    task_id,
    transitioned,
)
from tests.clocks import START_MS
from tests.lab.chaos.breakages import recorded
from tests.lab.chaos.breakages_table import BREAKAGES
from tests.lab.chaos.scenes import FAILING, JUDGES, THEIRS, Case, Story, fails, revision_tags, task_arn

DEFINITION_ARN = attempt().task_definition_arn


def seen_to_fail() -> set[str]:
    """Of several invariants that a breakage names nobody knows which tells of it: these do not count."""
    by_breakages = {BREAKAGES[name].invariants for name in recorded()}
    return {names[0] for names in by_breakages if len(names) == 1} | FAILING.keys()


def unseen(names: Collection[str]) -> set[str]:
    """Those of which nobody knows that they can fail."""
    return set(names) - seen_to_fail()


def test_every_invariant_was_seen_to_fail() -> None:
    """One that never complains is worth nothing, and looks like one that holds."""
    known = {name for name, _ in invariants.sentences()}
    assert {"a_task_is_started_once", "budgets_are_kept", "the_books_are_closed"} <= known
    assert known >= invariants.OF_CLIENTS.keys()
    assert unseen({*known, "nobody_has_written_this"}) == {"nobody_has_written_this"}


def test_every_story_is_a_test() -> None:
    """None is told without being judged, nor of what is no invariant."""
    assert FAILING.keys() <= dict(invariants.sentences()).keys()
    assert all(globals().get(each.__name__) is each for each in FAILING.values())
    assert all(each.__name__.startswith("test_") and each.__doc__ for each in FAILING.values())


# ---- at each effect


@fails("the_group_kills_no_work")
def test_the_group_takes_what_is_at_work() -> tuple[Case, Case]:
    """Of its own choice; beside it, as it was found unhealthy."""
    chosen, replaced = Story().joins().starts(), Story().joins().starts()
    replaced.happens(Effect.INSTANCE_UNHEALTHY, Origin.MISHAP, ec2InstanceId=ec2_id(1))
    chosen_one, other = (
        each.judged(each.entry(Effect.INSTANCE_TERMINATING, Origin.AWS, ec2InstanceId=ec2_id(1)))
        for each in (chosen, replaced)
    )
    return chosen_one, other


@fails("what_is_cancelled_is_not_started")
def test_what_was_cancelled_is_started() -> tuple[Case, Case]:
    """A minute later; beside it, so soon that the start may have been under way."""
    late, soon = (Story().joins().commits(submitted(1), cancel_requested(1)) for _ in range(2))
    return late.judged(late.later(61).start()), soon.judged(soon.later(59).start())


@fails("only_ours_is_deregistered")
def test_a_revision_of_others_is_deregistered() -> tuple[Case, Case]:
    """One that another service has registered; beside it, our own."""

    def deregistered(service_id: str) -> Case:
        story = Story().happens(
            Effect.REGISTER_TASK_DEFINITION, taskDefinitionArn=DEFINITION_ARN, tags=revision_tags(service_id)
        )
        return story.judged(story.entry(Effect.DEREGISTER_TASK_DEFINITION, taskDefinitionArn=DEFINITION_ARN))

    return deregistered("another"), deregistered("chaos")


@fails("only_lost_agents_are_deregistered")
def test_who_is_connected_is_deregistered() -> tuple[Case, Case]:
    """While its agent is there; beside it, when that has gone."""

    def deregistered(*, connected: bool) -> Case:
        arn = instance_arn(1)
        story = Story().joins()
        story.happens(
            Effect.AGENT_CONNECTION_CHANGE, Origin.AWS, containerInstanceArn=arn, agentConnected=connected
        )
        return story.judged(story.entry(Effect.CONTAINER_INSTANCE_DEREGISTERED, containerInstanceArn=arn))

    return deregistered(connected=True), deregistered(connected=False)


@fails("nothing_wanted_is_stopped")
def test_what_is_wanted_is_stopped() -> tuple[Case, Case]:
    """Though nobody wished it; beside it, as its client has cancelled it."""

    def stopped(story: Story) -> Case:
        return story.judged(story.entry(Effect.STOP_TASK, taskArn=task_arn(attempt())))

    wanted, cancelled = (running() for _ in range(2))
    return stopped(wanted), stopped(cancelled.commits(cancel_requested(1)))


# ---- at each call


@fails("budgets_are_kept")
def test_a_bucket_is_overdrawn() -> tuple[Case, Case]:
    """By one call more than its burst; beside it, once a token has come back: 40 do in a second."""

    def one_more(after_s: float) -> Case:
        story = Story()
        for _ in range(100):
            assert JUDGES["budgets_are_kept"](*story.called("StartTask")) is None
        return story.later(after_s).called("StartTask")

    return one_more(0.024), one_more(0.025)


@fails("an_unproven_pair_is_left_alone")
def test_an_instance_is_touched_before_the_pair_is_proven() -> tuple[Case, Case]:
    """It is drained; beside it, once a member was seen in the cluster."""

    def drained(story: Story) -> Case:
        arn = instance_arn(1)
        return story.judged(story.entry(Effect.CONTAINER_INSTANCE_STATE_CHANGE, containerInstanceArn=arn))

    return drained(Story()), drained(Story().joins().commits(pair_fact("ci", "ci-agents")))


@fails("the_later_scheduler_waits")
def test_the_later_scheduler_acts() -> tuple[Case, Case]:
    """While a task of the earlier one shows; beside it, when that has stopped."""

    def acts(status: str) -> Case:
        story = Story().joins().starts(epoch=THEIRS)
        story.scene.began_ms = story.later(10).now_ms
        return story.later(102).is_now(status).called("StartTask")

    return acts("RUNNING"), acts("STOPPED")


# ---- at each step


@fails("absence_proves_little")
def test_two_that_never_joined_are_ended() -> tuple[Case, Case]:
    """Of a group of four, within ten minutes; beside it, ten minutes apart."""

    def ended(pause_s: float) -> Case:
        first, second = (removal_of(each, RemovalCause.NEVER_JOINED) for each in (1, 2))
        return Story().commits(first).later(pause_s).commits(second).stepped()

    return ended(599), ended(600)


@fails("few_are_taken_for_black_holes")
def test_one_black_hole_goes_right_after_the_other() -> tuple[Case, Case]:
    """Before the pause between the two is over; beside it, then."""
    pause_s = Policy().quarantine_pause_ms / 1_000

    def taken(after_s: float) -> Case:
        first, second = (removal_of(each, RemovalCause.BLACK_HOLE) for each in (1, 2))
        gone = IntentRecorded(kind=REMOVE, key=ec2_id(1), state=IntentState.DONE)
        return Story().later(1).commits(first).commits(gone).later(after_s).stepped(second)

    return taken(pause_s - 1), taken(pause_s)


@fails("tenants_reserve_within_their_cap")
def test_a_tenant_reserves_too_much() -> tuple[Case, Case]:
    """With two builds together one piece more than it may; beside it, just as many."""
    return (
        Story().commits(reserved("PLAN-A", 400), reserved("PLAN-B", 101)).stepped(),
        Story().commits(reserved("PLAN-A", 400), reserved("PLAN-B", 100)).stepped(),
    )


# ---- at the end


@fails("no_accepted_task_is_lost")
def test_what_was_answered_is_not_there() -> tuple[Case, Case]:
    """A client was told of a task that its request has not become; beside it, of the one that it has."""

    def told(number: int) -> Case:
        story = Story().commits(submitted(1)).commits(submitted(2))
        story.scene.book.answers["bamboo", "request-1"] = task_id(number)
        return story.ended()

    return told(2), told(1)


@fails("nothing_runs_on")
def test_a_task_runs_on() -> tuple[Case, Case]:
    """It was told as ended; beside it, its start had been given up."""
    ended, given_up = running(), running()
    ended.commits(transitioned(1, TaskState.CANCELLED, TaskState.RUNNING))
    given_up.later(61).commits(
        transitioned(1, TaskState.CANCELLED, TaskState.RUNNING, attempt=attempt(state=AttemptState.ABANDONED))
    )
    return ended.ended(), given_up.ended()


@fails("nothing_ends_before_its_task")
def test_a_task_ends_before_its_ecs_task() -> tuple[Case, Case]:
    """It was told as ended, and STOPPED a second later; beside it, at once."""

    def ended(after_s: float) -> Case:
        story = running().commits(transitioned(1, TaskState.CANCELLED, TaskState.RUNNING))
        return story.later(after_s).is_now("STOPPED").ended()

    return ended(1), ended(0)


@fails("an_end_is_told_as_it_was")
def test_a_task_is_cancelled_by_nobody() -> tuple[Case, Case]:
    """No client has asked for it; beside it, one has."""
    cancelled = transitioned(1, TaskState.CANCELLED)
    return (
        Story().commits(submitted(1), cancelled).ended(),
        Story().commits(submitted(1), cancel_requested(1), cancelled).ended(),
    )


@fails("a_timeout_is_kept")
def test_a_task_waits_for_too_long() -> tuple[Case, Case]:
    """An hour longer than it may; beside it, as long as nobody was there to see."""

    def expired(down_s: float) -> Case:
        story = Story().commits(submitted(1, timeouts=Timeouts(queue_ms=60_000)))
        back_ms = story.later(down_s).now_ms
        story.scene.lives = [[START_MS, START_MS + 1], [back_ms, back_ms + 7_200_000]]
        story.later(3_660 - down_s)
        return story.commits(transitioned(1, TaskState.EXPIRED, at_ms=story.now_ms)).ended()

    return expired(1), expired(3_600)


def test_a_start_that_was_lost_gives_more_time_once() -> None:
    """And each one that failed gives some: five minutes from when the task was back in the queue."""

    def expires(after_s: float, *ends: AttemptState) -> str:
        story = Story().commits(submitted(1, timeouts=Timeouts(queue_ms=60_000)))
        for number, state in enumerate(ends, start=1):
            now_ms, opened = story.later(600).now_ms, attempt(number=number)
            back = replace(opened, state=state, stopped_ms=now_ms)
            story.commits(transitioned(1, TaskState.ASSIGNED, at_ms=now_ms, attempt=opened))
            story.commits(transitioned(1, TaskState.QUEUED, TaskState.ASSIGNED, at_ms=now_ms, attempt=back))
        story.commits(transitioned(1, TaskState.EXPIRED, at_ms=story.later(after_s).now_ms))
        return JUDGES["no_timeout_comes_early"](*story.ended()) or ""

    lost, failed = AttemptState.ABANDONED, AttemptState.ENDED
    assert expires(0, lost)
    assert expires(299, lost, failed)
    assert not expires(300, lost)
    assert not expires(300, lost, failed)
    assert not expires(0, lost, lost)
    assert not expires(0, AttemptState.DEFINITE_FAILURE)


@fails("every_event_is_told_in_order")
def test_a_task_leaps() -> tuple[Case, Case]:
    """From the queue to its success; beside it, to an instance."""
    return (
        Story().commits(submitted(1), transitioned(1, TaskState.SUCCEEDED)).ended(),
        Story().commits(submitted(1), transitioned(1, TaskState.ASSIGNED)).ended(),
    )


@fails("what_is_of_no_use_goes")
def test_a_revision_of_no_use_is_left() -> tuple[Case, Case]:
    """Nobody has wanted it for 32 days; beside it, a task did just now."""
    story = Story()
    old = Revision(arn=DEFINITION_ARN, definition_key="definition-1", used_day=story.now_ms // DAY_MS - 32)
    left, wanted = (Story().commits(revision_fact(old)) for _ in range(2))
    return left.ended(), wanted.commits(submitted(1)).ended()


@fails("nothing_is_held_in_the_end")
def test_a_reservation_is_left() -> tuple[Case, Case]:
    """It is still in the store; beside it, it was taken back."""
    held = reserved("PLAN-A", 1)
    given_back = FactRecorded(key=held.key, value="")
    return Story().commits(held).ended(), Story().commits(held).commits(given_back).ended()


# ---- what the stories are made of


def running() -> Story:
    """Task 1 runs on instance 1."""
    opened, known = attempt(), started()
    return (
        Story()
        .joins()
        .commits(submitted(1), transitioned(1, TaskState.ASSIGNED, attempt=opened))
        .starts()
        .commits(transitioned(1, TaskState.RUNNING, TaskState.ASSIGNED, attempt=known))
    )


def started() -> Attempt:
    """The first attempt of task 1, whose ECS task is known."""
    return attempt(state=AttemptState.STARTED, ecs_task_arn=task_arn(attempt()))


def removal_of(number: int, cause: RemovalCause) -> IntentRecorded:
    """The removal of an instance begins."""
    text = removal_text(a_removal(number, cause=cause))
    return IntentRecorded(kind=REMOVE, key=ec2_id(number), state=IntentState.OPEN, payload=text)


def reserved(build_key: str, count: int) -> FactRecorded:
    """A reservation that stands, of so many pieces of which none is used."""
    return reservation_fact(
        Reservation(
            tenant="bamboo",
            build_key=build_key,
            result_ids=tuple(f"{build_key}-{each}" for each in range(count)),
            pieces=(Pieces(ask=REGULAR, count=count),),
            at_ms=Story().now_ms,
            expires_ms=Story().now_ms + 600_000,
            place=1,
        )
    )
