"""Invariants of growth: within the limits, never downwards, nothing that nobody waits for, nor twice.

Found by `invariants.py`, where all of them are listed.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scheduler.core.autoscaling.reservations import left_of
from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.rules_of_reservations import placed_in
from scheduler.lab.chaos.scene import Scene
from scheduler.lab.chaos.truth import Entry, Origin
from scheduler.services.control_loop import Step
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES
from scheduler.simulated_aws.journal import Effect

_REMEMBERED_MS = 60_000
"""For how long no reading hides what was bought (`services/group_writer.py:LAG_MS`)."""


def desired_is_only_raised(scene: Scene, entry: Entry) -> str | None:
    """Desired capacity is never lowered by a SetDesiredCapacity of ours: the group would choose a victim.

    It has no compare-and-set: one that has its effect long after it was given up is beyond anybody's help,
    as is a raise by somebody else which no reading shows yet (`DescribeAutoScalingGroups` lags).
    `the_group_kills_no_work` still holds.
    """
    if entry.effect != Effect.SET_DESIRED_CAPACITY or entry.origin is not Origin.SERVICE:
        return None
    if entry.late or entry.at_ms - scene.steered_ms() <= scene.blind_ms():
        return None
    before, after = entry.fields["previous"], entry.fields["desiredCapacity"]
    return f"desired capacity goes from {before} to {after}" if after < before else None


def limits_are_kept(scene: Scene, operation: str, params: Mapping[str, Any], now_ms: int) -> str | None:
    """Nothing outside min..max is asked for, as they are or were when they could last be read."""
    if operation != "SetDesiredCapacity":
        return None
    wanted, since_ms = params["DesiredCapacity"], now_ms - scene.blind_ms()
    limits = scene.truth.limits
    standing = [
        (least, most)
        for (_, least, most), until_ms in zip(
            limits, [each[0] for each in limits[1:]] + [now_ms + 1], strict=True
        )
        if until_ms > since_ms
    ]
    if any(least <= wanted <= most for least, most in standing):
        return None
    return f"desired capacity {wanted} is asked for outside {standing}"


def no_more_is_bought_than_is_wanted(scene: Scene, step: Step) -> str | None:
    """With what was bought a moment ago and is coming, no more is than waits, is reserved, or a floor lacks.

    What asks for the same shares instances, as many of it on one as there is room for. Judged where the group
    has one instance type, so that each instance on its way holds whatever waits, and where no second
    scheduler buys for work that this one does not know. What is being removed may be replaced, each by one;
    room that is free may be where a task must not go, and counts as none.
    """
    call = next((each for each in step.calls if isinstance(each, SetDesiredCapacity)), None)
    others = scene.befalls(MishapKind.SECOND_SCHEDULER)
    if call is None or others or len(scene.plan.account.instance_types) > 1:
        return None
    more = len(call.types)
    lacking = step.view.upkeep.limits.floor - (call.desired - more) + len(scene.book.removals)
    coming, wanted = _coming(scene, step), _wanted(scene, step)
    if more <= max(0, wanted - coming) + max(0, lacking):
        return None
    return f"{more} are bought, {wanted} would do, {coming} are coming and the floor lacks {lacking}"


def _wanted(scene: Scene, step: Step) -> int:
    """How many instances all would need that waits and gets no place in this step, and that is reserved."""
    book, placed = scene.book, {task_id for task_id, _ in placed_in(step)}
    waiting = Counter(
        book.asks[task_id]
        for task_id, state in book.states.items()
        if state is TaskState.QUEUED and task_id not in placed
    )
    pieces = ((piece.ask, piece.count) for each in book.reservations.values() for piece in left_of(each))
    holds = _least_room(scene)
    return sum(-(-count // max(1, ask.times_that_fit(holds))) for ask, count in (*waiting.items(), *pieces))


def _least_room(scene: Scene) -> Resources:
    """What an instance of the group's type holds, or is expected to as long as none has registered."""
    (name,) = scene.plan.account.instance_types
    kind = INSTANCE_TYPES[name]
    declared_mib = int(kind.memory_mib * Policy().declared_memory_factor)
    return Resources(
        cpu=kind.cpu_units, memory_mib=min(kind.registered_memory_mib, declared_mib), gpus=kind.gpus
    )


def _coming(scene: Scene, step: Step) -> int:
    """How many that this life has bought in the last minute are not there yet, whoever else has come.

    A member that somebody terminates is there until its group has noticed, and a reading has shown it.
    """
    truth = scene.truth
    now_ms = scene.true_ms(step.now_ms)
    since_ms = max(scene.life_ms, scene.steered_ms(), now_ms - _REMEMBERED_MS)
    purchases = [(at_ms, count) for at_ms, count in truth.bought if at_ms > since_ms]
    if not purchases:
        return 0
    came = set(truth.ec2_ids.values())
    gone = {each for each, at_ms in truth.terminated_ms.items() if now_ms - at_ms > scene.blind_ms()}
    there = came - truth.detached - gone
    new = sum(truth.launched_ms[each] >= purchases[0][0] for each in came)
    return max(0, min(sum(count for _, count in purchases) - new, truth.desired - len(there)))
