"""Token buckets as data: AWS's request budgets, on whatever clock the caller has.

AWS refills a bucket continuously at its sustained rate up to its burst (ECS, Request throttling for the
API); the buckets belong to the whole account and region, so we plan for a share of each.
"""

from dataclasses import dataclass, field

_WORSE_AFTER_MS = 10_000
"""Throttles of one moment are one: calls under way together are refused together."""

_SLOWEST = 32.0
"""By how much a rate is divided at most."""


@dataclass(slots=True)
class TokenBucket:
    """`burst` tokens at most, `per_second` new ones; starts full."""

    burst: float
    per_second: float
    tokens: float = field(init=False)
    _as_of_ms: int | None = field(init=False, default=None)
    _slowness: float = field(init=False, default=1.0)
    _slow_until_ms: int = field(init=False, default=0)
    _worse_from_ms: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Fills the bucket."""
        self.tokens = self.burst

    def available(self, now_ms: int) -> int:
        """Whole tokens at `now_ms`. A clock that steps back adds nothing."""
        if self._as_of_ms is not None and now_ms > self._as_of_ms:
            self.tokens = min(self.burst, self.tokens + (now_ms - self._as_of_ms) / 1000 * self._rate(now_ms))
        self._as_of_ms = now_ms
        return int(self.tokens)

    def take(self, now_ms: int, count: int = 1) -> None:
        """Takes tokens; may go below zero, which the refill has to make up."""
        self.available(now_ms)
        self.tokens -= count

    def throttled(self, now_ms: int, *, slow_ms: int = 60_000) -> None:
        """AWS said no: the bucket is empty in truth, and refills at half the rate for a while.

        If AWS goes on saying no, at half of that, and so on: others leave less than we take, and a call of
        several requests is never answered while each first one takes what the next one would need.
        """
        self.available(now_ms)
        self.tokens = min(self.tokens, 0.0)
        if now_ms >= self._slow_until_ms:
            self._slowness, self._worse_from_ms = 2.0, now_ms + _WORSE_AFTER_MS
        elif now_ms >= self._worse_from_ms:
            self._slowness = min(2 * self._slowness, _SLOWEST)
            self._worse_from_ms = now_ms + _WORSE_AFTER_MS
        self._slow_until_ms = now_ms + slow_ms

    def next_token_ms(self, now_ms: int) -> int:
        """When a whole token will be there, if none is taken before."""
        missing = 1 - self.tokens
        return now_ms if missing <= 0 else now_ms + max(1, round(missing / self._rate(now_ms) * 1000))

    def _rate(self, now_ms: int) -> float:
        return self.per_second / self._slowness if now_ms < self._slow_until_ms else self.per_second
