"""CloudWatch Logs' operations: log streams written and read."""

import re
from collections.abc import Iterable, Iterator, Sequence

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.errors import invalid_parameter
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.log_events import (
    BEGINNING,
    EVENT_OVERHEAD_BYTES,
    Key,
    LogEvent,
    LogStream,
    Token,
    read_token,
)
from scheduler.simulated_aws.log_groups import LogGroups
from scheduler.simulated_aws.operations import Service, operation
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present

# "The ':' (colon) and '*' (asterisk) characters are not allowed" (CloudWatch Logs API: CreateLogStream).
_STREAM_NAME = re.compile(r"[^:*]{1,512}")
_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")

# CloudWatch Logs API: PutLogEvents. Events outside are left out and told of; the others are taken.
_OLDEST_MS = 14 * 86_400_000
_NEWEST_MS = 2 * 3_600_000
_SPAN_MS = 86_400_000


class CloudWatchLogs:
    """The CloudWatch Logs service of the account."""

    def __init__(self, region: Region, groups: LogGroups) -> None:
        self._region = region
        self._groups = groups
        self.service = Service(
            operations={
                "CreateLogGroup": operation(self._create_log_group, "logGroupName!"),
                "CreateLogStream": operation(self._create_log_stream, "logGroupName! logStreamName!"),
                "PutLogEvents": operation(
                    self._put_log_events, "logGroupName! logStreamName! logEvents! sequenceToken"
                ),
                "GetLogEvents": operation(
                    self._get_log_events,
                    "logGroupName logStreamName! startTime endTime nextToken limit startFromHead",
                ),
            },
            missing=invalid_parameter,
            unknown_operation_code="UnknownOperationException",
        )

    def _create_log_group(self, params: Shape) -> Shape:
        _check_name("logGroupName", params["logGroupName"], _GROUP_NAME)
        self._groups.create_group(params["logGroupName"])
        return {}

    def _create_log_stream(self, params: Shape) -> Shape:
        _check_name("logStreamName", params["logStreamName"], _STREAM_NAME)
        self._groups.create_stream(params["logGroupName"], params["logStreamName"])
        self._region.record(Effect.CREATE_LOG_STREAM, **_named(params))
        return {}

    def _put_log_events(self, params: Shape) -> Shape:
        """Sequence tokens are ignored (CloudWatch Logs API: PutLogEvents)."""
        events = params["logEvents"]
        _check_batch(events)
        stream = self._groups.stream(params["logGroupName"], params["logStreamName"])
        times_ms = [event["timestamp"] for event in events]
        first, end = self._accepted(times_ms)
        self._groups.put(stream, [(event["timestamp"], event["message"]) for event in events[first:end]])
        self._region.record(Effect.PUT_LOG_EVENTS, **_named(params), events=end - first)
        rejected = present(
            tooOldLogEventEndIndex=first or None,
            tooNewLogEventStartIndex=end if end < len(events) else None,
        )
        return present(
            nextSequenceToken=f"{self._region.now_ms:056d}", rejectedLogEventsInfo=rejected or None
        )

    def _accepted(self, times_ms: Sequence[int]) -> tuple[int, int]:
        """The first event that is not too old, and the first after it that is too new."""
        now_ms = self._region.now_ms
        first = sum(each < now_ms - _OLDEST_MS for each in times_ms)
        return first, sum(each <= now_ms + _NEWEST_MS for each in times_ms)

    def _get_log_events(self, params: Shape) -> Shape:
        if "logGroupName" not in params:
            raise invalid_parameter("Exactly one of logGroupName and logGroupIdentifier is needed.")
        limit = params.get("limit", limits.LOG_EVENTS_PAGE.value)
        if not 1 <= limit <= limits.LOG_EVENTS_PAGE.value:
            raise invalid_parameter(f"limit must be between 1 and {limits.LOG_EVENTS_PAGE.value}.")
        token = read_token(params["nextToken"]) if "nextToken" in params else None
        from_head = params.get("startFromHead", False)
        # "If you are using a previous nextForwardToken value as the nextToken in this operation, you must
        # specify true for startFromHead" (CloudWatch Logs API: GetLogEvents).
        if token is not None and token.forward and not from_head:
            raise invalid_parameter("startFromHead must be true with a forward token.")
        stream = self._groups.stream(params["logGroupName"], params["logStreamName"])
        return self._page(stream, params, token, limit=min(limit, self._region.settings.log_page_events))

    def _page(self, stream: LogStream, params: Shape, token: Token | None, *, limit: int) -> Shape:
        forward = token.forward if token else params.get("startFromHead", False)
        behind = token.key if token else BEGINNING
        rest = stream.after(behind) if forward or token is None else stream.before(behind)
        wanted = [event for event in rest if self._is_wanted(event, params)]
        if forward and wanted and self._region.settings.empty_log_pages and not (token and token.paused):
            return _answer([], Token(forward=True, key=behind, paused=True), behind)
        chosen = list(_fitting(wanted if forward else reversed(wanted), limit))
        chosen = chosen if forward else chosen[::-1]
        if not chosen:
            # "If you have reached the end of the stream, it returns the same token you passed in."
            return _answer([], token or Token(forward=True, key=behind), behind)
        return _answer(chosen, Token(forward=True, key=chosen[-1].key), chosen[0].key)

    def _is_wanted(self, event: LogEvent, params: Shape) -> bool:
        """Visible by now; from `startTime` on, before `endTime`."""
        time_ms = event.key.time_ms
        return (
            event.visible_ms <= self._region.now_ms
            and time_ms >= params.get("startTime", 0)
            and time_ms < params.get("endTime", time_ms + 1)
        )


def _answer(events: Sequence[LogEvent], following: Token, first: Key) -> Shape:
    backward = Token(forward=False, key=first)
    return {
        "events": [
            {"timestamp": each.key.time_ms, "message": each.message, "ingestionTime": each.ingested_ms}
            for each in events
        ],
        "nextForwardToken": str(following if following.forward else Token(forward=True, key=first)),
        "nextBackwardToken": str(following if not following.forward else backward),
    }


def _fitting(events: Iterable[LogEvent], limit: int) -> Iterator[LogEvent]:
    """As many as one page holds, and one at least."""
    size_bytes = 0
    for number, event in enumerate(events):
        size_bytes += event.size_bytes
        if number and (number >= limit or size_bytes > limits.LOG_EVENTS_BYTES.value):
            return
        yield event


def _check_name(parameter: str, name: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(name):
        raise invalid_parameter(f"Value at '{parameter}' failed to satisfy constraint: {form.pattern}")


def _check_batch(events: list[Shape]) -> None:
    limits.refuse_above(limits.LOG_EVENTS_BATCH, len(events), of="logEvents", refusal=invalid_parameter)
    size_bytes = sum(len(event["message"].encode()) + EVENT_OVERHEAD_BYTES for event in events)
    limits.refuse_above(limits.LOG_EVENTS_BYTES, size_bytes, of="The batch", refusal=invalid_parameter)
    times_ms = [event["timestamp"] for event in events]
    if times_ms != sorted(times_ms):
        raise invalid_parameter("Log events in a single PutLogEvents request must be in chronological order.")
    if times_ms and times_ms[-1] - times_ms[0] > _SPAN_MS:
        raise invalid_parameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


def _named(params: Shape) -> Shape:
    return {"logGroupName": params["logGroupName"], "logStreamName": params["logStreamName"]}
