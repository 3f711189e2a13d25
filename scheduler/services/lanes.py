"""Lanes: one AWS budget each, with a bound on the calls that are under way.

AWS's buckets (ECS, Request throttling for the API; EC2 Auto Scaling publishes none) are shared with everybody
in the account and region. We take a share of the reads and may take the whole of task modify, because
starting tasks is what the account runs this service for.

AWS counts requests, and a call may make many: a reading of 1,000 container instances makes twenty. How many
is known when it is over, so a call takes one token to be sent and its lane owes the others. All of them, also
those of other buckets, which are no smaller: the few that a call makes beside its own are not worth a lane.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.core.budget import TokenBucket
from scheduler.core.model.answers import Failure, Outcome
from scheduler.core.model.calls import LANE_OF, Call, Lane

AT_ONCE: dict[Lane, int] = {
    Lane.TASK_MODIFY: 24,
    Lane.READ: 8,
    Lane.SWEEP: 2,
    # Two registrations in a family at a time may collide ("Too many concurrent attempts to create a new
    # revision of the specified family"), and the bucket lets one go in a second at best.
    Lane.DEFINITIONS: 1,
    Lane.DEFINITION_READ: 1,
    # One writer of desired capacity: one call at a time, each with a fresh reading before.
    Lane.GROUP: 1,
    Lane.EC2: 2,
}
"""How many calls of a lane may be under way at once, so that a slow lane holds up no other."""

CALLS_AT_ONCE = sum(AT_ONCE.values())
"""What carries the calls out must have as many threads and connections."""

_WITHIN = {Lane.SWEEP: Lane.READ}
"""Lanes within another: what they take is taken of both. Sweeps of a large cluster could use up every read;
they get half at most, and what they leave is for searches and readings of tasks.
"""

_SLOWEST = {Lane.READ: 32.0, Lane.SWEEP: 32.0}
"""By how much throttles that go on divide the rates of lanes whose calls make several requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimit:
    """A lane's bucket and how many of its calls may be under way at once."""

    burst: float
    per_second: float
    at_once: int


def default_limits(aws_share: float) -> dict[Lane, LaneLimit]:
    """AWS's documented buckets times our share."""
    return {
        Lane.TASK_MODIFY: LaneLimit(burst=100, per_second=40, at_once=AT_ONCE[Lane.TASK_MODIFY]),
        Lane.READ: LaneLimit(burst=100 * aws_share, per_second=20 * aws_share, at_once=AT_ONCE[Lane.READ]),
        Lane.SWEEP: LaneLimit(burst=50 * aws_share, per_second=10 * aws_share, at_once=AT_ONCE[Lane.SWEEP]),
        Lane.DEFINITIONS: LaneLimit(
            burst=20 * aws_share, per_second=1 * aws_share, at_once=AT_ONCE[Lane.DEFINITIONS]
        ),
        # Of DescribeTaskDefinition's 50 and 20/s half our share: whoever follows logs reads definitions too.
        Lane.DEFINITION_READ: LaneLimit(
            burst=25 * aws_share, per_second=10 * aws_share, at_once=AT_ONCE[Lane.DEFINITION_READ]
        ),
        Lane.GROUP: LaneLimit(burst=10, per_second=2, at_once=AT_ONCE[Lane.GROUP]),
        # TerminateInstances: 100 burst, 5/s of requests (EC2 API: Request throttling).
        Lane.EC2: LaneLimit(burst=100 * aws_share, per_second=5 * aws_share, at_once=AT_ONCE[Lane.EC2]),
    }


class Lanes:
    """Free slots by lane; told of every call that is sent and heard."""

    def __init__(self, limits: dict[Lane, LaneLimit]) -> None:
        """Every bucket is full."""
        self._limits = limits
        self._buckets = {
            lane: TokenBucket(max(1.0, each.burst), each.per_second, _SLOWEST.get(lane, 2.0))
            for lane, each in limits.items()
        }
        self._under_way = dict.fromkeys(limits, 0)
        self._closed = False

    def close(self) -> None:
        """No lane has a slot from now on; outcomes are still heard."""
        self._closed = True

    def slots(self, now_ms: int) -> dict[Lane, int]:
        """How many calls each lane may send now."""
        if self._closed:
            return dict.fromkeys(self._limits, 0)
        return {
            lane: max(0, min(bucket.available(now_ms), self._limits[lane].at_once - self._under_way[lane]))
            for lane, bucket in self._buckets.items()
        }

    def sent(self, call: Call, now_ms: int) -> None:
        """A call took a token and is under way."""
        lane = LANE_OF[type(call)]
        self._under_way[lane] += 1
        for bucket in self._taken_of(lane):
            bucket.take(now_ms)

    def heard(self, outcome: Outcome, now_ms: int) -> None:
        """A call ended: its further requests are owed, and a throttle slows its lane and those within it."""
        lane = LANE_OF[type(outcome.call)]
        self._under_way[lane] -= 1
        refused = isinstance(outcome.answer, Failure) and outcome.answer.throttled
        throttled = refused and outcome.requests > 0  # our own store may be slow as well
        for bucket in self._taken_of(lane):
            bucket.take(now_ms, max(0, outcome.requests - 1))
            if throttled:
                bucket.throttled(now_ms)
        for within, of in _WITHIN.items():
            if throttled and of is lane:
                self._buckets[within].throttled(now_ms)

    def next_token_ms(self, now_ms: int) -> int:
        """When the next empty bucket has a token again."""
        return min(bucket.next_token_ms(now_ms) for bucket in self._buckets.values() if bucket.tokens < 1)

    def any_empty(self) -> bool:
        """True when some lane waits for a token."""
        return any(bucket.tokens < 1 for bucket in self._buckets.values())

    def _taken_of(self, lane: Lane) -> Iterator[TokenBucket]:
        yield self._buckets[lane]
        if lane in _WITHIN:
            yield self._buckets[_WITHIN[lane]]
