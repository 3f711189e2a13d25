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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from scheduler.core.model.calls import Committed
from scheduler.core.model.records import (
    CancelRequested,
    Record,
    StoredRecord,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.ports.store import CommitResult, Store, StoreError, Written

MAX_BATCHES = 100
"""Batches of one commit: more would only make the first of them wait."""

GATHER_S = 0.010
"""How long a commit waits for company if the last one had some: with 64 callers some 25 share one."""

COMPACT_EVERY = 10_000
"""Revisions between two compactions of the history: each deletes a few milliseconds' worth of rows."""

log = structlog.get_logger()

Done = Callable[[CommitResult | StoreError], None]
Rest = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Job:
    records: tuple[Record, ...]
    done: Done
    announce: bool


class Writer:
    """Commits batches of records in the order in which they were handed over.

    `committed` hears the records of submissions, to fold them into the World; `advanced` hears that there are
    new revisions to watch; `health` hears whether the store can be written. All on the writer's thread.
    """

    def __init__(
        self,
        store: Store,
        *,
        committed: Callable[[Committed], None],
        advanced: Callable[[], None],
        health: Callable[[bool], None],
        history: int = 1_000_000,
        rest: Rest = time.sleep,
    ) -> None:
        """Nothing runs before `start`. `history` revisions are kept for watches to resume from."""
        self._store = store
        self._history = history
        self._rest = rest
        self._compacted = store.revision()
        self._committed = committed
        self._advanced = advanced
        self._health = health
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._had_company = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Commits what was handed over and ends the thread."""
        self._jobs.put(None)
        self._thread.join()

    def submit(self, record: TaskSubmitted | CancelRequested, done: Done) -> None:
        """Commits what a client wants; `done` is called on the writer's thread. Never blocks."""
        self._jobs.put(_Job((record,), done, announce=True))

    def commit(self, records: tuple[Record, ...]) -> tuple[StoredRecord, ...]:
        """Commits the loop's records and waits for the disk. Raises StoreError; nothing is kept then."""
        answers: queue.SimpleQueue[CommitResult | StoreError] = queue.SimpleQueue()
        self._jobs.put(_Job(records, answers.put, announce=False))
        answer = answers.get()
        if isinstance(answer, StoreError):
            raise answer
        if not isinstance(answer, Written):
            raise StoreError(f"the loop's own records were refused: {answer}")
        return number(records, answer.first_revision)

    def _run(self) -> None:
        while True:
            jobs, last = self._gather()
            if jobs:
                self._write(jobs)
            if last:
                return

    def _gather(self) -> tuple[list[_Job], bool]:
        jobs: list[_Job] = []
        job = self._jobs.get()
        if self._had_company:
            self._rest(GATHER_S)
        while job is not None:
            jobs.append(job)
            if len(jobs) == MAX_BATCHES or self._jobs.empty():
                break
            job = self._jobs.get()
        self._had_company = len(jobs) > 1
        return jobs, job is None

    def _write(self, jobs: Sequence[_Job]) -> None:
        try:
            results = self._store.commit([job.records for job in jobs])
        except StoreError as error:
            self._health(False)
            for job in jobs:
                job.done(error)
            return
        self._health(True)
        self._announce(jobs, results)
        for job, result in zip(jobs, results, strict=True):
            job.done(result)
        self._advanced()
        self._compact()

    def _compact(self) -> None:
        revision = self._store.revision()
        if revision - self._compacted < COMPACT_EVERY:
            return
        self._compacted = revision
        try:
            self._store.compact(max(0, revision - self._history))
        except StoreError as error:
            # The history only stays longer than it must; the next round tries again.
            log.warning("store.not_compacted", reason=str(error))

    def _announce(self, jobs: Sequence[_Job], results: Sequence[CommitResult]) -> None:
        """Submissions enter the World in the order of their revisions, in one message a commit."""
        submitted = tuple(
            stored
            for job, result in zip(jobs, results, strict=True)
            if job.announce and isinstance(result, Written)
            for stored in number(job.records, result.first_revision)
        )
        if submitted:
            self._committed(Committed(records=submitted))


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
