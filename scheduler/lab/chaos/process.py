"""The process that can die: a driver that is killed and restarted, and a store whose commits can kill."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from scheduler.bootstrap import Engine
from scheduler.core.model.records import Record
from scheduler.lab.clock import VirtualClock
from scheduler.lab.virtual_driver import Latency, VirtualDriver
from scheduler.ports.store import CommitResult, Store, StoreError, Written
from scheduler.services.errors import TooManyLines
from scheduler.services.writer import Submitted


class Killed(BaseException):
    """SIGKILL, right here. Nothing in the service may catch it."""


Reply = CommitResult | TooManyLines | None
"""What came of what a client has submitted; None if nobody answered."""


class ChaosDriver(VirtualDriver):
    """A virtual driver that stays down for a while when it is killed."""

    up: bool = True
    """Whether the process runs."""

    down_ms: int = 0
    """When it last was killed."""

    def __init__(
        self, start: Callable[[], Engine], clock: VirtualClock, *, seed: int, latency: Latency
    ) -> None:
        """Nobody waits for an answer."""
        self._waiting: list[tuple[Submitted, Callable[[Reply], None]]] = []
        super().__init__(start, clock, seed=seed, latency=latency)

    def submit(self, record: Submitted, done: Callable[[Reply], None]) -> None:
        """Commits it together with all that is submitted at this moment."""
        self._waiting.append((record, done))
        if len(self._waiting) == 1:
            self.at(self._clock.now_ms(), self._commit_waiting)

    def answer_with(self, latency: Latency) -> None:
        """Calls take so long from now on."""
        self._latency = latency

    @property
    def life(self) -> int:
        """How often the process was killed; what was sent in an earlier life was sent by nobody any more."""
        return self._life

    def kill(self, down_ms: int) -> None:
        """SIGKILL now, and a restart after `down_ms`; a second kill meanwhile changes nothing."""
        if not self.up:
            return
        self.end()
        self.at(self._clock.now_ms() + down_ms, self._rise)

    @property
    def has_plans(self) -> bool:
        """False when nothing is left to do: its process has ended, and whatever it had sent is done."""
        return bool(self._heap)

    def end(self) -> None:
        """SIGKILL now, and no restart."""
        self._life += 1
        self._wake_ms = None
        self._inbox.clear()
        self.up, self.down_ms = False, self._clock.now_ms()
        self._leave_unanswered()

    def _commit_waiting(self) -> None:
        if not self._waiting:
            return
        try:
            replies = self.commit_together([record for record, _ in self._waiting])
        except StoreError:
            self._leave_unanswered()
            return
        except Killed:
            self._leave_unanswered()
            raise
        waiting, self._waiting = self._waiting, []
        for (_, done), reply in zip(waiting, replies, strict=True):
            done(reply)

    def _leave_unanswered(self) -> None:
        waiting, self._waiting = self._waiting, []
        for _, done in waiting:
            done(None)

    def _rise(self) -> None:
        self.up = True
        self.engine = self._begin()


class OnCommit(Protocol):
    """Hears what became durable."""

    def __call__(self, batches: Sequence[Sequence[Record]], results: Sequence[CommitResult]) -> None:
        """The batches of one commit, and what came of each."""
        ...


Struck = Callable[[], None]
"""Hears that what had been announced befalls the service now."""


def _unheard() -> None:
    """Nobody wants to know."""


class MortalStore:
    """A store of the service, told to refuse commits, or to kill the process before or after one."""

    def __init__(self, store: Store, committed: OnCommit) -> None:
        """Everything but `commit` is the store's own."""
        self.inner = store
        self._committed = committed
        self.history: list[Sequence[Sequence[Record]]] = []
        self._refusals = 0
        self._refused: Struck = _unheard
        self._fuse = Fuse()
        self._kill_after = False

    def __getattr__(self, name: str) -> Any:
        """Readers are not in the way of anybody."""
        return getattr(self.inner, name)

    def refuse(self, count: int, struck: Struck) -> None:
        """The next `count` commits fail, as on a full disk."""
        self._refusals, self._refused = count, struck

    def kill_at(self, commits: int, struck: Struck, *, after: bool) -> None:
        """The process dies at the commit after so many, before or after it is durable."""
        self._fuse.light(commits, struck)
        self._kill_after = after

    def heal(self) -> None:
        """Nothing of the sort any more."""
        self._refusals = 0
        self._fuse.put_out()

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult]:
        """The store's own commit, unless it is told otherwise."""
        if self._refusals:
            self._refusals -= 1
            self._refused()
            raise StoreError("no space left on device")
        dies = self._fuse.burns_down()
        if dies and not self._kill_after:
            raise Killed
        results = self.inner.commit(batches)
        self.history.append(batches)
        self._committed(batches, results)
        if dies:
            raise Killed
        return results


class Fuse:
    """What the process dies of: burns down by one at each commit or act, once it is lit."""

    def __init__(self) -> None:
        """Not lit."""
        self._left: int | None = None
        self._struck: Struck = _unheard

    def light(self, length: int, struck: Struck) -> None:
        """So many are spared; `struck` is told when it has burnt down."""
        self._left, self._struck = length, struck

    def put_out(self) -> None:
        """Nothing dies of it any more."""
        self._left = None

    def burns_down(self) -> bool:
        """Whether it is at its end, and out with that."""
        if self._left is None:
            return False
        self._left -= 1
        if self._left >= 0:
            return False
        self._left = None
        self._struck()
        return True


def written(result: CommitResult) -> bool:
    """Whether the batch is durable."""
    return isinstance(result, Written)


Later = Callable[[int, Callable[[], None]], None]
"""Does something at a point in time."""
