"""Shrinking: which instances go, by name.

Desired capacity is never lowered by a set: the group would choose the victim, and it chooses busy ones (EC2
Auto Scaling User Guide, Control which instances terminate). An instance goes when it has been idle for a
while and nothing that waits would use it; one that is too old goes as soon as it is idle, and is replaced
where the group would become too small.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from scheduler.core.model.group import Candidate, InstanceGroup
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.scaling import KeptInstance, Limits


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
    availability zone. `wanted` are instances that what waits would use, or that were just given a task.
    `replacing`: an old instance is being replaced, or an instance is in flight, so that no other may go
    meanwhile.
    """

    group: InstanceGroup
    limits: Limits
    candidates: Sequence[Candidate]
    size: int
    able: int
    zones: Counter[str]
    wanted: frozenset[str]
    replacing: bool
    beyond: int = 0


@dataclass(slots=True)
class _Books:
    """What the decisions made so far leave."""

    size: int
    able: int
    beyond: int
    replacing: bool
    zones: Counter[str]
    removals: list[Removal] = field(default_factory=list)
    kept: list[KeptInstance] = field(default_factory=list)


def scale_down(situation: Situation, policy: Policy, now_ms: int) -> Shrinkage:
    """The removals to begin now."""
    books = _Books(
        situation.size, situation.able, situation.beyond, situation.replacing, Counter(situation.zones)
    )
    for judge, chosen in (
        (_judge_old, [each for each in situation.candidates if each.too_old]),
        (_judge_idle, [each for each in situation.candidates if not each.too_old]),
    ):
        _judge_all(judge, chosen, situation, books, policy=policy, now_ms=now_ms)
    return Shrinkage(removals=tuple(books.removals), kept=tuple(books.kept))


Verdict = tuple[RemovalCause, bool] | str | None
"""Why it goes and whether the group shrinks with it; or why it stays; or nothing to be said."""

_Judge = Callable[[Candidate, Situation, _Books, Policy], Verdict]


def _judge_all(
    judge: _Judge,
    candidates: Iterable[Candidate],
    situation: Situation,
    books: _Books,
    *,
    policy: Policy,
    now_ms: int,
) -> None:
    """One after the other, each time from the zone that has most, the oldest first."""
    lines: dict[str, deque[Candidate]] = {}
    for each in sorted(candidates, key=_age):
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
            _let_go(candidate, books, *verdict, now_ms=now_ms)


def _age(candidate: Candidate) -> tuple[int, str]:
    return (candidate.launched_ms, candidate.arn)


def _let_go(
    candidate: Candidate, books: _Books, cause: RemovalCause, decrement: bool, *, now_ms: int
) -> None:
    books.size -= decrement
    books.able -= 1
    books.replacing = books.replacing or (not decrement and books.beyond == 0)
    books.beyond -= not decrement and books.beyond > 0
    books.zones[candidate.availability_zone] -= 1
    books.removals.append(
        Removal(
            ec2_instance_id=candidate.ec2_instance_id,
            arn=candidate.arn,
            cause=cause,
            step=RemovalStep.DRAINING,
            decrement=decrement,
            since_ms=now_ms,
        )
    )


def _judge_idle(candidate: Candidate, situation: Situation, books: _Books, policy: Policy) -> Verdict:
    if candidate.idle_ms is None:
        return None
    surplus = books.size > situation.limits.ceiling
    if candidate.arn in situation.wanted:
        return "waiting tasks will use it"
    if not surplus and candidate.idle_ms < policy.idle_timeout_ms:
        return f"it has been idle for {candidate.idle_ms // 1_000} s of {policy.idle_timeout_ms // 1_000}"
    # What is in flight may never come: those that can work are counted as well.
    size = books.size + books.beyond
    if min(size, books.able) <= least_size(situation.limits, policy):
        return f"the group is to have at least {least_size(situation.limits, policy)}"
    return RemovalCause.SURPLUS if surplus else RemovalCause.IDLE, not books.beyond


def _judge_old(candidate: Candidate, situation: Situation, books: _Books, policy: Policy) -> Verdict:
    """An old one that is idle goes. One in a group that cannot grow goes busy or not, but alone.

    There it is drained while its tasks finish, since under steady load it would never be idle; and only
    while others can work, so that such a group never runs out of candidates.
    """
    if candidate.arn in situation.wanted:
        return None
    ceiling = situation.limits.ceiling
    clamped = situation.group.desired >= ceiling
    others_work = books.able > 1
    enough = max(least_size(situation.limits, policy), ceiling if clamped else 0)
    if candidate.idle_ms is not None and books.size > enough and (others_work or not clamped):
        return RemovalCause.STALE, True
    if books.replacing:
        return "another one is being replaced" if candidate.idle_ms is not None else None
    may_go = others_work if candidate.idle_ms is None else others_work or situation.group.desired <= 1
    if may_go if clamped else candidate.idle_ms is not None:
        return RemovalCause.STALE, False
    return None


def least_size(limits: Limits, policy: Policy) -> int:
    """How small the group may become: its limit, and one if the last instance is to be kept."""
    return max(limits.floor, int(policy.keep_last_instance))
