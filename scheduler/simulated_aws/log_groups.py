"""The account's log groups: their streams, and what is put into them."""

from collections.abc import Iterable
from itertools import count

from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.log_events import Key, LogEvent, LogStream
from scheduler.simulated_aws.region import Region

Line = tuple[int, str]
"""An event's time in milliseconds and its message."""


class LogGroups:
    """Log groups by name, each with its streams by name."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._numbers = count(1)
        self._groups: dict[str, dict[str, LogStream]] = {name: {} for name in region.settings.log_groups}

    def __contains__(self, group: str) -> bool:
        """Whether there is such a group."""
        return group in self._groups

    def create_group(self, group: str) -> None:
        """A new, empty group."""
        if group in self._groups:
            raise _exists("group")
        self._groups[group] = {}

    def create_stream(self, group: str, name: str) -> None:
        """A new, empty stream of a group."""
        streams = self._streams(group)
        if name in streams:
            raise _exists("stream")
        streams[name] = LogStream(name, self._region.now_ms)

    def stream(self, group: str, name: str) -> LogStream:
        """Refuses where group or stream is not there."""
        found = self._streams(group).get(name)
        if found is None:
            raise _missing("stream")
        return found

    def put(self, stream: LogStream, lines: Iterable[Line]) -> None:
        """Takes the lines in at the present; they are read a little later."""
        now_ms = self._region.now_ms
        for time_ms, message in lines:
            event = LogEvent(
                key=Key(time_ms, next(self._numbers)),
                message=message,
                ingested_ms=now_ms,
                visible_ms=now_ms + self._region.settings.log_visibility_lag_ms,
            )
            stream.put(event)

    def _streams(self, group: str) -> dict[str, LogStream]:
        if group not in self._groups:
            raise _missing("group")
        return self._groups[group]


def _missing(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"The specified log {what} does not exist.")


def _exists(what: str) -> ApiError:
    return ApiError("ResourceAlreadyExistsException", f"The specified log {what} already exists")
