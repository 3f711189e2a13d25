"""The writer after a defect of ours: nobody waits in vain, and the process is told to end."""

from collections.abc import Sequence
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.memory.store import MemoryStore
from scheduler.adapters.system import SystemClock
from scheduler.bootstrap import App, build_engine
from scheduler.core.model.records import FactRecorded, Record
from scheduler.lab.stand_ins import SeededIds
from scheduler.ports.store import CommitResult, StoreError
from scheduler.services.writer import Reply, Writer
from scheduler.simulated_aws.account import SimulatedAws
from tests.builders import submitted
from tests.lab.worlds import CLUSTER, clients_of, settings
from tests.services.fakes import WAIT_S, GatedStore

pytestmark = pytest.mark.timeout(30)

Answers = SimpleQueue[Reply]
FACT = FactRecorded(key="a", value="b")


class Defective(MemoryStore):
    """A store that fails for a reason that nobody foresaw."""

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult]:
        raise KeyError("a defect")


class Watched:
    """A writer, and what it tells of its own end."""

    def __init__(self, store: MemoryStore) -> None:
        self.health: list[bool] = []
        self.failed = Event()
        self.answers: Answers = SimpleQueue()
        self.writer = Writer(
            store, committed=lambda message: None, advanced=lambda: None, health=self.health.append
        )
        self.writer.start(self.failed.set)

    def submit(self, number: int) -> Reply:
        self.writer.submit(submitted(number), self.answers.put)
        return self.answers.get(timeout=WAIT_S)


def test_a_defect_leaves_nobody_without_an_answer() -> None:
    """Who was in the commit is told, whoever comes later is told at once, and so is the loop."""
    each = Watched(Defective())
    assert [type(each.submit(number)) for number in (1, 2)] == [StoreError, StoreError]
    with pytest.raises(StoreError, match="defect"):
        each.writer.commit((FACT,))
    each.writer.stop()
    assert (each.failed.is_set(), each.health) == (True, [False])


def test_a_defect_in_one_answer_is_not_the_others() -> None:
    """One caller's own failure ends the writer too; those after it in the commit still hear."""
    store = GatedStore()
    store.gate.clear()
    each = Watched(store)

    def broken(result: Reply) -> None:
        raise KeyError("a defect")

    each.writer.submit(submitted(1), each.answers.put)
    assert store.entered.get(timeout=WAIT_S) == 1
    each.writer.submit(submitted(2), broken)
    each.writer.submit(submitted(3), each.answers.put)
    store.gate.set()
    each.answers.get(timeout=WAIT_S)
    assert isinstance(each.answers.get(timeout=WAIT_S), StoreError)
    each.writer.stop()
    assert each.failed.is_set()


def test_a_stop_that_meets_a_defect_ends() -> None:
    """What was to be committed last fails for good, and the thread ends all the same."""
    each = Watched(Defective())
    each.writer.submit(submitted(1), each.answers.put)
    each.writer.stop()
    assert isinstance(each.answers.get_nowait(), StoreError)


def test_the_service_ends_itself_after_a_defect_of_its_writer() -> None:
    """The app hears of it as it hears of the loop's, and can be stopped."""
    clock, failed, answers = SystemClock(), Event(), SimpleQueue[Reply]()
    cloud = AwsCloud(clients_of(SimulatedAws(clock)), cluster=CLUSTER)
    app = App(build_engine(settings(), clock=clock, ids=SeededIds(0), cloud=cloud, store=Defective()))
    app.start(failed.set)
    app.placement.submit(submitted(1), answers.put)
    assert isinstance(answers.get(timeout=WAIT_S), StoreError)
    assert failed.wait(WAIT_S)
    stopping = Thread(target=app.stop)
    stopping.start()
    stopping.join(WAIT_S)
    assert (stopping.is_alive(), app.defective) == (False, True)
