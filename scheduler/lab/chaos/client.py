"""The clients: they ask, ask again until somebody answers, repeat what they asked, and change their minds."""

from random import Random

from scheduler.core.agents import AgentSettings
from scheduler.core.model.records import CancelRequested
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import Container, ContainersSpec, EnvironmentVariable, TaskRequest, Timeouts
from scheduler.lab.chaos.plan import Job
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.world import CLUSTER, FAMILY, Broken, World
from scheduler.ports.store import RequestTaken, StoreError
from scheduler.services.errors import InvalidRequest, NeverFits
from scheduler.services.placement import PlacementService
from scheduler.services.writer import Writer

_AGAIN_S = 3


class Client:
    """Sends one job of the plan, and whatever it does about it."""

    def __init__(self, world: World, number: int, job: Job) -> None:
        """The `number` of a job makes its request id."""
        self._world = world
        self._job = job
        self._request = request_of(job, Random(f"{world.plan.seed}/{number}"))
        self._wants_cancel = job.cancel_after_s is not None

    def begin(self) -> None:
        """Asks when its time comes."""
        self._world.after(self._job.at_s, self.ask)
        for pause_s in self._job.repeats_s:
            self._world.after(self._job.at_s + pause_s, self.ask)

    def ask(self) -> None:
        """Sends the request, until it is answered."""
        world = self._world
        if not world.driver.up:
            world.after(_AGAIN_S, self.ask)
            return
        try:
            record = _placement(world).admit(self._request)
            self._check_valid()
            result = world.driver.commit(record)
        except (InvalidRequest, NeverFits) as refusal:
            self._refused(refusal)
            return
        except StoreError:
            world.after(_AGAIN_S, self.ask)
            return
        except Killed:
            world.after(_AGAIN_S, self.ask)
            raise
        self._answered(result.task_id if isinstance(result, RequestTaken) else record.task_id)

    def cancel(self, task_id: str) -> None:
        """Asks for the task to be cancelled, until that is accepted."""
        world = self._world
        if task_id not in world.book.states:
            return
        try:
            if world.driver.up:
                world.driver.commit(CancelRequested(task_id=task_id, at_ms=world.clock.now_ms()))
                world.tell("client", f"cancels {task_id}")
                return
        except StoreError:
            pass
        except Killed:
            world.after(_AGAIN_S, lambda: self.cancel(task_id))
            raise
        world.after(_AGAIN_S, lambda: self.cancel(task_id))

    def _answered(self, task_id: str) -> None:
        world, key = self._world, (self._request.tenant, self._request.request_id)
        known = world.book.answers.setdefault(key, task_id)
        world.tell("client", f"{key[0]}/{key[1][:8]} is {task_id}")
        if known != task_id:
            raise Broken("requests_are_answered_alike", f"{key} was {known} and is {task_id}")
        if self._wants_cancel:
            self._wants_cancel = False
            world.after(self._job.cancel_after_s or 0, lambda: self.cancel(task_id))

    def _check_valid(self) -> None:
        if self._job.invalid:
            raise Broken("nothing_invalid_is_accepted", f"{self._request}")

    def _refused(self, refusal: InvalidRequest | NeverFits) -> None:
        self._world.tell("client", f"is refused: {refusal!r}")
        if isinstance(refusal, InvalidRequest) and not self._job.invalid:
            raise Broken("what_is_valid_is_accepted", f"{self._request}: {refusal!r}")


def request_of(job: Job, random: Random) -> TaskRequest:
    """The request that a job sends, each time the same."""
    text = f"{random.getrandbits(128):032x}"
    container = Container(
        name="agent",
        image=f"agent:{job.image}",
        resources=Resources(cpu=job.cpu, memory_mib=job.memory_mib),
        environment=(
            EnvironmentVariable(name="SIMULATED_RUN_MS", value=str(job.run_s * 1_000)),
            EnvironmentVariable(name="SIMULATED_EXIT_CODE", value=str(job.exit_code)),
        ),
    )
    return TaskRequest(
        request_id="-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])),
        tenant="" if job.invalid else job.tenant,
        priority=job.priority,
        labels={},
        spec=ContainersSpec(containers=(container,)),
        timeouts=Timeouts(
            queue_ms=_ms(job.queue_s), start_ms=_ms(job.start_s), run_ms=_ms(job.run_timeout_s)
        ),
        may_run_again=job.may_run_again,
    )


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1_000


def _placement(world: World) -> PlacementService:
    """The service as the API has it. Its writer is not started: what is admitted the driver commits."""
    store = world.driver.engine.store
    writer = Writer(store, committed=lambda _: None, advanced=lambda: None, health=lambda _: None)
    return PlacementService(
        writer=writer,
        store=store,
        clock=world.clock,
        ids=world.ids,
        agents=AgentSettings(family=FAMILY, cluster=CLUSTER),
        digest=lambda: world.driver.engine.loop.digest,
    )
