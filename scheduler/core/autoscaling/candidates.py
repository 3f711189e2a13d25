"""Candidates for removal, sorted by when they are due: maintained like the free index, never looked for."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

from scheduler.core.model.group import Candidate


class Candidates:
    """Members that could be removed: idle ones by since when, and old ones, idle or busy.

    The World puts and discards them one by one, so that a decision looks at those alone that may go.
    """

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        """These, to begin with."""
        self._all: dict[str, Candidate] = {}
        self._old: dict[str, Candidate] = {}
        self._idle: list[tuple[int, str]] = []
        for each in candidates:
            self.put(each)

    def __iter__(self) -> Iterator[Candidate]:
        """All of them."""
        return iter(self._all.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        """Whether they would be judged alike."""
        if not isinstance(other, Candidates):
            return NotImplemented
        return (self._all, self._old, self._idle) == (other._all, other._old, other._idle)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def get(self, arn: str) -> Candidate | None:
        """One of them, if it is."""
        return self._all.get(arn)

    def put(self, candidate: Candidate) -> None:
        """It could be removed, or something about it has changed."""
        self.discard(candidate.arn)
        self._all[candidate.arn] = candidate
        if candidate.too_old:
            self._old[candidate.arn] = candidate
        elif candidate.idle_since_ms is not None:
            insort(self._idle, (candidate.idle_since_ms, candidate.arn))

    def discard(self, arn: str) -> None:
        """It could not be removed any more."""
        candidate = self._all.pop(arn, None)
        if candidate is None or self._old.pop(arn, None) is not None or candidate.idle_since_ms is None:
            return
        del self._idle[bisect_left(self._idle, (candidate.idle_since_ms, arn))]

    def old(self) -> list[Candidate]:
        """Those that are too old."""
        return list(self._old.values())

    def idle(self, until_ms: int | None = None) -> list[Candidate]:
        """Those that are not, and have been idle since `until_ms` or longer; None: however short."""
        end = len(self._idle) if until_ms is None else bisect_right(self._idle, (until_ms, "\uffff"))
        return [self._all[arn] for _, arn in self._idle[:end]]
