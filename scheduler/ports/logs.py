"""The logs port: what containers wrote, page by page."""

from dataclasses import dataclass
from typing import Protocol

PAGE_LINES = 2_000
"""Most lines of a page: they become one message in some milliseconds, on the loop that answers every call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """One container of one ECS task, which was started from this revision."""

    task_definition_arn: str
    ecs_task_arn: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where to read: behind a page's `token`, the `last` lines, or from the beginning. Not both are given."""

    token: str = ""
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One event of the stream; `time_ms` is the container's own time."""

    time_ms: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Lines in order, maybe none, and the token of the place behind them.

    The token that was read with is the end: nothing more is there yet. An empty page with another token is
    not: more may follow.
    """

    lines: tuple[LogLine, ...]
    token: str


class LogStreamMissing(Exception):
    """There is no such stream or group, yet or any more; the message is AWS's."""


class LogPlaceGone(Exception):
    """The token is too old to go on from, or was never handed out."""


class LogsNotReadable(Exception):
    """The container logs where nobody can read it from here; the message says where."""


class LogsDenied(Exception):
    """IAM does not allow it."""

    def __init__(self, permission: str) -> None:
        """`permission` is the action, as a policy spells it."""
        super().__init__(f"the service's role lacks the permission {permission}")
        self.permission = permission


class ContainerLogs(Protocol):
    """Who calls: only `services/logs`, from threads of its own, a few at a time.

    A reading is tried once. It raises one of the errors above, or CloudError for what AWS or the network
    does.
    """

    def read(self, source: LogSource, place: LogPlace, limit: int) -> LogPage:
        """At most `limit` lines from that place on."""
        ...
