"""The revisions of ours: when each was last used, and which has been of no use for long.

A revision is registered under a content hash, but a hash may have had several: after a lost store, or after
somebody deregistered one. So each is followed by itself, and is needed while any task of its hash is live.
"""

from collections.abc import Callable
from dataclasses import replace

from scheduler.core.model.facts import read_revision, revision_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.revision import DAY_MS, Revision

_LOOK_MS = 3_600_000
"""Pause between two looks at what nobody uses, while everything is of use: uses are kept by day."""


class Revisions:
    """Revisions by ARN; at most one of them is being deregistered."""

    def __init__(self, policy: Policy) -> None:
        """None is known."""
        self._policy = policy
        self._known: dict[str, Revision] = {}
        self._under_way: set[str] = set()
        self._look_ms = 0

    def remember(self, arn: str, value: str) -> None:
        """A revision's fact; an empty one forgets it."""
        if value:
            self._known[arn] = read_revision(arn, value)
        else:
            self._known.pop(arn, None)

    def knows(self, arn: str) -> bool:
        """Whether a revision is known to be ours."""
        return arn in self._known

    def use(self, arn: str, now_ms: int) -> tuple[FactRecorded, ...]:
        """A task uses it; the fact to keep, once a day and revision, however many tasks there are."""
        known, today = self._known.get(arn), now_ms // DAY_MS
        if known is None or known.used_day >= today:
            return ()
        self._known[arn] = replace(known, used_day=today)
        return (revision_fact(self._known[arn]),)

    def stale(self, now_ms: int, is_needed: Callable[[str], bool]) -> Revision | None:
        """The one that was of no use for longest, and long enough, if it is time to look."""
        if now_ms < self._look_ms or self._under_way:
            return None
        # The day of the last use must be over for so long: nobody knows its hour.
        before_day = (now_ms - self._policy.revision_unused_ms) // DAY_MS
        stale = (
            each
            for each in self._known.values()
            if each.used_day < before_day and not is_needed(each.definition_key)
        )
        return min(stale, key=lambda each: (each.used_day, each.arn), default=None)

    def looked(self, now_ms: int, stale: Revision | None) -> None:
        """A decision was made on what was stale: one that could not act looks again soon."""
        if now_ms >= self._look_ms and not self._under_way:
            self._look_ms = now_ms + (self._policy.revision_pause_ms if stale else _LOOK_MS)

    def settle(self, arn: str, now_ms: int, *, under_way: bool) -> None:
        """A deregistration is under way, or has ended, however it did."""
        if under_way:
            self._under_way.add(arn)
            return
        self._under_way.discard(arn)
        self._look_ms = max(self._look_ms, now_ms + self._policy.revision_pause_ms)

    def rest(self, now_ms: int) -> None:
        """AWS refuses to deregister: a permission may have been given by tomorrow."""
        self._look_ms = now_ms + DAY_MS

    def next_ms(self) -> int | None:
        """When to look next; a deregistration under way is not waited for here."""
        return self._look_ms if self._known and not self._under_way else None
