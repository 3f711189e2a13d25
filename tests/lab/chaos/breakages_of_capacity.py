"""Breakages of what is done about capacity: the group's size, removals and interlocks."""

from collections.abc import Iterator
from dataclasses import replace

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core import decide
from scheduler.core.lifecycle import removal
from scheduler.core.model.calls import Call
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.scaling import Hold
from scheduler.core.view import ClusterView
from scheduler.core.world import upkeep
from scheduler.core.world.arrivals import Arrivals
from scheduler.core.world.disconnections import Disconnections
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.interlocks import MassFailure
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

    rules = removal.RULES[RemovalStep.DRAINING]
    changed = tuple(rule if each is removal._is_empty else each for each in rules)
    patch.setitem(removal.RULES, RemovalStep.DRAINING, changed)


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


TABLE = (
    Breakage(lower_desired, ("desired_is_only_raised",)),
    Breakage(ask_for_one_more, ("limits_are_kept",)),
    Breakage(forget_what_was_written, ("desired_is_only_raised",)),
    Breakage(overlook_the_maximum, ("limits_are_kept",)),
    Breakage(keep_the_size_when_one_goes, ("the_group_comes_down",)),
    Breakage(terminate_a_member, ("every_intent_is_resolved", "the_group_comes_down")),
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
)
