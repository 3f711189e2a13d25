"""Budgets: AWS's documented token buckets, filled by nobody but one life of one service.

It may use a share of what comes into each; of what starts and stops tasks everything, as the share is of what
can wait. A burst may be as large as the bucket: one reading makes many requests, and is paid for afterwards.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from scheduler.simulated_aws.buckets import (
    BUCKETS,
    PLAIN_DESCRIBE_INSTANCES,
    TERMINATED_INSTANCES,
    Bucket,
)

AWS_SHARE = 0.5
"""What the service is set to use."""

_BY_NAME = {bucket.name: bucket for bucket in BUCKETS}
_BUCKET_OF = {operation: bucket for bucket in BUCKETS for operation in bucket.operations}


class Budgets:
    """What is left in each bucket; a restarted process may find it full, for it cannot know better."""

    def __init__(self, now_ms: int, share: float = AWS_SHARE) -> None:
        """Every bucket is full."""
        self._shares = {each.name: 1.0 if "StartTask" in each.operations else share for each in BUCKETS}
        self._left = {each.name: (each.burst, now_ms) for each in BUCKETS}

    def take(self, operation: str, params: Mapping[str, Any], now_ms: int) -> str | None:
        """One call is made; returns the name of the bucket that had nothing left for it."""
        empty = None
        for bucket, tokens in _costs(operation, params):
            share, (left, at_ms) = self._shares[bucket.name], self._left[bucket.name]
            gained = share * bucket.per_s * (now_ms - at_ms) / 1_000
            left = min(left + gained, bucket.burst) - tokens
            self._left[bucket.name] = left, now_ms
            empty = bucket.name if left < 0 else empty
        return empty


def _costs(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[Bucket, int]]:
    """The buckets that a call takes from: one for most, as many as instances for those that it terminates."""
    if operation == "DescribeInstances" and not params.keys() & {"Filters", "MaxResults"}:
        yield _BY_NAME[PLAIN_DESCRIBE_INSTANCES], 1
    elif operation in _BUCKET_OF:
        yield _BUCKET_OF[operation], 1
    if operation == "TerminateInstances":
        yield _BY_NAME[TERMINATED_INSTANCES], len(params["InstanceIds"])
