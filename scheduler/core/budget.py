"""Token buckets as data: AWS's request budgets, on whatever clock the caller has.

AWS refills a bucket continuously at its sustained rate up to its burst (ECS, Request throttling for the
API); the buckets belong to the whole account and region, so we plan for a share of each.
"""

from dataclasses import dataclass, field

_MOMENT_MS = 10_000
"""Throttles within it are one: calls under way together are refused together."""

_AGAIN_MS = 20_000
"""Throttles further apart than this do not go on."""


@dataclass(slots=True)
class TokenBucket:
    """`burst` tokens at most, `per_second` new ones, after throttles fewer, to 1/`slowest`; starts full."""

    burst: float
    per_second: float
    slowest: float = 2.0
    tokens: float = field(init=False)
    _as_of_ms: int | None = field(init=False, default=None)
    _slowness: float = field(init=False, default=1.0)
    _slow_until_ms: int = field(init=False, default=0)
    _throttled_ms: int = field(init=False, default=0)
    _stepped_ms: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Fills the bucket."""
        self.tokens = self.burst

    def available(self, now_ms: int) -> int:
        """Whole tokens at `now_ms`. A clock that steps back adds nothing."""
        if self._as_of_ms is not None and now_ms > self._as_of_ms:
            slow_ms = max(0, min(now_ms, self._slow_until_ms) - self._as_of_ms)
            gained = (slow_ms / self._slowness + now_ms - self._as_of_ms - slow_ms) / 1000 * self.per_second
            self.tokens = min(self.burst, self.tokens + gained)
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
            self._slowness, self._stepped_ms = 2.0, now_ms
        elif now_ms - self._stepped_ms >= _MOMENT_MS:
            goes_on = now_ms - self._throttled_ms <= _AGAIN_MS
            slowness = self._slowness * 2 if goes_on else self._slowness / 2
            self._slowness, self._stepped_ms = max(2.0, min(slowness, self.slowest)), now_ms
        self._throttled_ms, self._slow_until_ms = now_ms, now_ms + slow_ms

    def next_token_ms(self, now_ms: int) -> int:
        """When a whole token will be there, if none is taken before."""
        missing_ms = (1 - self.tokens) / self.per_second * 1000
        if missing_ms <= 0:
            return now_ms
        slow_ms = max(0, self._slow_until_ms - now_ms)
        slowly_ms = min(missing_ms * self._slowness, slow_ms)
        return now_ms + max(1, round(slowly_ms + missing_ms - slowly_ms / self._slowness))
