"""The production driver: real threads, with a scripted AWS behind the pool of calls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from scheduler.adapters.system import SystemClock
from scheduler.core.model.answers import Answer, Message, Outcome, Started, Wake
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.calls import Call, StartTask
from scheduler.core.model.records import StoredRecord
from scheduler.core.model.task import TaskState
from scheduler.services import driver as driver_module
from scheduler.services.control_loop import ControlLoop, Step
from scheduler.services.driver import CallPool, Driver
from scheduler.services.lanes import Lanes, default_limits
from scheduler.services.writer import Reply, Writer
from tests.builders import a_world, an_ecs_task, an_instance, attempt, submitted, task_id
from tests.services.fakes import FULL, WAIT_S, CountedIds, GatedStore, ScriptedAws
from tests.services.steps import ready

pytestmark = pytest.mark.timeout(30)


@dataclass
class Running:
    """A driver with its writer and pool, over one container instance that was read once."""

    aws: ScriptedAws
    store: GatedStore = field(default_factory=GatedStore)
    loop_type: type[ControlLoop] = ControlLoop

    def __post_init__(self) -> None:
        world = ready(a_world(an_instance(1)))
        lanes = Lanes(default_limits(0.5))
        loop = self.loop_type(world, lanes, CountedIds(), "ci")
        self.failed = Event()
        self.changed: SimpleQueue[None] = SimpleQueue()
        self.writer = Writer(
            self.store,
            committed=lambda message: self.driver.deliver(message),
            advanced=lambda: self.changed.put(None),
            health=lambda writable: None,
        )
        self.driver = Driver(
            loop, lanes=lanes, writer=self.writer, clock=SystemClock(), failed=self.failed.set
        )
        self.pool = CallPool(self.aws.carry_out, self.driver.deliver, threads=4)

    def submit(self, number: int) -> Reply:
        answers: SimpleQueue[Reply] = SimpleQueue()
        # Accepted now: a task that has waited since the builders' own start would expire at once.
        self.writer.submit(submitted(number, at_ms=SystemClock().now_ms()), answers.put)
        return answers.get(timeout=WAIT_S)

    def await_state(self, number: int, state: TaskState) -> None:
        """Waits, from commit to commit, until the task is in that state."""
        while self.state(number) is not state:
            self.changed.get(timeout=WAIT_S)

    def await_attempt(self, number: int, state: AttemptState) -> None:
        while self._attempts(number)[-1:] != [state]:
            self.changed.get(timeout=WAIT_S)

    def state(self, number: int) -> TaskState | None:
        task = self.store.get(task_id(number))
        return task.status.state if task else None

    def _attempts(self, number: int) -> list[AttemptState]:
        task = self.store.get(task_id(number))
        return [each.state for each in task.attempts] if task else []


@contextmanager
def running(
    aws: ScriptedAws, store: GatedStore | None = None, loop_type: type[ControlLoop] = ControlLoop
) -> Iterator[Running]:
    each = Running(aws, store or GatedStore(), loop_type)
    each.writer.start(each.failed.set)
    each.driver.start(each.pool)
    try:
        yield each
    finally:
        each.driver.stop()
        each.writer.stop()


def pending(call: Call) -> Answer:
    assert isinstance(call, StartTask)
    return Started(task=an_ecs_task(attempt(attempt_id=call.attempt_id)))


def defective(call: Call) -> Answer:
    raise KeyError("a defect")


@pytest.fixture
def quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause after a failed commit that a test can wait for."""
    monkeypatch.setattr(driver_module, "STORE_PAUSE_S", 0.02)


def test_a_submission_leads_to_a_commit_and_a_call() -> None:
    """From the writer through inbox, step and commit to AWS, and back with the outcome."""
    with running(ScriptedAws(StartTask=pending)) as service:
        service.submit(1)
        call = service.aws.await_call(StartTask)
        assert isinstance(call, StartTask)
        assert call.task_id == task_id(1)
        service.await_state(1, TaskState.STARTING)


def test_the_intent_is_durable_before_the_call() -> None:
    """When StartTask arrives at AWS the store already knows its attempt."""
    known: SimpleQueue[str] = SimpleQueue()

    def start(call: Call) -> Answer:
        task = service.store.get(task_id(1))
        known.put(task.attempts[-1].attempt_id if task and task.attempts else "")
        return pending(call)

    with running(ScriptedAws(StartTask=start)) as service:
        service.submit(1)
        call = service.aws.await_call(StartTask)
        assert isinstance(call, StartTask)
        assert known.get(timeout=WAIT_S) == call.attempt_id


def test_a_defect_in_a_call_is_an_unknown_outcome() -> None:
    """A defect of ours loses no outcome: the effect may have happened, so the attempt is looked for."""
    with running(ScriptedAws(StartTask=defective)) as service:
        service.submit(1)
        service.await_attempt(1, AttemptState.UNKNOWN)
        assert service.state(1) is TaskState.ASSIGNED


class DefectiveLoop(ControlLoop):
    """Fails for a reason that nobody foresaw."""

    def confirm(self, step: Step, stored: Sequence[StoredRecord]) -> int:
        raise KeyError("a defect")


def test_a_defect_of_the_loop_is_told() -> None:
    """A World that may be wrong decides no more: whoever runs the process hears of it, and ends it."""
    with running(ScriptedAws(), loop_type=DefectiveLoop) as service:
        assert service.failed.wait(WAIT_S)


@pytest.mark.usefixtures("quick_retry")
def test_a_full_disk_is_survived() -> None:
    """The loop's commits fail twice: nothing is sent meanwhile, and then the task starts once."""
    store = GatedStore([None, FULL, FULL])
    with running(ScriptedAws(StartTask=pending), store) as service:
        service.submit(1)
        service.await_state(1, TaskState.STARTING)
    assert _starts(service.aws) == 1


def _starts(aws: ScriptedAws) -> int:
    sent = [aws.sent.get_nowait() for _ in range(aws.sent.qsize())]
    return sum(isinstance(call, StartTask) for call in sent)


def test_a_slow_call_holds_up_nobody() -> None:
    """While one StartTask hangs, another task is accepted, decided on and started."""
    hanging = Event()

    def start(call: Call) -> Answer:
        assert isinstance(call, StartTask)
        if call.task_id == task_id(1):
            assert hanging.wait(WAIT_S)
        return pending(call)

    with running(ScriptedAws(StartTask=start)) as service:
        service.submit(1)
        service.await_state(1, TaskState.ASSIGNED)
        service.submit(2)
        service.await_state(2, TaskState.STARTING)
        assert service.state(1) is TaskState.ASSIGNED
        hanging.set()


class SlowStart:
    """A StartTask that begins, and is answered when it is released."""

    def __init__(self) -> None:
        self.begun, self.released = Event(), Event()

    def __call__(self, call: Call) -> Answer:
        self.begun.set()
        assert self.released.wait(WAIT_S)
        return pending(call)


@contextmanager
def stopping_during_a_start(store: GatedStore | None = None) -> Iterator[Running]:
    """A service that is being stopped while its first StartTask is under way, until the block's end."""
    start = SlowStart()
    with running(ScriptedAws(StartTask=start), store) as service:
        service.submit(1)
        assert start.begun.wait(WAIT_S)
        stopping = Thread(target=service.driver.stop)
        stopping.start()
        stopping.join(timeout=0.1)
        assert stopping.is_alive()
        yield service
        start.released.set()
        stopping.join(timeout=WAIT_S)
        assert not stopping.is_alive()


def test_stopping_keeps_the_answers_that_it_waits_for() -> None:
    """No call is cut off by a stop, and what it did is durable: nothing is to be searched for afterwards."""
    with stopping_during_a_start() as service:
        assert service.state(1) is TaskState.ASSIGNED
    assert service.state(1) is TaskState.STARTING


def test_the_last_step_starts_nothing() -> None:
    """What was accepted during a stop is known, and waits for the next start."""
    with stopping_during_a_start() as service:
        service.submit(2)
    assert (service.state(1), service.state(2)) == (TaskState.STARTING, TaskState.QUEUED)
    assert _starts(service.aws) == 1


def test_a_stop_on_a_full_disk_ends() -> None:
    """The last outcome is lost with a store that cannot keep it; its attempt is looked for later."""
    with stopping_during_a_start(GatedStore([None, None, FULL, FULL])) as service:
        pass
    assert service.state(1) is TaskState.ASSIGNED
    assert not service.failed.is_set()


def test_a_stopped_driver_decides_no_more() -> None:
    """After a stop a submission stays QUEUED for the next start."""
    with running(ScriptedAws(StartTask=pending)) as service:
        service.driver.stop()
        service.submit(1)
        service.driver.deliver(Wake())
    assert service.state(1) is TaskState.QUEUED
    assert _starts(service.aws) == 0


def test_every_call_comes_back_as_one_outcome() -> None:
    """The pool answers each call once, whatever the number of its threads."""
    heard: SimpleQueue[Message] = SimpleQueue()
    pool = CallPool(ScriptedAws(StartTask=pending).carry_out, heard.put, threads=2)
    calls = [start_of(each) for each in range(20)]
    for call in calls:
        pool.submit(call)
    outcomes = [heard.get(timeout=WAIT_S) for _ in calls]
    pool.stop()
    answered = [each.call for each in outcomes if isinstance(each, Outcome)]
    assert sorted(answered, key=_attempt) == sorted(calls, key=_attempt)
    assert heard.empty()


def start_of(number: int) -> Call:
    of = attempt(number)
    return StartTask(
        attempt_id=of.attempt_id,
        task_id=of.task_id,
        container_instance_arn=of.container_instance_arn,
        task_definition_arn=of.task_definition_arn,
    )


def _attempt(call: Call) -> str:
    return getattr(call, "attempt_id", "")
