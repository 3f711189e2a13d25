"""Budgets: AWS's documented token buckets, filled by nobody but one life of one service."""

from collections.abc import Mapping
from typing import Any

from scheduler.simulated_aws.buckets import BUCKETS

_BUCKET_OF = {operation: bucket for bucket in BUCKETS for operation in bucket.operations}


class Budgets:
    """What is left in each bucket; a restarted process may find it full, for it cannot know better."""

    def __init__(self, now_ms: int) -> None:
        """Every bucket is full."""
        self._left = {each.name: (each.burst, now_ms) for each in BUCKETS}

    def take(self, operation: str, params: Mapping[str, Any], now_ms: int) -> str | None:
        """One call is made; returns the name of the bucket that had nothing left for it."""
        bucket = _BUCKET_OF.get(operation)
        if bucket is None:
            return None
        left, at_ms = self._left[bucket.name]
        left = min(left + bucket.per_s * (now_ms - at_ms) / 1_000, bucket.burst) - 1
        self._left[bucket.name] = left, now_ms
        return bucket.name if left < 0 else None
