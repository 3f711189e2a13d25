"""Request ids that are taken: those of tasks, and those of operators' wishes."""

from collections.abc import Sequence

from scheduler.core.model.records import Record, ScaleRequested, TaskSubmitted
from scheduler.core.model.scaling import ScaleWish
from scheduler.core.model.task import Task
from scheduler.ports.store import WISHES_KEPT, RequestTaken, WishTaken

Refusal = RequestTaken | WishTaken

_Key = tuple[str, ...]
"""(tenant, request_id) of a task's request, (request_id,) of a wish."""


class Requests:
    """What was asked for, each under its own id."""

    def __init__(self) -> None:
        self._tasks: dict[_Key, RequestTaken] = {}
        self._wishes: dict[_Key, WishTaken] = {}  # in their order

    def refusals(self, batches: Sequence[Sequence[Record]]) -> list[Refusal | None]:
        """Per batch, the earlier request or wish that refuses it. Of two in here the first wins."""
        taken: dict[_Key, Refusal] = {}
        refusals: list[Refusal | None] = []
        for batch in batches:
            own: dict[_Key, Refusal] = {}
            refusal: Refusal | None = None
            for record in batch:
                if isinstance(record, TaskSubmitted | ScaleRequested):
                    key, claim = _claim(record)
                    known = self._tasks.get(key) or self._wishes.get(key)
                    refusal = refusal or known or taken.get(key) or own.get(key)
                    own[key] = claim
            refusals.append(refusal)
            if refusal is None:
                taken.update(own)
        return refusals

    def take(self, record: TaskSubmitted | ScaleRequested) -> None:
        """Who asks for the same from now on is told of this one."""
        match _claim(record):
            case key, RequestTaken() as task:
                self._tasks[key] = task
            case key, WishTaken() as wish:
                self._wishes[key] = wish

    def find(self, tenant: str, request_id: str) -> RequestTaken | None:
        """The task that a request has become."""
        return self._tasks.get((tenant, request_id))

    def forget(self, task: Task) -> None:
        """The task's request is free again."""
        del self._tasks[task.tenant, task.request_id]

    def last_wish(self) -> ScaleWish | None:
        """The latest wish."""
        return next((each.wish for each in reversed(self._wishes.values())), None)

    def compact(self) -> None:
        """Forgets all wishes but the last ones."""
        for key in list(self._wishes)[:-WISHES_KEPT]:
            del self._wishes[key]


def _claim(record: TaskSubmitted | ScaleRequested) -> tuple[_Key, Refusal]:
    """What the record takes, and what a later one that wants the same is told."""
    if isinstance(record, ScaleRequested):
        return (record.wish.request_id,), WishTaken(wish=record.wish)
    request = record.request
    task = RequestTaken(task_id=record.task_id, fingerprint=record.fingerprint)
    return (request.tenant, request.request_id), task
