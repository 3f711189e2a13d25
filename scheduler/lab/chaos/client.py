"""The clients: they ask, ask again until somebody answers, repeat what they asked, and change their minds."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from scheduler.core.model.records import CancelRequested, TaskSubmitted
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import Task, TaskRequest
from scheduler.lab.chaos.plan import Job
from scheduler.lab.chaos.process import Reply
from scheduler.lab.chaos.requests import ask_of, request_of
from scheduler.lab.chaos.service import Service
from scheduler.lab.chaos.stage import Broken
from scheduler.lab.chaos.world import World
from scheduler.ports.store import CommitResult, RequestTaken, TaskFilter
from scheduler.services.errors import InvalidRequest, NeverFits, TooManyLines
from scheduler.services.placement import PlacementService
from scheduler.services.writer import Writer
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES

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
        self._sent: dict[str, TaskRequest] = {}
        """What each task id was offered for, whether it came to be one or not."""

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
            cancelled = partial(self._world.tell, "client", f"cancels {task_id}")
            self._commit(wish, lambda: self.cancel(task_id), lambda _: cancelled())

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
            self._refused(request, refusal)
            return
        self._check_valid()
        self._sent[record.task_id] = request
        self._commit(record, lambda: self._ask(request), partial(self._heard, record))

    def _heard(self, record: TaskSubmitted, result: CommitResult | TooManyLines) -> None:
        if isinstance(result, RequestTaken):
            self._check_same(record, result)
            self._answered(result.task_id)
        elif isinstance(result, TooManyLines):
            self._refused(record.request, result)
        else:
            self._answered(record.task_id)

    def _commit(
        self,
        record: TaskSubmitted | CancelRequested,
        again: Callable[[], None],
        done: Callable[[CommitResult | TooManyLines], None],
    ) -> None:
        """Tells what came of it; if nobody answers it is tried again."""

        def heard(reply: Reply) -> None:
            if reply is None:
                self._world.after(_AGAIN_S, again)
            else:
                done(reply)

        if self._service.driver.up:
            self._service.driver.submit(record, heard)
        else:
            heard(None)

    def _answered(self, task_id: str) -> None:
        world, book = self._world, self._service.book
        key = (self._request.tenant, self._request.request_id)
        known = book.answers.setdefault(key, task_id)
        world.tell("client", f"{key[0]}/{key[1][:8]} is {task_id}")
        if known != task_id:
            raise Broken("requests_are_answered_alike", f"{key} was {known} and is {task_id}")
        read_back(self._service)
        if self._wants_cancel:
            self._wants_cancel = False
            world.after(self._job.cancel_after_s or 0, lambda: self.cancel(task_id))

    def _check_same(self, record: TaskSubmitted, taken: RequestTaken) -> None:
        """The API compares them, and refuses what is not the same."""
        first = self._sent[taken.task_id]
        if (taken.fingerprint == record.fingerprint) is not (first == record.request):
            raise Broken(
                "a_changed_request_is_refused",
                f"{taken.task_id} is {taken} of {first}, and now it is {record}",
            )

    def _check_valid(self) -> None:
        if self._job.invalid:
            raise Broken("nothing_invalid_is_accepted", f"{self._request}")

    def _refused(self, request: TaskRequest, refusal: InvalidRequest | NeverFits | TooManyLines) -> None:
        self._world.tell("client", f"is refused: {refusal!r}")
        valid = isinstance(refusal, InvalidRequest) and not self._job.invalid
        fits = isinstance(refusal, NeverFits) and self._fits(ask_of(request))
        if valid or fits:
            raise Broken("what_is_valid_is_accepted", f"{request}: {refusal!r}")

    def _fits(self, ask: Resources) -> bool:
        """Whether one of the types registers room for it, when nothing else is there."""
        types = (INSTANCE_TYPES[each] for each in self._world.plan.account.instance_types)
        return any(
            ask.cpu <= each.cpu_units and ask.memory_mib <= each.registered_memory_mib for each in types
        )


def read_back(service: Service) -> None:
    """GetTask, and ListTasks page by page: both show each task once, as it was last committed."""
    store, listed, after = service.store.inner, list[Task](), ""
    while page := store.list_tasks(TaskFilter(), after, _PAGE):
        listed += page
        after = page[-1].task_id
    got = filter(None, map(store.get, service.book.states))
    for name, seen in (("got", got), ("listed", listed)):
        told = sorted((each.task_id, each.status.state) for each in seen)
        if told != sorted(service.book.states.items()):
            raise Broken("readers_see_what_is_durable", f"{name} are {told}, is {service.book.states}")


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
