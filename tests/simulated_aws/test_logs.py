"""CloudWatch Logs: writing, and reading page by page by the rules of its tokens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated_aws.driver import Answer, Driver, make_account, refused

STREAM = "builds/agent/1"
LAG_MS = 1_000


def an_account(*lines: str, **settings: Any) -> Driver:
    """With these lines in the stream, a millisecond apart, and visible."""
    account = make_account(log_visibility_lag_ms=LAG_MS, **settings)
    account.logs("CreateLogStream", logStreamName=STREAM)
    if lines:
        put(account, *lines)
        account.pass_ms(LAG_MS)
    return account


def put(account: Driver, *lines: str, at_ms: int | None = None) -> Answer:
    first_ms = account.clock.now_ms() if at_ms is None else at_ms
    events = [{"timestamp": first_ms + n, "message": line} for n, line in enumerate(lines)]
    return account.logs("PutLogEvents", logStreamName=STREAM, logEvents=events)


def page(account: Driver, token: str | None = None, **params: Any) -> tuple[list[str], str]:
    """The lines of the next page from the head, and the token behind it."""
    going_on = {"nextToken": token} if token else {}
    answer = account.logs("GetLogEvents", logStreamName=STREAM, **{"startFromHead": True} | going_on | params)
    return [each["message"] for each in answer["events"]], answer["nextForwardToken"]


def read_all(account: Driver, **params: Any) -> list[str]:
    """Every line, by the documented rule: until the same token comes back."""
    lines, token = page(account, **params)
    while True:
        more, following = page(account, token, **params)
        if following == token:
            assert more == []
            return lines
        lines, token = lines + more, following


def test_the_same_token_again_is_the_end() -> None:
    """Whoever asks with the last token gets it back, and later what has come meanwhile."""
    account = an_account("a", "b")
    _, end = page(account)
    assert page(account, end) == ([], end)
    put(account, "c")
    account.pass_ms(LAG_MS)
    lines, further = page(account, end)
    assert (lines, further != end) == (["c"], True)


def test_lines_are_visible_after_a_while() -> None:
    """What was taken in is read a moment later."""
    account = an_account()
    put(account, "a")
    assert page(account)[0] == []
    account.pass_ms(LAG_MS)
    assert page(account)[0] == ["a"]


@given(
    lines=st.lists(st.text(min_size=1, max_size=3), max_size=12),
    limit=st.integers(1, 5),
    page_events=st.integers(1, 4),
    empty=st.booleans(),
)
def test_every_line_is_read_once(lines: list[str], limit: int, page_events: int, empty: bool) -> None:
    """However small the pages are, and however many of them are empty."""
    account = an_account(*lines, log_page_events=page_events, empty_log_pages=empty)
    assert read_all(account, limit=limit) == lines


def test_an_empty_page_is_not_the_end() -> None:
    """Where another token came with it, more follows."""
    account = an_account("a", empty_log_pages=True)
    lines, token = page(account)
    assert (lines, page(account, token)[0]) == ([], ["a"])


def test_without_a_place_the_last_lines_come() -> None:
    """In order of time; the forward token goes on behind them."""
    account = an_account("a", "b", "c")
    last, token = page(account, startFromHead=False, limit=2)
    assert (last, page(account, token)) == (["b", "c"], ([], token))


def test_the_backward_token_leads_back() -> None:
    """To what was before the page."""
    account = an_account("a", "b", "c")
    answer = account.logs("GetLogEvents", logStreamName=STREAM, limit=1)
    assert page(account, answer["nextBackwardToken"], startFromHead=False)[0] == ["a", "b"]


def test_order_is_by_time_then_by_arrival() -> None:
    """A line that comes late stands where its time puts it, behind those of the same time."""
    account = an_account("a", "c")
    first_ms = account.clock.now_ms() - LAG_MS
    put(account, "b", at_ms=first_ms)
    account.pass_ms(LAG_MS)
    assert page(account)[0] == ["a", "b", "c"]


def test_a_late_line_is_not_read_by_who_is_past_it() -> None:
    """A token is a place among the events."""
    account = an_account("a", "b")
    _, end = page(account)
    put(account, "late", at_ms=account.clock.now_ms() - LAG_MS)
    account.pass_ms(LAG_MS)
    assert page(account, end) == ([], end)


def test_a_page_has_at_most_1_mib() -> None:
    """Each event counts 26 bytes more than its message."""
    line = "x" * 400_000
    account = an_account()
    for _ in range(3):
        put(account, line)
    account.pass_ms(LAG_MS)
    assert len(page(account)[0]) == 2


def test_the_time_can_be_bounded() -> None:
    """From startTime on, before endTime."""
    account = an_account("a", "b", "c")
    first_ms = account.clock.now_ms() - LAG_MS
    assert page(account, startTime=first_ms + 1, endTime=first_ms + 2)[0] == ["b"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"nextToken": "f/1"}, "nextToken is invalid"),
        ({"limit": 10_001}, "limit must be"),
        ({"nextToken": "f/" + "0" * 33 + "/s", "startFromHead": False}, "startFromHead must be true"),
    ],
)
def test_what_is_asked_wrongly_is_refused(params: dict[str, Any], said: str) -> None:
    """Tokens, limits and directions."""
    with refused("InvalidParameterException", said):
        page(an_account(), **params)


def test_what_is_not_there_is_refused() -> None:
    """Group and stream are told apart."""
    account = make_account()
    with refused("ResourceNotFoundException", "log stream does not exist"):
        account.logs("GetLogEvents", logStreamName="x")
    with refused("ResourceNotFoundException", "log group does not exist"):
        account.logs("CreateLogStream", logGroupName="x", logStreamName="x")


def test_what_is_there_is_not_made_again() -> None:
    """Group and stream are told apart."""
    account = an_account()
    with refused("ResourceAlreadyExistsException", "stream"):
        account.logs("CreateLogStream", logStreamName=STREAM)
    with refused("ResourceAlreadyExistsException", "group"):
        account.logs("CreateLogGroup")


@pytest.mark.parametrize("name", ["a:b", "a*", "", "x" * 513])
def test_a_streams_name_has_a_form(name: str) -> None:
    """Without colons and asterisks, of 1 to 512 characters."""
    with refused("InvalidParameterException", "logStreamName"):
        make_account().logs("CreateLogStream", logStreamName=name)


@pytest.mark.parametrize(
    ("times_ms", "said"), [((2, 1), "chronological"), ((0, 86_400_001), "24 hours"), ((0,) * 10_001, "10000")]
)
def test_a_batch_has_limits(times_ms: tuple[int, ...], said: str) -> None:
    """Order, span and number."""
    events = [{"timestamp": each, "message": "x"} for each in times_ms]
    with refused("InvalidParameterException", said):
        an_account().logs("PutLogEvents", logStreamName=STREAM, logEvents=events)


def test_a_batch_has_a_size() -> None:
    """1,048,576 bytes, 26 of them for each event."""
    with refused("InvalidParameterException", "bytes"):
        put(an_account(), "x" * 1_048_551)


def test_events_too_old_or_too_new_are_left_out() -> None:
    """The others are taken, and where they begin and end is told."""
    account = an_account()
    now_ms = account.clock.now_ms()
    old = put(account, "old", "good", at_ms=now_ms - 14 * 86_400_000 - 1)
    new = put(account, "good", "new", at_ms=now_ms + 2 * 3_600_000)
    account.pass_ms(3 * 3_600_000)
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert page(account)[0] == ["good", "good"]


def test_eleven_readings_a_second_are_one_too_many() -> None:
    """GetLogEvents is answered ten times a second in this region."""
    account = an_account(throttling=True)
    for _ in range(10):
        page(account)
    with refused("ThrottlingException", "Rate exceeded"):
        page(account)
    account.pass_ms(100)
    assert page(account)[0] == []
