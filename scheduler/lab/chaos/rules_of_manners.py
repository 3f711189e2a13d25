"""Invariants of manners: towards AWS, whose buckets are everybody's, and towards a second scheduler.

Found by `invariants.py`, where all of them are listed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from scheduler.core.model.facts import DISCONNECTED_PREFIX, MEMBER_PREFIX
from scheduler.core.model.policy import Policy
from scheduler.lab.chaos.draw import READS
from scheduler.lab.chaos.plan import MishapKind, Plan
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.services.control_loop import Step

READS_BEGIN = ("Describe", "List", "Get")
"""How the names of operations begin that change nothing."""

_POLICY = Policy()
_CENSUS_MS = 3 * _POLICY.census_poll_ms // 2

_FACTS_KEPT_MS = {DISCONNECTED_PREFIX: 120_000, MEMBER_PREFIX: _POLICY.absence_ms + 300_000}
"""How long facts of an instance may outlive it, by what their keys begin with. It takes its group minutes to
find that it has ended."""

_LIES = {
    MishapKind.THROTTLE,
    MishapKind.ERROR_BEFORE,
    MishapKind.ERROR_AFTER,
    MishapKind.LOST_CALL,
    MishapKind.LOST_ANSWER,
    MishapKind.PARTIAL_READ,
    MishapKind.ACCESS_DENIED,
}
_OUTAGES = (MishapKind.UNREACHABLE, MishapKind.CREDENTIALS_EXPIRED)


def budgets_are_kept(scene: Scene, operation: str, params: Mapping[str, Any], now_ms: int) -> str | None:
    """No life of the service makes more calls than AWS documents: a burst, and a rate times the time."""
    empty = scene.budgets.take(operation, params, now_ms)
    return f"{operation} is called and {empty} is empty" if empty else None


def the_later_scheduler_waits(
    scene: Scene, operation: str, params: Mapping[str, Any], now_ms: int
) -> str | None:
    """Of two schedulers of a pair the one that began later does nothing while the other's tasks show.

    Judged where readings are honest and clocks right, by tasks that have been RUNNING for long enough to be
    seen, and not yet for so long that their scheduler may be gone. Who has begun anew since is the later one.
    """
    if operation.startswith(READS_BEGIN) or not reads_honestly(scene.plan):
        return None
    later = {each.epoch for each in scene.truth.tasks.values() if each.since_ms >= scene.began_ms}
    for each in scene.truth.tasks.values():
        age_ms, known_ms = now_ms - each.started_ms, now_ms - max(each.started_ms, scene.life_ms)
        shows = scene.blind_ms() + _CENSUS_MS < known_ms and age_ms < _POLICY.rival_window_ms - 5_000
        theirs = each.epoch not in ("", scene.book.epoch, *later)
        if shows and theirs and each.status == "RUNNING":
            return f"{operation} while {each.arn} of an earlier scheduler runs"
    return None


def reads_honestly(plan: Plan) -> bool:
    """Whether a census, once taken, shows what runs; and times can be compared."""
    wrong = (MishapKind.CLOCK_SET, MishapKind.SLOW_ANSWERS, *_OUTAGES)
    return not plan.account.throttling and not any(
        each.kind in wrong or (each.kind in _LIES and each.operation in READS) for each in plan.mishaps
    )


def absence_proves_little(scene: Scene, step: Step) -> str | None:
    """At most a tenth of the group, one always, is ended in ten minutes because it never joined.

    Over restarts as well, unless the machine's clock was set meanwhile.
    """
    began = scene.book.never_joined
    if not began:
        return None
    lately = sum(at_ms > began[-1] - _POLICY.absence_ms for at_ms in began)
    largest = max(most for _, _, most in scene.truth.limits)
    allowed = max(1, int(largest * _POLICY.absence_share))
    return f"{lately} that never joined are ended within ten minutes" if lately > allowed else None


def zones_are_left_alone(scene: Scene, ending: Ending) -> str | None:
    """AZRebalance, which ends busy instances, is suspended when all is quiet, whoever resumed it.

    Unless what a lost store has started holds the service: it may be another scheduler's.
    """
    held = scene.plan.tuning.observe_only or "SECOND_SCHEDULER" in ending.conditions
    if held or not ending.settled or "AZRebalance" in scene.truth.suspended:
        return None
    return f"{sorted(scene.truth.suspended)} are suspended, conditions {dict(ending.conditions)}"


def the_books_are_closed(scene: Scene, ending: Ending) -> str | None:
    """What is over is forgotten: nothing in memory names a task, attempt or instance that has ended."""
    return f"{len(ending.leftovers)} are kept: {ending.leftovers[0]}" if ending.leftovers else None


def facts_are_about_what_is(scene: Scene, ending: Ending) -> str | None:
    """No fact is stored of an instance that is gone.

    Lists have gaps: it takes a few readings to believe that one is gone; that it was a member is kept longer.
    """
    facts, seen_ms = ending.store.load().facts, ending.at_ms - scene.blind_ms()
    gone = [
        prefix + ec2_id
        for prefix, kept_ms in _FACTS_KEPT_MS.items()
        for ec2_id, gone_ms in _gone(scene)
        if prefix + ec2_id in facts and seen_ms - max(gone_ms, scene.in_touch_ms()) > kept_ms
    ]
    return f"{gone} are stored of instances that are gone" if gone else None


def _gone(scene: Scene) -> Iterator[tuple[str, int]]:
    """Instances that have ended and that ECS does not list any more, and since when."""
    truth = scene.truth
    listed = {truth.ec2_ids[arn] for arn in truth.statuses}
    unlisted_ms = dict[str, int]()
    for arn, at_ms in truth.gone_ms.items():
        ec2_id = truth.ec2_ids[arn]
        unlisted_ms[ec2_id] = max(at_ms, unlisted_ms.get(ec2_id, 0))
    for ec2_id, at_ms in truth.terminated_ms.items():
        if ec2_id not in listed:
            yield ec2_id, max(at_ms, unlisted_ms.get(ec2_id, 0))
