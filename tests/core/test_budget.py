"""Token buckets: what they grant, and what they never do."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.budget import TokenBucket
from tests.clocks import START_MS

STEPS = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 10)), max_size=40)
"""Pauses, each with how many tokens are then asked for."""


def drained(burst: float = 10, per_second: float = 2) -> TokenBucket:
    """A bucket that is empty at START_MS."""
    bucket = TokenBucket(burst, per_second)
    take_all(bucket, START_MS)
    return bucket


def take_all(bucket: TokenBucket, now_ms: int) -> int:
    """Takes every whole token and tells how many there were."""
    count = bucket.available(now_ms)
    for _ in range(count):
        bucket.take(now_ms)
    return count


def test_a_burst_is_granted_at_once() -> None:
    """A fresh bucket is full, and a full one grants its whole burst without a pause."""
    assert take_all(TokenBucket(100, 40), START_MS) == 100


def test_tokens_come_back_at_the_sustained_rate() -> None:
    """Two tokens a second: one after 500 ms, three after 1.5 s, whatever was asked in between."""
    bucket = drained()
    assert [bucket.available(START_MS + ms) for ms in (0, 499, 500, 999, 1_500)] == [0, 0, 1, 1, 3]


def test_rest_never_saves_more_than_the_burst() -> None:
    """An hour of rest fills the bucket and no more."""
    assert drained().available(START_MS + 3_600_000) == 10


def test_a_throttle_empties_the_bucket_and_halves_its_rate() -> None:
    """AWS said no: what seemed to be left is gone, and for a minute tokens come half as fast."""
    bucket = TokenBucket(10, 2)
    bucket.throttled(START_MS)
    assert [bucket.available(START_MS + ms) for ms in (0, 999, 1_000, 4_000)] == [0, 0, 1, 4]


def test_a_throttle_is_forgiven_after_a_minute() -> None:
    """Once the minute is over the bucket refills at its whole rate."""
    bucket = TokenBucket(10, 2)
    bucket.throttled(START_MS)
    take_all(bucket, START_MS + 60_000)
    assert bucket.available(START_MS + 61_000) == 2


def test_another_throttle_starts_the_minute_again() -> None:
    """The bucket stays slow for a minute after the last refusal."""
    bucket = TokenBucket(10, 2)
    bucket.throttled(START_MS)
    bucket.throttled(START_MS + 9_000)
    assert [bucket.available(START_MS + 69_000 + ms) for ms in (-60_000, -1, 1_000)] == [0, 10, 10]
    take_all(bucket, START_MS + 69_000)
    assert bucket.available(START_MS + 70_000) == 2


def test_throttles_that_go_on_slow_the_bucket_further() -> None:
    """Every ten seconds by half, as others leave less than it takes; those of one moment count once."""
    bucket = TokenBucket(10, 2, slowest=32)
    for at_ms in (0, 1, 9_999, 10_000, 10_001, 20_000):
        bucket.throttled(START_MS + at_ms)
    assert [bucket.available(START_MS + 20_000 + ms) for ms in (0, 3_999, 4_000, 8_000)] == [0, 0, 1, 2]


def test_throttles_that_come_now_and_then_do_not_go_on() -> None:
    """Others' bursts every fifty seconds leave the half of the rate, and take back what was slower."""
    bucket = TokenBucket(10, 2, slowest=32)
    for at_s in (0, 10, 20, 30, 80, 130, 180):
        bucket.throttled(START_MS + at_s * 1_000)
    assert [bucket.available(START_MS + 180_000 + ms) for ms in (0, 999, 1_000)] == [0, 0, 1]


def test_a_bucket_that_makes_single_requests_is_halved_at_most() -> None:
    """What others leave is enough for one, whenever it comes."""
    bucket = TokenBucket(10, 2)
    for at_s in range(0, 100, 10):
        bucket.throttled(START_MS + at_s * 1_000)
    assert [bucket.available(START_MS + 90_000 + ms) for ms in (0, 999, 1_000)] == [0, 0, 1]


def test_a_token_is_promised_for_when_it_comes() -> None:
    """Slowly at first, and at the whole rate once the minute is over."""
    bucket = TokenBucket(10, 2)
    bucket.throttled(START_MS)
    bucket.take(START_MS, 89)
    promised_ms = bucket.next_token_ms(START_MS)
    assert promised_ms == START_MS + 60_000 + 15_000
    assert [bucket.available(promised_ms - 1), bucket.available(promised_ms)] == [0, 1]


def test_a_bucket_is_never_slowed_to_a_halt() -> None:
    """To one thirty-second of its rate, if that is the slowest, and then it begins with the half again."""
    bucket = TokenBucket(10, 2, slowest=32)
    for number in range(60):
        bucket.throttled(START_MS + number * 10_000)
    last_ms = START_MS + 590_000
    assert [bucket.available(last_ms + ms) for ms in (0, 15_999, 16_000)] == [0, 0, 1]
    bucket.throttled(last_ms + 60_000)
    assert bucket.available(last_ms + 61_000) == 1


def test_a_debt_is_paid_before_anything_is_granted() -> None:
    """A token taken from an empty bucket is owed: the next one comes a whole token later."""
    bucket = drained()
    bucket.take(START_MS)
    assert bucket.next_token_ms(START_MS) == START_MS + 1_000
    assert [bucket.available(START_MS + ms) for ms in (500, 1_000)] == [0, 1]


def test_a_clock_that_steps_back_adds_nothing() -> None:
    """Set back by an hour, the bucket keeps what it has, and refills from then on."""
    bucket = drained()
    hour_ago_ms = START_MS - 3_600_000
    assert bucket.available(hour_ago_ms) == 0
    assert bucket.available(hour_ago_ms + 500) == 1


def test_a_token_that_is_there_is_not_waited_for() -> None:
    """With a whole token left the next one is due now."""
    assert TokenBucket(10, 2).next_token_ms(START_MS) == START_MS


@given(steps=STEPS)
def test_no_span_of_time_gets_more_than_burst_and_refill(steps: list[tuple[int, int]]) -> None:
    """However one asks, AWS's own bucket would have granted it all: burst plus rate times time."""
    bucket, now_ms, taken = TokenBucket(10, 2), START_MS, 0
    for pause_ms, wanted in steps:
        now_ms += pause_ms
        for _ in range(min(wanted, bucket.available(now_ms))):
            bucket.take(now_ms)
            taken += 1
        assert taken <= 10 + 2 * (now_ms - START_MS) / 1000


@given(steps=STEPS, jumps=st.lists(st.integers(-10_000, 0), min_size=40, max_size=40))
def test_steps_back_never_grant_more(steps: list[tuple[int, int]], jumps: list[int]) -> None:
    """A clock that is set back again and again grants for the time that passed, never for the jumps."""
    bucket, now_ms, passed_ms, taken = TokenBucket(10, 2), START_MS, 0, 0
    for (pause_ms, wanted), jump_ms in zip(steps, jumps, strict=False):
        bucket.available(now_ms + jump_ms)
        now_ms, passed_ms = now_ms + jump_ms + pause_ms, passed_ms + pause_ms
        for _ in range(min(wanted, bucket.available(now_ms))):
            bucket.take(now_ms)
            taken += 1
        assert taken <= 10 + 2 * passed_ms / 1000


@given(taken=st.integers(1, 30), throttled=st.booleans())
def test_the_promised_token_is_there_when_it_was_promised(taken: int, throttled: bool) -> None:
    """Whoever waits until `next_token_ms` finds a token: nobody wakes in vain for ever."""
    bucket = TokenBucket(10, 2)
    for _ in range(taken):
        bucket.take(START_MS)
    if throttled:
        bucket.throttled(START_MS)
    due_ms = bucket.next_token_ms(START_MS)
    assert bucket.available(due_ms + 1) >= 1
