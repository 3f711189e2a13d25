"""The logs port in memory: streams that somebody puts lines into; tokens are positions in them."""

from threading import Lock

from scheduler.ports.logs import LogLine, LogPage, LogPlace, LogPlaceGone, LogSource, LogStreamMissing


class MemoryLogs:
    """Any thread may call. A source has a stream from the first line on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: dict[LogSource, list[LogLine]] = {}

    def put(self, source: LogSource, *lines: LogLine) -> None:
        """Adds lines at the end of the source's stream."""
        with self._lock:
            self._streams.setdefault(source, []).extend(lines)

    def read(self, source: LogSource, place: LogPlace, limit: int) -> LogPage:
        """See the port."""
        with self._lock:
            lines = self._streams.get(source)
            if lines is None:
                raise LogStreamMissing("no line was put into the stream")
            start = _position(place, len(lines))
            page = tuple(lines[start : start + limit])
        return LogPage(lines=page, token=str(start + len(page)))


def _position(place: LogPlace, length: int) -> int:
    if not place.token:
        return 0 if place.last is None else max(0, length - place.last)
    if not place.token.isdecimal() or int(place.token) > length:
        raise LogPlaceGone("the token was not made for this stream")
    return int(place.token)
