"""Fakes that keep a port's contract and can fail, for the tests of the services."""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Event

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.model.answers import Answer, Failure, Outcome
from scheduler.core.model.calls import Call
from scheduler.core.model.records import Record, TaskSubmitted
from scheduler.ports.store import CommitResult, StoreError
from tests.builders import attempt_id, task_id

WAIT_S = 10.0
"""How long a test waits for another thread before it fails."""

FULL = StoreError("store: database or disk is full")


class CountedIds:
    """The ids port, counting: every id is new, and the same run makes the same ones."""

    def __init__(self) -> None:
        self._tasks = 0
        self._attempts = 0

    def task_id(self, now_ms: int) -> str:
        self._tasks += 1
        return task_id(self._tasks)

    def attempt_id(self) -> str:
        self._attempts += 1
        return attempt_id(0, self._attempts)


class GatedStore(MemoryStore):
    """A store whose disk is busy until the gate opens, and which tells how commits were grouped.

    `failures` are what the next commits meet, one each; a commit that meets an error changes nothing.
    """

    def __init__(self, failures: Sequence[StoreError | None] = ()) -> None:
        super().__init__()
        self.gate = Event()
        self.gate.set()
        self.entered: SimpleQueue[int] = SimpleQueue()
        self.commits: list[list[Sequence[Record]]] = []
        self._failures = list(failures)

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult]:
        self.entered.put(len(batches))
        assert self.gate.wait(WAIT_S), "the test never opened the gate"
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        self.commits.append(list(batches))
        return super().commit(batches)

    def submissions(self) -> list[str]:
        """Ids of the tasks that were submitted, in the order in which they became durable."""
        return [
            record.task_id
            for commit in self.commits
            for batch in commit
            for record in batch
            if isinstance(record, TaskSubmitted)
        ]


class ScriptedAws:
    """Answers calls from a script, by their kind; a kind without one fails, as an unreachable AWS would."""

    def __init__(self, **answers: Callable[[Call], Answer]) -> None:
        self.sent: SimpleQueue[Call] = SimpleQueue()
        self._answers = answers

    def carry_out(self, call: Call) -> Outcome:
        answer = self._answers.get(type(call).__name__, _unreachable)(call)
        self.sent.put(call)
        return Outcome(call=call, answer=answer, sent_ms=0)

    def await_call(self, kind: type[Call]) -> Call:
        """The next call of that kind."""
        while not isinstance(call := self.sent.get(timeout=WAIT_S), kind):
            continue
        return call


def _unreachable(call: Call) -> Answer:
    return Failure(definite=True, code="EndpointConnectionError", message="AWS cannot be reached")
