"""Log streams: events in the order in which CloudWatch Logs reads them, and places between them."""

import re
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from scheduler.simulated_aws.errors import ApiError, invalid_parameter

EVENT_OVERHEAD_BYTES = 26
"""Counted with every event (CloudWatch Logs API: PutLogEvents)."""

# A place is the key of the event before it. A pause is a place at which one empty page was shown already.
_TOKEN = re.compile(r"(?P<way>[fb])/(?P<time>[0-9]{20})(?P<number>[0-9]{12})(?P<paused>[01])/s")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where an event stands: by its own time, then by its ingestion."""

    time_ms: int
    number: int


BEGINNING = Key(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a container, or whatever was put. It is read from `visible_ms` on."""

    key: Key
    message: str
    ingested_ms: int
    visible_ms: int

    @property
    def size_bytes(self) -> int:
        """What it takes of a page or of a batch."""
        return len(self.message.encode()) + EVENT_OVERHEAD_BYTES


@dataclass(slots=True, eq=False)
class LogStream:
    """The events of one stream, by their keys: one that comes late goes where its time puts it."""

    name: str
    created_ms: int
    events: list[LogEvent] = field(default_factory=list)

    def put(self, event: LogEvent) -> None:
        """Enter an event; whoever has read past its place will never see it."""
        insort(self.events, event, key=lambda each: each.key)

    def after(self, key: Key) -> list[LogEvent]:
        """Events behind a place."""
        return self.events[bisect_right(self.events, key, key=lambda each: each.key) :]

    def before(self, key: Key) -> list[LogEvent]:
        """Events in front of an event's place."""
        return self.events[: bisect_left(self.events, key, key=lambda each: each.key)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A page's token: the way to go on from an event's key (CloudWatch Logs API: GetLogEvents, nextToken)."""

    forward: bool
    key: Key
    paused: bool = False

    def __str__(self) -> str:
        """As it is handed out."""
        way = "f" if self.forward else "b"
        return f"{way}/{self.key.time_ms:020d}{self.key.number:012d}{int(self.paused)}/s"


def read_token(text: str) -> Token:
    """Refuses what was never handed out."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise invalid_token()
    key = Key(int(found["time"]), int(found["number"]))
    return Token(forward=found["way"] == "f", key=key, paused=found["paused"] == "1")


def invalid_token() -> ApiError:
    """CloudWatch Logs' refusal of a token that is malformed or older than 24 hours."""
    return invalid_parameter("The specified nextToken is invalid.")
