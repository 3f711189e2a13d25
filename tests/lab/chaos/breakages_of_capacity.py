"""Breakages of what is done about capacity: the group's size, removals and interlocks."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core import decide
from scheduler.core.autoscaling import limits, scale_up
from scheduler.core.lifecycle import removal
from scheduler.core.model.calls import Call
from scheduler.core.model.group import Capacity, InstanceGroup
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import Hold, Limits, ScaleWish
from scheduler.core.view import ClusterView
from scheduler.core.world import removals, upkeep
from scheduler.core.world.agenda import Agenda
from scheduler.core.world.arrivals import Arrivals
from scheduler.core.world.disconnections import Disconnections
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.interlocks import MassFailure, Replacements
from scheduler.core.world.parts import Parts
from scheduler.services.group_writer import GroupWriter
from tests.lab.chaos.breakages import Breakage, Patch

# ---- the group's size


def lower_desired(patch: Patch) -> None:
    """The group is told to be smaller first, and chooses who goes."""
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


def forget_what_was_written(patch: Patch) -> None:
    """Each call has a writer of its own, which believes readings that are older than the last act."""
    patch.setattr(GroupWriter, "_recent", lambda writer, wrote: 0)


def overlook_the_maximum(patch: Patch) -> None:
    """The group may be as large as it likes."""
    real = AwsCloud.group

    def group(cloud: AwsCloud, name: str) -> InstanceGroup:
        return replace(real(cloud, name), max_size=1_000)

    patch.setattr(AwsCloud, "group", group)


def buy_again_what_is_in_flight(patch: Patch) -> None:
    """What EC2 owes is no room before it is there."""
    real = scale_up._in_flight

    def in_flight(capacity: Capacity) -> list[scale_up._Bin]:
        return real(replace(capacity, in_flight=0))

    patch.setattr(scale_up, "_in_flight", in_flight)


def leave_zones_rebalanced(patch: Patch) -> None:
    """AZRebalance is the group's own affair."""

    def want_suspended(agenda: Agenda, now_ms: int, *, suspended: bool) -> None:
        return

    patch.setattr(Agenda, "want_az_rebalance_suspended", want_suspended)


def keep_to_a_wish_for_ever(patch: Patch) -> None:
    """A wish stands until there is another."""
    real = limits.limits_of

    def limits_of(group: InstanceGroup, wish: ScaleWish | None, now_ms: int) -> Limits:
        return real(group, wish and replace(wish, expires_ms=None), now_ms)

    patch.setattr(upkeep, "limits_of", limits_of)


def keep_the_size_when_one_goes(patch: Patch) -> None:
    """Who is not needed any more is detached without a decrement."""
    real = AwsCloud.detach

    def detach(cloud: AwsCloud, group: str, ids: tuple[str, ...], *, decrement: bool) -> None:
        real(cloud, group, ids, decrement=False)

    patch.setattr(AwsCloud, "detach", detach)


# ---- removals


def terminate_a_member(patch: Patch) -> None:
    """Who was drained is terminated, and the group not told."""

    def rule(evidence: removal.RemovalEvidence) -> removal.Turn:
        turn = removal._is_empty(evidence)
        return RemovalStep.TERMINATING if turn is RemovalStep.DETACHING else turn

    _replace_rule(patch, rule)


def leave_the_detached_running(patch: Patch) -> None:
    """What the group has let go is gone."""

    def rule(evidence: removal.RemovalEvidence) -> removal.Turn:
        gone = evidence.lifecycle_state is None
        return removal.Ended(removal=evidence.removal, gone=True, message="") if gone else None

    patch.setitem(removal.RULES, RemovalStep.DETACHING, (rule,))


def deregister_the_silent(patch: Patch) -> None:
    """An agent that is away is that of an ended instance."""

    def has_ended(fleet: Fleet, arn: str) -> bool:
        instance = fleet.instances.get(arn)
        return instance is not None and not instance.agent_connected

    patch.setattr(Fleet, "has_ended", has_ended)


def let_go_without_another_look(patch: Patch) -> None:
    """Who is drained is empty: it was idle when its drain was decided."""

    def rule(evidence: removal.RemovalEvidence) -> removal.Turn:
        idle = evidence.accepted and not evidence.busy
        return removal._next_after_drain(evidence) if idle else None

    _replace_rule(patch, rule)


def detach_the_old_at_work(patch: Patch) -> None:
    """Who is too old has worked for long enough: what still runs there does not count."""
    real = removals._evidence

    def evidence(
        course: removals._Course, around: removals.Surroundings, *, held: bool, window_ms: int
    ) -> removal.RemovalEvidence:
        known = real(course, around, held=held, window_ms=window_ms)
        if known.removal.cause is not RemovalCause.STALE:
            return known
        seen = known.inspected
        if seen is not None and seen.instance is not None:
            seen = replace(seen, tasks=(), instance=replace(seen.instance, tasks=0))
        return replace(known, busy=False, inspected=seen)

    patch.setattr(removals, "_evidence", evidence)


def _replace_rule(patch: Patch, rule: Callable[[removal.RemovalEvidence], removal.Turn]) -> None:
    """In place of the one that lets an empty instance go."""
    rules = removal.RULES[RemovalStep.DRAINING]
    changed = tuple(rule if each is removal._is_empty else each for each in rules)
    patch.setitem(removal.RULES, RemovalStep.DRAINING, changed)


# ---- interlocks


def act_while_held(patch: Patch) -> None:
    """Whatever is due is sent."""

    def always(view: ClusterView, call: Call) -> bool:
        return True

    patch.setattr(decide, "_may_be_sent", always)


def act_though_observing(patch: Patch) -> None:
    """The setting --observe-only is not looked at."""

    def hold_of(parts: Parts, now_ms: int) -> Hold | None:
        return parts.pair.hold() or parts.rivals.hold(now_ms) or parts.hazards.hold()

    patch.setattr(upkeep, "hold_of", hold_of)


def lose_patience_with_agents(patch: Patch) -> None:
    """An agent that is away is lost."""
    patch.setattr(Disconnections, "is_lost", lambda known, ec2_id: known.since_ms(ec2_id) is not None)


def lose_patience_with_the_booting(patch: Patch) -> None:
    """A member that is not in the cluster yet has never joined it."""

    def overdue(arrivals: Arrivals) -> Iterator[str]:
        yield from arrivals._awaited

    patch.setattr(Arrivals, "overdue", overdue)


def replace_in_a_mass_failure(patch: Patch) -> None:
    """However many agents go at a time, it is they."""
    patch.setattr(MassFailure, "see", lambda failure, burst, members, now_ms: False)


def believe_absence(patch: Patch) -> None:
    """However many never join, each is replaced as soon as its own time is over."""
    patch.setattr(Replacements, "allowed", lambda replacements, members, now_ms: members)


TABLE = (
    Breakage(lower_desired, ("desired_is_only_raised",)),
    Breakage(ask_for_one_more, ("limits_are_kept",)),
    Breakage(forget_what_was_written, ("desired_is_only_raised", "no_more_is_bought_than_is_wanted")),
    Breakage(overlook_the_maximum, ("limits_are_kept",)),
    Breakage(buy_again_what_is_in_flight, ("no_more_is_bought_than_is_wanted",)),
    Breakage(leave_zones_rebalanced, ("zones_are_left_alone",)),
    Breakage(keep_to_a_wish_for_ever, ("the_group_comes_down",)),
    Breakage(keep_the_size_when_one_goes, ("the_group_comes_down",)),
    Breakage(terminate_a_member, ("every_intent_is_resolved", "the_group_comes_down")),
    Breakage(let_go_without_another_look, ("no_busy_instance_goes",)),
    Breakage(detach_the_old_at_work, ("no_busy_instance_goes",)),
    Breakage(leave_the_detached_running, ("the_group_comes_down",)),
    Breakage(
        deregister_the_silent,
        ("no_busy_instance_goes", "only_lost_agents_are_deregistered", "the_group_comes_down"),
    ),
    Breakage(act_while_held, ("what_is_held_is_left_alone",)),
    Breakage(act_though_observing, ("nothing_is_done_when_observing",)),
    Breakage(lose_patience_with_agents, ("no_busy_instance_goes",)),
    Breakage(lose_patience_with_the_booting, ("no_fresh_instance_goes",)),
    Breakage(replace_in_a_mass_failure, ("a_mass_failure_ends_nobody",)),
    Breakage(believe_absence, ("absence_proves_little",)),
)
