"""The clients: they ask, ask again until somebody answers, repeat what they asked, and change their minds."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from scheduler.core.model.records import CancelRequested, TaskSubmitted
from scheduler.core.model.task import TaskRequest
from scheduler.lab.chaos.plan import Job
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.requests import request_of
from scheduler.lab.chaos.service import Service
from scheduler.lab.chaos.stage import Broken
from scheduler.lab.chaos.world import World
from scheduler.ports.store import CommitResult, RequestTaken, StoreError, TaskFilter
from scheduler.services.errors import InvalidRequest, NeverFits, TooManyLines
from scheduler.services.placement import PlacementService
from scheduler.services.writer import Writer

_AGAIN_S = 3
_PAGE = 3


class Client:
    """Sends one job of the plan, and whatever it does about it."""

    def __init__(self, world: World, service: Service, number: int, job: Job) -> None:
        """The `number` of a job makes its request id."""
        self._world = world
        self._service = service
        self._job = job
        self._number = number
        self._request = request_of(world.plan, number, job)
        self._wants_cancel = job.cancel_after_s is not None

    def begin(self) -> None:
        """Asks when its time comes."""
        job = self._job
        ask = self._ask_for(self._request)
        if job.when:
            ask = partial(self._world.moments.wait, job.when, 1, partial(self._world.after, 0, ask))
        self._world.after(job.at_s, ask)
        for pause_s in job.repeats_s:
            self._world.after(job.at_s + pause_s, self._ask_for(self._request))
        if job.changed_s is not None:
            other = request_of(self._world.plan, self._number, replace(job, image=job.image + 1))
            self._world.after(job.at_s + job.changed_s, self._ask_for(other))

    def cancel(self, task_id: str) -> None:
        """Asks for the task to be cancelled, until that is accepted."""
        if task_id in self._service.book.states:
            wish = CancelRequested(task_id=task_id, at_ms=self._service.clock.now_ms())
            if self._committed(wish, lambda: self.cancel(task_id)) is not None:
                self._world.tell("client", f"cancels {task_id}")

    def _ask_for(self, request: TaskRequest) -> Callable[[], None]:
        return lambda: self._ask(request)

    def _ask(self, request: TaskRequest) -> None:
        """Sends the request, until it is answered."""
        if not self._service.driver.up:
            self._world.after(_AGAIN_S, lambda: self._ask(request))
            return
        try:
            record = _placement(self._service).admit(request)
        except (InvalidRequest, NeverFits) as refusal:
            self._refused(refusal)
            return
        self._check_valid()
        result = self._committed(record, lambda: self._ask(request))
        if isinstance(result, RequestTaken):
            self._check_same(request, result)
            self._answered(result.task_id)
        elif isinstance(result, TooManyLines):
            self._refused(result)
        elif result is not None:
            self._answered(record.task_id)

    def _committed(
        self, record: TaskSubmitted | CancelRequested, again: Callable[[], None]
    ) -> CommitResult | TooManyLines | None:
        """What came of it; None if nobody answered, and it is tried again."""
        driver = self._service.driver
        try:
            if driver.up:
                return driver.commit(record)
        except StoreError:
            pass
        except Killed:
            self._world.after(_AGAIN_S, again)
            raise
        self._world.after(_AGAIN_S, again)
        return None

    def _answered(self, task_id: str) -> None:
        world, book = self._world, self._service.book
        key = (self._request.tenant, self._request.request_id)
        known = book.answers.setdefault(key, task_id)
        world.tell("client", f"{key[0]}/{key[1][:8]} is {task_id}")
        if known != task_id:
            raise Broken("requests_are_answered_alike", f"{key} was {known} and is {task_id}")
        read_back(self._service, task_id)
        if self._wants_cancel:
            self._wants_cancel = False
            world.after(self._job.cancel_after_s or 0, lambda: self.cancel(task_id))

    def _check_same(self, request: TaskRequest, taken: RequestTaken) -> None:
        """The API compares them, and refuses what is not the same."""
        asked = self._service.book.fingerprints[request.tenant, request.request_id]
        if taken.fingerprint != asked:
            raise Broken(
                "a_changed_request_is_refused", f"{taken.task_id} was asked for as {asked}, is {taken}"
            )

    def _check_valid(self) -> None:
        if self._job.invalid:
            raise Broken("nothing_invalid_is_accepted", f"{self._request}")

    def _refused(self, refusal: InvalidRequest | NeverFits | TooManyLines) -> None:
        self._world.tell("client", f"is refused: {refusal!r}")
        if isinstance(refusal, InvalidRequest) and not self._job.invalid:
            raise Broken("what_is_valid_is_accepted", f"{self._request}: {refusal!r}")


def read_back(service: Service, task_id: str) -> None:
    """GetTask, and ListTasks page by page: both show the task as it was last committed."""
    wanted, store = service.book.states[task_id], service.store.inner
    got, listed, after = store.get(task_id), None, ""
    while page := store.list_tasks(TaskFilter(), after, _PAGE):
        listed = next((each for each in page if each.task_id == task_id), listed)
        after = page[-1].task_id
    for name, seen in (("got", got), ("listed", listed)):
        if seen is None or seen.status.state is not wanted:
            raise Broken("readers_see_what_is_durable", f"{task_id} is {wanted} and {name} as {seen}")


def _placement(service: Service) -> PlacementService:
    """The service as the API has it. Its writer is not started: what is admitted the driver commits."""
    store = service.driver.engine.store
    writer = Writer(store, committed=lambda _: None, advanced=lambda: None, health=lambda _: None)
    return PlacementService(
        writer=writer,
        store=store,
        clock=service.clock,
        ids=service.ids,
        agents=service.driver.engine.settings.agents,
        digest=lambda: service.driver.engine.loop.digest,
    )
