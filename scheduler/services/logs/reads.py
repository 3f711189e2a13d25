"""The readings of all tails: each place of each stream once, however many want it, within one budget.

CloudWatch Logs answers GetLogEvents 25 times a second for a whole account and region, and 10 times in some
(CloudWatch Logs quotas), whoever asks. So the pause between two looks at the end of a stream grows with the
number of streams: 100 of them at 5 readings a second are looked at every 20 s.

Who follows the same stream wants the same readings, as soon as all have come to its end at the same moment:
those that are there are looked at back to back, and Docker's log driver sends what it has every 5 s, so that
between two such looks there is hardly ever a new line.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from scheduler.core.budget import TokenBucket
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import LogPage, LogPlace, LogSource

LEAST_PAUSE_MS = 1_000
"""Between two looks at the end of a stream."""

RETRY_PAUSES_MS = (1_000, 4_000)
"""Rest after a reading failed, by consecutive failures; then whoever wants it is told."""

READ_AT_ONCE = 4
"""Readings under way: a lost answer takes its time-out, and holds up no other stream."""

KEPT_BYTES = 256 * 1_024
"""Of the last pages at the end of each stream, for who is a little behind the others."""

DROPPED_REMEMBERED = 1_000
"""Places of a stream from which pages were kept and are not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One place of one stream."""

    source: LogSource
    place: LogPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of a reading that began at `began_ms`: a page, or why there is none."""

    reading: Reading
    began_ms: int
    found: LogPage | Exception


class Lagging(Exception):
    """What a tail wanted at the end of its stream was read by others too long ago."""


Answer = Callable[[Read], None]


@dataclass(slots=True, eq=False)
class _Wanted:
    due_ms: int
    number: int
    answers: list[Answer] = field(default_factory=list)
    is_live: bool = False
    failures: int = 0
    began_ms: int | None = None


class _Stream:
    """One stream's followers, and the last pages that were read at its end."""

    def __init__(self) -> None:
        self.followers = 0
        self.looks_ms = 0
        """When its end is looked at next, by whoever does."""
        self._pages: deque[Read] = deque()
        self._dropped: deque[LogPlace] = deque(maxlen=DROPPED_REMEMBERED)
        self._size_bytes = 0

    def keep(self, read: Read) -> None:
        """The newest page, and as many older ones as there is room for."""
        self._pages.append(read)
        self._size_bytes += _size_bytes(read)
        while len(self._pages) > 1 and self._size_bytes > KEPT_BYTES:
            oldest = self._pages.popleft()
            self._size_bytes -= _size_bytes(oldest)
            self._dropped.append(oldest.reading.place)

    def kept(self, reading: Reading) -> Read | None:
        """What was read there. Raises Lagging if it was dropped since."""
        if reading.place in self._dropped:
            raise Lagging
        return next((each for each in self._pages if each.reading == reading), None)


class LogReads:
    """What is wanted, when it is due, and who is told. No thread and no time of its own."""

    def __init__(self, per_s: float) -> None:
        """`per_s` is our share of the account's rate."""
        self._per_s = per_s
        self._bucket = TokenBucket(burst=max(1.0, per_s), per_second=per_s)
        self._wanted: dict[Reading, _Wanted] = {}
        self._streams: dict[LogSource, _Stream] = {}
        self._numbers = count()

    def join(self, source: LogSource) -> None:
        """One more follows the stream."""
        self._streams.setdefault(source, _Stream()).followers += 1

    def leave(self, source: LogSource) -> None:
        """One fewer does."""
        stream = self._streams[source]
        stream.followers -= 1
        if not stream.followers:
            del self._streams[source]

    def want(
        self, reading: Reading, answer: Answer, now_ms: int, *, at_end: bool, is_live: bool
    ) -> Read | None:
        """Has `answer` called with what comes of it, unless it is known already.

        `at_end`: nothing more was there a moment ago, so there is no hurry. `is_live`: who asks was at the
        end before, with the others that are. Raises Lagging if it is not with them any more.
        """
        if is_live and (known := self._streams[reading.source].kept(reading)):
            return known
        due_ms = self._look_ms(reading.source, now_ms) if at_end else now_ms
        wanted = self._wanted.setdefault(reading, _Wanted(due_ms, next(self._numbers)))
        wanted.due_ms = min(wanted.due_ms, due_ms)
        wanted.is_live |= is_live
        wanted.answers.append(answer)
        return None

    def unwant(self, reading: Reading, answer: Answer) -> None:
        """Whoever asked so has gone."""
        wanted = self._wanted.get(reading)
        if wanted is not None and answer in wanted.answers:
            wanted.answers.remove(answer)
            if not wanted.answers and wanted.began_ms is None:
                del self._wanted[reading]

    def take(self, now_ms: int) -> Reading | None:
        """The next reading to begin now, if one is due and the budget has room for it."""
        waiting = self._waiting()
        if not waiting or self._under_way >= READ_AT_ONCE:
            return None
        reading, wanted = waiting[0]
        if wanted.due_ms > now_ms or not self._bucket.available(now_ms):
            return None
        self._bucket.take(now_ms)
        wanted.began_ms = now_ms
        return reading

    def heard(self, reading: Reading, found: LogPage | Exception, now_ms: int) -> list[tuple[Answer, Read]]:
        """What to tell whom. One that failed is tried again first."""
        wanted = self._wanted[reading]
        began_ms, wanted.began_ms = wanted.began_ms, None
        if wanted.answers and self._is_tried_again(wanted, found, now_ms):
            return []
        del self._wanted[reading]
        read = Read(reading=reading, began_ms=began_ms or now_ms, found=found)
        stream = self._streams.get(reading.source)
        if stream is not None and wanted.is_live and isinstance(found, LogPage) and found.lines:
            stream.keep(read)
        return [(answer, read) for answer in wanted.answers]

    def next_due_ms(self, now_ms: int) -> int | None:
        """When `take` may have something, if nothing is heard or asked before."""
        waiting = self._waiting()
        if not waiting or self._under_way >= READ_AT_ONCE:
            return None
        return max(waiting[0][1].due_ms, self._bucket.next_token_ms(now_ms))

    @property
    def _under_way(self) -> int:
        return sum(wanted.began_ms is not None for wanted in self._wanted.values())

    def _waiting(self) -> list[tuple[Reading, _Wanted]]:
        waiting = [(key, wanted) for key, wanted in self._wanted.items() if wanted.began_ms is None]
        return sorted(waiting, key=lambda each: (each[1].due_ms, each[1].number))

    def _look_ms(self, source: LogSource, now_ms: int) -> int:
        """One moment for all who are at the end of the stream."""
        stream = self._streams[source]
        if stream.looks_ms <= now_ms:
            pause_ms = max(LEAST_PAUSE_MS, round(len(self._streams) / self._per_s * 1_000))
            stream.looks_ms = now_ms + pause_ms
        return stream.looks_ms

    def _is_tried_again(self, wanted: _Wanted, found: LogPage | Exception, now_ms: int) -> bool:
        if not isinstance(found, CloudError):
            return False
        if found.failure.throttled:
            self._bucket.throttled(now_ms)
            wanted.due_ms = now_ms
            return True
        if wanted.failures == len(RETRY_PAUSES_MS):
            return False
        wanted.due_ms = now_ms + RETRY_PAUSES_MS[wanted.failures]
        wanted.failures += 1
        return True


def _size_bytes(read: Read) -> int:
    assert isinstance(read.found, LogPage)
    return sum(len(line.text) for line in read.found.lines)
