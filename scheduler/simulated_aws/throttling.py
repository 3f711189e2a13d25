"""Throttling: refuses the calls that AWS's token buckets would refuse, on the account's clock."""

from dataclasses import dataclass

from scheduler.simulated_aws import buckets
from scheduler.simulated_aws.buckets import BUCKETS, Bucket
from scheduler.simulated_aws.errors import throttled
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape


@dataclass(slots=True)
class _Level:
    """What a bucket holds, and how it fills: what others of the account take does not come in."""

    bucket: Bucket
    net_per_ms: float
    tokens: float
    at_ms: int

    def refill(self, now_ms: int) -> None:
        """Bring the level up to the present."""
        tokens = self.tokens + self.net_per_ms * (now_ms - self.at_ms)
        self.tokens, self.at_ms = min(max(tokens, 0.0), self.bucket.burst), now_ms


class Throttling:
    """The buckets of one account and region, shared by all its callers."""

    def __init__(self, region: Region) -> None:
        self._region = region
        burst, per_s = region.settings.auto_scaling_bucket
        auto_scaling = Bucket(buckets.AUTO_SCALING, burst, per_s, frozenset(), "a knob")
        self._levels = {bucket.name: self._level(bucket) for bucket in (*BUCKETS, auto_scaling)}
        self._bucket_of = {name: bucket.name for bucket in BUCKETS for name in bucket.operations}

    def _level(self, bucket: Bucket) -> _Level:
        foreign_per_s = self._region.settings.foreign_calls_per_s.get(bucket.name, 0.0)
        return _Level(bucket, (bucket.per_s - foreign_per_s) / 1_000, bucket.burst, self._region.now_ms)

    def admit(self, service: str, operation: str, params: Shape) -> None:
        """Take the call's tokens, or refuse it in the service's words and take none."""
        costs = self._costs(service, operation, params)
        for name, tokens in costs.items():
            self._levels[name].refill(self._region.now_ms)
            if self._levels[name].tokens < tokens:
                raise throttled(service)
        for name, tokens in costs.items():
            self._levels[name].tokens -= tokens

    def _costs(self, service: str, operation: str, params: Shape) -> dict[str, int]:
        """The tokens of a call by bucket. Nothing is known of STS, and nobody calls it often."""
        if service == "autoscaling":
            return {buckets.AUTO_SCALING: 1}
        if operation == "DescribeInstances" and not ("Filters" in params or "MaxResults" in params):
            return {buckets.PLAIN_DESCRIBE_INSTANCES: 1}
        bucket = self._bucket_of.get(operation)
        costs = {} if bucket is None else {bucket: 1}
        if operation == "TerminateInstances":
            costs[buckets.TERMINATED_INSTANCES] = len(params.get("InstanceIds", ()))
        return costs
