"""Shrinking: which instances go, by name.

Desired capacity is never lowered by a set: the group would choose the victim, and it chooses busy ones (EC2
Auto Scaling User Guide, Control which instances terminate). An instance goes when it has been idle for a
while and nothing that waits would use it; one that is too old goes as soon as it is idle, and is replaced
where the group would become too small.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.autoscaling.free_room import FreeRoom
from scheduler.core.model.group import Candidate, InstanceGroup
from scheduler.core.model.policy import Policy, ScaleDown
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.scaling import KeptInstance, Limits
from scheduler.core.placement.free_index import FreeIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinkage:
    """Who goes, and who is idle and stays, with the reason."""

    removals: tuple[Removal, ...] = ()
    kept: tuple[KeptInstance, ...] = ()


NO_SHRINKAGE = Shrinkage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What shrinking starts from.

    `size` is what desired capacity will be once the removals under way are done; `beyond` is by how many
    members the group will have more then, because somebody lowered it and they are protected from scale-in,
    so that these go without a change of it. `able` counts the schedulable members, `zones` them by
    availability zone. `wanted` are instances that what waits, is reserved or is to stay free would use, or
    that were just given a task. `rooms` is what is free once these tasks have come, and of it
    is still to be `reserved`.
    `replacing`: an old instance is being replaced, or an instance is in flight, so that no other may go
    meanwhile. `resting` are EC2 ids that AWS refused to let go a moment ago. `explain`: those that stay are
    told as well, with the reason; otherwise they are not even looked at.
    """

    group: InstanceGroup
    limits: Limits
    candidates: Candidates
    size: int
    able: int
    zones: Counter[str]
    wanted: frozenset[str]
    replacing: bool
    rooms: FreeIndex
    reserved: Sequence[Pieces] = ()
    beyond: int = 0
    resting: Collection[str] = ()
    explain: bool = False


@dataclass(slots=True)
class _Books:
    """What the decisions made so far leave."""

    now_ms: int
    size: int
    able: int
    beyond: int
    replacing: bool
    zones: Counter[str]
    free_room: FreeRoom | None = None
    removals: list[Removal] = field(default_factory=list)
    kept: list[KeptInstance] = field(default_factory=list)


def scale_down(situation: Situation, policy: Policy, now_ms: int) -> Shrinkage:
    """The removals to begin now."""
    books = _Books(
        now_ms=now_ms,
        size=situation.size,
        able=situation.able,
        beyond=situation.beyond,
        replacing=situation.replacing,
        zones=Counter(situation.zones),
    )
    for judge, look in ((_judge_old, _old_ones), (_judge_idle, _idle_ones)):
        _judge_all(judge, look(situation, books, policy), situation, books, policy=policy)
    return Shrinkage(removals=tuple(books.removals), kept=tuple(books.kept))


Verdict = tuple[RemovalCause, bool] | str | None
"""Why it goes and whether the group shrinks with it; or why it stays; or nothing to be said."""

_Judge = Callable[[Candidate, Situation, _Books, Policy], Verdict]


def _old_ones(situation: Situation, books: _Books, policy: Policy) -> Iterable[Candidate]:
    """Nobody is looked at while one is being replaced, unless the group may shrink."""
    smallest = books.size <= least_size(situation.limits, policy)
    if books.replacing and smallest and not situation.explain:
        return ()
    return situation.candidates.old()


def _idle_ones(situation: Situation, books: _Books, policy: Policy) -> Iterable[Candidate]:
    """Those whose time has come; nobody is looked at in a group that is as small as it may be."""
    if situation.explain:
        return situation.candidates.idle()
    if _is_small_enough(situation, books, policy):
        return ()
    surplus = books.size > situation.limits.ceiling
    return situation.candidates.idle(None if surplus else books.now_ms - policy.idle_timeout_ms)


def _judge_all(
    judge: _Judge,
    candidates: Iterable[Candidate],
    situation: Situation,
    books: _Books,
    *,
    policy: Policy,
) -> None:
    """One after the other, each time from the zone that has most, the oldest first."""
    lines: dict[str, deque[Candidate]] = {}
    for each in sorted(candidates, key=_age):
        if each.ec2_instance_id in situation.resting:
            continue
        lines.setdefault(each.availability_zone, deque()).append(each)
    while lines:
        zone = min(lines, key=lambda zone: (-books.zones[zone], _age(lines[zone][0])))
        candidate = lines[zone].popleft()
        if not lines[zone]:
            del lines[zone]
        verdict = judge(candidate, situation, books, policy)
        if isinstance(verdict, str):
            books.kept.append(
                KeptInstance(
                    ec2_instance_id=candidate.ec2_instance_id,
                    container_instance_arn=candidate.arn,
                    reason=verdict,
                )
            )
        elif verdict is not None:
            _let_go(candidate, books, *verdict)


def _age(candidate: Candidate) -> tuple[int, str]:
    return (candidate.launched_ms, candidate.arn)


def _let_go(candidate: Candidate, books: _Books, cause: RemovalCause, decrement: bool) -> None:
    books.size -= decrement
    books.able -= 1
    books.replacing = books.replacing or (not decrement and books.beyond == 0)
    books.beyond -= not decrement and books.beyond > 0
    books.zones[candidate.availability_zone] -= 1
    if books.free_room is not None:
        books.free_room.forget(candidate.arn)
    books.removals.append(
        Removal(
            ec2_instance_id=candidate.ec2_instance_id,
            arn=candidate.arn,
            cause=cause,
            step=RemovalStep.DRAINING,
            decrement=decrement,
            since_ms=books.now_ms,
        )
    )


def _judge_idle(candidate: Candidate, situation: Situation, books: _Books, policy: Policy) -> Verdict:
    if candidate.idle_since_ms is None:
        return None
    surplus = books.size > situation.limits.ceiling
    if candidate.arn in situation.wanted:
        return "what waits, is reserved or is to stay free will use it"
    not_yet = "" if surplus else _not_yet(candidate, books.now_ms - candidate.idle_since_ms, books, policy)
    if not_yet:
        return not_yet
    if _is_small_enough(situation, books, policy):
        return f"the group is to have at least {least_size(situation.limits, policy)}"
    if not surplus and _is_needed_free(candidate, situation, books, policy):
        return f"less than {policy.free_ratio:g} of the others would be free"
    return RemovalCause.SURPLUS if surplus else RemovalCause.IDLE, not books.beyond


HOUR_MS, LAST_MINUTES_MS = 3_600_000, 600_000
"""What is paid at a time where it is paid by the hour, and the part of it in which an idle instance goes."""


def _not_yet(candidate: Candidate, idle_ms: int, books: _Books, policy: Policy) -> str:
    """Why it is too early, if it is."""
    if idle_ms < policy.idle_timeout_ms:
        return f"it has been idle for {idle_ms // 1_000} s of {policy.idle_timeout_ms // 1_000}"
    lived_ms = (books.now_ms - candidate.launched_ms) % HOUR_MS
    if policy.scale_down is ScaleDown.BILLING_HOUR and lived_ms < HOUR_MS - LAST_MINUTES_MS:
        return f"it is in minute {lived_ms // 60_000} of an hour that is paid for"
    return ""


def _is_needed_free(candidate: Candidate, situation: Situation, books: _Books, policy: Policy) -> bool:
    """Without it less than the free ratio would be free. Exactly so much is enough."""
    if policy.free_ratio == 0:
        return False
    if books.free_room is None:
        books.free_room = FreeRoom(
            situation.rooms, {each.arn for each in books.removals}, reserved=situation.reserved
        )
    return books.free_room.share_without(candidate.arn) < policy.free_ratio


def _judge_old(candidate: Candidate, situation: Situation, books: _Books, policy: Policy) -> Verdict:
    """An old one that is idle goes. One in a group that cannot grow goes busy or not, but alone.

    There it is drained while its tasks finish, since under steady load it would never be idle; and only
    while others can work, so that such a group never runs out of candidates. It is replaced even if it is
    idle, as the next task may find no room, unless it has been idle for so long that it would go for that.
    """
    if candidate.arn in situation.wanted:
        return None
    ceiling = situation.limits.ceiling
    clamped = situation.group.desired >= ceiling
    others_work = books.able > 1
    is_idle = candidate.idle_since_ms is not None
    if _would_go_young(candidate, situation, books, policy):
        return RemovalCause.STALE, not books.beyond
    if is_idle and books.size > _enough(situation, policy) and (others_work or not clamped):
        return RemovalCause.STALE, True
    if books.replacing:
        return "another one is being replaced" if is_idle else None
    may_go = others_work or (is_idle and situation.group.desired <= 1)
    if may_go if clamped else is_idle:
        return RemovalCause.STALE, False
    return None


def _would_go_young(candidate: Candidate, situation: Situation, books: _Books, policy: Policy) -> bool:
    """It has been idle for so long that it would go whatever its age."""
    if candidate.idle_since_ms is None or _is_small_enough(situation, books, policy):
        return False
    too_early = _not_yet(candidate, books.now_ms - candidate.idle_since_ms, books, policy)
    return not too_early and not _is_needed_free(candidate, situation, books, policy)


def _is_small_enough(situation: Situation, books: _Books, policy: Policy) -> bool:
    """What is in flight may never come: those that can work are counted as well."""
    return min(books.size + books.beyond, books.able) <= least_size(situation.limits, policy)


def _enough(situation: Situation, policy: Policy) -> int:
    """The size down to which an old one is not replaced."""
    ceiling = situation.limits.ceiling
    clamped = situation.group.desired >= ceiling
    return max(least_size(situation.limits, policy), ceiling if clamped else 0)


def least_size(limits: Limits, policy: Policy) -> int:
    """How small the group may become: its limit, and one if the last instance is to be kept."""
    return max(limits.floor, int(policy.keep_last_instance))
