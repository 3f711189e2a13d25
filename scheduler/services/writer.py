"""The writer: the one thread that commits, so that many callers share one sync of the disk.

Group commit: whatever has gathered while the disk was busy becomes the next commit. Measured on SQLite
with WAL and synchronous=FULL: 64 callers reach about seven times the commits of one.

A fast disk is not busy for long enough: on one that syncs in 0.2 ms, 64 callers shared a commit by 1.6 on
average, and the fixed cost of a commit (0.7 ms of CPU) took half of the core that also has to answer them.
So a commit that found company is followed by one that waits for it. Who stays alone does not wait.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from scheduler.core.model.answers import Committed
from scheduler.core.model.records import (
    CancelRequested,
    FactRecorded,
    Record,
    ScaleRequested,
    StoredRecord,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.ports.store import CommitResult, StoreError, Written
from scheduler.services.errors import TooManyLines

MAX_BATCHES = 100
"""Batches of one commit: more would only make the first of them wait."""

GATHER_S = 0.003
"""How long a commit waits for company if the last one had some: with 64 callers some 27 share one.
Short, because calls have gathered before (`api/gathering.py`) and come in bunches. With 10 ms the callers
waited while a sixth of the core was idle."""

IDLE_S = 1.0
"""How often an idle writer looks after the store: probes one that cannot be written, compacts others."""

PROBE = (FactRecorded(key="probe", value="begun"), FactRecorded(key="probe", value="done"))
"""What it tries it with. Two values, so that one of them is a change that must reach the disk."""

log = structlog.get_logger()

Reply = CommitResult | TooManyLines | StoreError
"""What came of a batch."""

Done = Callable[[Reply], None]
Rest = Callable[[float], None]

Submitted = TaskSubmitted | CancelRequested | ScaleRequested | FactRecorded
"""What clients want (a fact is a reservation): it is durable before they are answered, and then told to the
loop."""


class Commits(Protocol):
    """What the writer needs of the store, or of what stands before it."""

    def commit(self, batches: Sequence[Sequence[Record]]) -> Sequence[CommitResult | TooManyLines]:
        """As `ports/store.py:Store.commit`; a request may be refused without having met the disk."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    records: tuple[Record, ...]
    done: Done
    announce: bool


class Writer:
    """Commits batches of records in the order in which they were handed over.

    `committed` hears the records that were submitted, to fold them into the World; `advanced` hears that the
    logs of task events and scaling events may have grown; `health` hears whether the store can be written;
    `compact` may make the store smaller, between two commits and while there are none. All on the writer's
    thread.

    While the store cannot be written an idle writer probes it: balancers send nothing to a service that is
    NOT_SERVING, so no request would ever find out that the disk has room again.
    """

    def __init__(
        self,
        store: Commits,
        *,
        committed: Callable[[Committed], None],
        advanced: Callable[[], None],
        health: Callable[[bool], None],
        compact: Callable[[], None] = lambda: None,
        rest: Rest = time.sleep,
    ) -> None:
        """Nothing runs before `start`."""
        self._store = store
        self._compact = compact
        self._rest = rest
        self._committed = committed
        self._advanced = advanced
        self._health = health
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._taken: deque[_Job] = deque()
        self._had_company = False
        self._writable = True
        self._stopped = False
        self._failed: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self, failed: Callable[[], None]) -> None:
        """Starts the thread. `failed` hears, on it, that a defect has ended all commits."""
        self._failed = failed
        self._thread.start()

    def stop(self) -> None:
        """Commits what was handed over and ends the thread."""
        self._jobs.put(None)
        self._thread.join()

    def submit(self, record: Submitted, done: Done) -> None:
        """Commits what a client wants; `done` is called on the writer's thread. Never blocks."""
        self._jobs.put(_Job((record,), done, announce=True))

    def commit(self, records: tuple[Record, ...]) -> tuple[StoredRecord, ...]:
        """Commits the loop's records and waits for the disk. Raises StoreError; nothing is kept then."""
        answers: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._jobs.put(_Job(records, answers.put, announce=False))
        answer = answers.get()
        if isinstance(answer, StoreError):
            raise answer
        if not isinstance(answer, Written):
            raise StoreError(f"the loop's own records were refused: {answer}")
        return number(records, answer.first_revision)

    def _run(self) -> None:
        try:
            self._commit_until_stopped()
        except Exception as error:
            # A defect of ours. What it left half done nobody knows, so nothing more is committed, and the
            # process is told to end; until then nobody waits in vain.
            log.exception("writer.defect")
            self._refuse_until_stopped(StoreError(f"a defect ended the writer ({type(error).__name__})"))

    def _commit_until_stopped(self) -> None:
        while not self._stopped:
            try:
                self._gather()
            except queue.Empty:
                self._look_after_store()
            if self._taken:
                self._write(tuple(self._taken))

    def _gather(self) -> None:
        """Takes what has gathered. Raises Empty when nothing has for a while."""
        job = self._jobs.get(timeout=IDLE_S)
        if self._had_company:
            self._rest(GATHER_S)
        while job is not None:
            self._taken.append(job)
            if len(self._taken) == MAX_BATCHES or self._jobs.empty():
                break
            job = self._jobs.get()
        self._had_company = len(self._taken) > 1
        self._stopped = job is None

    def _write(self, jobs: Sequence[_Job]) -> None:
        try:
            results = self._store.commit([job.records for job in jobs])
        except StoreError as error:
            self._tell_health(writable=False)
            self._answer([error] * len(jobs))
            return
        if any(isinstance(each, Written) for each in results):  # who was refused has proved nothing
            self._tell_health(writable=True)
        self._announce(jobs, results)
        self._answer(results)
        self._advanced()
        self._compact()

    def _look_after_store(self) -> None:
        if self._writable:
            self._compact()
        else:
            self._probe()

    def _probe(self) -> None:
        try:
            self._store.commit([PROBE])
        except StoreError:
            return
        self._tell_health(writable=True)

    def _tell_health(self, *, writable: bool) -> None:
        self._writable = writable
        self._health(writable)

    def _answer(self, answers: Sequence[Reply]) -> None:
        """Answers those that were taken, in their order; who was answered is not answered again."""
        for answer in answers:
            self._taken.popleft().done(answer)

    def _refuse_until_stopped(self, error: StoreError) -> None:
        _tell(lambda: self._health(False))
        _tell(self._failed)
        while True:
            while self._taken:
                _tell(partial(self._taken.popleft().done, error))
            if self._stopped:
                return
            job = self._jobs.get()
            self._stopped = job is None
            self._taken.extend([job] if job else [])

    def _announce(self, jobs: Sequence[_Job], results: Sequence[Reply]) -> None:
        """What was submitted enters the World in the order of the commit, in one message."""
        submitted = tuple(
            stored
            for job, result in zip(jobs, results, strict=True)
            if job.announce and isinstance(result, Written)
            for stored in number(job.records, result.first_revision)
        )
        if submitted:
            self._committed(Committed(records=submitted))


def _tell(hearer: Callable[[], None]) -> None:
    """After a defect: one hearer that fails must not keep the others from hearing."""
    try:
        hearer()
    except Exception:
        log.exception("writer.defect")


def number(records: Sequence[Record], first_revision: int) -> tuple[StoredRecord, ...]:
    """The records with the revisions that a commit gave to the task events among them."""
    revision = first_revision
    numbered = []
    for record in records:
        if isinstance(record, TaskSubmitted | TaskTransitioned):
            numbered.append(StoredRecord(revision=revision, record=record))
            revision += 1
        else:
            numbered.append(StoredRecord(revision=0, record=record))
    return tuple(numbered)
