"""The queue's limit: a tenant's tasks wait in so many lines, and who would begin one more is refused.

A line (equal tenant, priority and shape) is what costs a decision something, and a row of GetCluster; how
many tasks stand in it does not matter. Measured at 1,000 full instances: 1,000 lines of one shape each cost
a decision 10 ms, 20,000 of them 400. Shapes alone would bound nothing: each may wait at 2,001 priorities.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scheduler.core.model.records import Record, TaskSubmitted, TaskTransitioned
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.core.world.backlog import LineKey
from scheduler.ports.store import CommitResult, LiveTask, Store, Written
from scheduler.services.errors import TooManyLines


@dataclass(slots=True)
class _Line:
    """One key for all tasks of the line: a hundred thousand of them would be some MB."""

    key: LineKey
    waiting: int = 0


class QueueLimit:
    """Commits to the store, but for requests that are beyond the limit.

    It is folded from what is committed, on the thread that commits: so two callers at once cannot both begin
    a tenant's last line, and after a restart it knows what waits. Tasks that come back to the queue always
    may: what was accepted stays accepted.
    """

    def __init__(self, store: Store, *, most: int) -> None:
        """Nobody waits. `most` lines a tenant."""
        self._store = store
        self._most = most
        self._lines: dict[LineKey, _Line] = {}
        self._of_tenant: Counter[str] = Counter()
        self._line_of: dict[str, _Line] = {}

    def resume(self, live: Iterable[LiveTask]) -> Iterator[LiveTask]:
        """Takes in the tasks that the store kept, and passes each on."""
        for each in live:
            task = each.queued
            self._enter(task.task_id, (task.tenant, task.priority, task.ask))
            if each.state is not TaskState.QUEUED:
                self._leave(task.task_id)
            yield each

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult | TooManyLines]:
        """As the store does; a batch that is refused is not handed to it."""
        begun: defaultdict[str, set[LineKey]] = defaultdict(set)
        refusals = [self._refusal(batch, begun) for batch in batches]
        within = [batch for batch, refusal in zip(batches, refusals, strict=True) if refusal is None]
        results = self._store.commit(within) if within else []
        for batch, result in zip(within, results, strict=True):
            if isinstance(result, Written):
                self._note(batch)
        rest = iter(results)
        return [refusal or next(rest) for refusal in refusals]

    def _refusal(self, batch: Sequence[Record], begun: defaultdict[str, set[LineKey]]) -> TooManyLines | None:
        """Why a batch is refused. `begun` are the new lines of its commit, by tenant."""
        submitted = batch[0]
        if not isinstance(submitted, TaskSubmitted):
            return None
        tenant, key = submitted.request.tenant, _key(submitted)
        if key in self._lines or key in begun[tenant]:
            return None
        if self._of_tenant[tenant] + len(begun[tenant]) < self._most:
            begun[tenant].add(key)
            return None
        # An accepted request stays accepted, full or not: the store gives it its first answer.
        if self._store.find_request(tenant, submitted.request.request_id):
            return None
        return TooManyLines(tenant, self._most)

    def _note(self, batch: Sequence[Record]) -> None:
        for record in batch:
            match record:
                case TaskSubmitted(task_id=task_id):
                    self._enter(task_id, _key(record))
                case TaskTransitioned():
                    self._move(record)

    def _move(self, moved: TaskTransitioned) -> None:
        if moved.previous is TaskState.QUEUED:
            self._leave(moved.task_id)
        if moved.state is TaskState.QUEUED:
            self._enter(moved.task_id, self._line_of[moved.task_id].key)
        if moved.state in TERMINAL_STATES:
            del self._line_of[moved.task_id]

    def _enter(self, task_id: str, key: LineKey) -> None:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(key)
            self._of_tenant[key[0]] += 1
        line.waiting += 1
        self._line_of[task_id] = line

    def _leave(self, task_id: str) -> None:
        line = self._line_of[task_id]
        line.waiting -= 1
        if line.waiting:
            return
        tenant = line.key[0]
        del self._lines[line.key]
        self._of_tenant[tenant] -= 1
        if not self._of_tenant[tenant]:
            del self._of_tenant[tenant]


def _key(submitted: TaskSubmitted) -> LineKey:
    return (submitted.request.tenant, submitted.request.priority, submitted.ask)
