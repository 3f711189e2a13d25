"""The account of a replay: what came of it, for people and for programs."""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from scheduler.cli import words
from scheduler.cli.feed import Endings, Tally

LATE_SHARES = (50, 99)
WAITED_SHARES = (50, 95, 99)
"""In percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What came of the requests; `endings` only if they were waited for."""

    tally: Tally
    endings: Endings | None

    @property
    def good(self) -> bool:
        """All were accepted and, as far as was waited for, succeeded."""
        succeeded = self.endings is None or self.endings.states.keys() <= {"SUCCEEDED"}
        return succeeded and not self.tally.refused

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"submitted  {len(self.tally.accepted):,} tasks"
        yield from _refusals(self.tally)
        late = percentiles(self.tally.late_s, LATE_SHARES)
        yield "late       " + ", ".join(f"{name} {late_s * 1_000:,.0f} ms" for name, late_s in late.items())
        if self.endings is not None and self.endings.waited_s:
            waited = percentiles(self.endings.waited_s, WAITED_SHARES)
            yield "waited     " + ", ".join(f"{name} {clock(waited_s)}" for name, waited_s in waited.items())
            yield "ended      " + counts(self.endings.states)

    def json_line(self, **about: str) -> str:
        """For programs, behind what it is about."""
        told: dict[str, object] = {
            **about,
            "submitted": len(self.tally.accepted),
            "refused": dict(self.tally.refused),
            "lateS": percentiles(self.tally.late_s, LATE_SHARES),
        }
        if self.endings is not None:
            told["waitedS"] = percentiles(self.endings.waited_s, WAITED_SHARES)
            told["ended"] = dict(self.endings.states)
        return json.dumps(told)


def percentiles(numbers: Collection[float], shares: Collection[int]) -> dict[str, float]:
    """By `p50` and the like: the least number that so many percent of them do not exceed (nearest rank)."""
    ordered = sorted(numbers)
    if not ordered:
        return {}
    return {f"p{share}": ordered[ceil(share * len(ordered) / 100) - 1] for share in shares}


def clock(seconds: float) -> str:
    """`3:07`, with hours if there are any."""
    return words.duration(timedelta(seconds=seconds))


def counts(states: Counter[str]) -> str:
    """`SUCCEEDED 1,230, FAILED 4`, the most frequent first."""
    return ", ".join(f"{state} {count:,}" for state, count in states.most_common())


def _refusals(tally: Tally) -> Iterator[str]:
    for reason, count in tally.refused.most_common():
        row, refusal = tally.first_refused[reason]
        said = "; ".join(refusal.violations) or refusal.message
        yield f"refused    {count:,} with {reason}, at first row {row}: {said}"
