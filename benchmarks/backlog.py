"""Bench `backlog`: what 100,000 waiting tasks cost: a decision, memory, and the start of the service.

Baseline of a decision: the same with 100 waiting. Memory and start are absolute: one process accepts the
tasks, the next one starts on the file that it leaves.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks.backlog_servers import CHUNKS, QUEUED, TENANTS, accept, start
from benchmarks.decision import a_world, decided, waiting
from benchmarks.measure import Ratio, at_most, medians, tell
from benchmarks.processes import SERVER_CORE, heard, running
from benchmarks.workload import SEED, a_task, an_instance
from scheduler.cli.interpreter import tune
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.world.world import World

FEW = 100
INSTANCES = 5_000
ROUNDS = 5
SHAPES = tuple(
    Resources(cpu=256 * cpu, memory_mib=1_004 * memory) for cpu in range(1, 11) for memory in range(1, 6)
)

GOAL_OF_FEW = 1.5
GOAL_KIB = 2.0
GOAL_START_S = 10.0


def run() -> list[Ratio]:
    """A decision as a multiple of one over few tasks; KiB a task; seconds from process to placement."""
    with TemporaryDirectory() as folder:
        store = Path(folder) / "store.sqlite3"
        accepted_kib = _accepted(store)
        start_s, loaded_kib = _started(store)
    tell(
        f"backlog: {accepted_kib:.2f} KiB for each of {QUEUED:,} tasks as accepted, {loaded_kib:.2f} as "
        f"loaded; the first is placed {start_s:.1f} s after the start of the process"
    )
    return [
        at_most(GOAL_OF_FEW, "backlog_decision_of_few", _decision_of_few()),
        at_most(GOAL_KIB, "backlog_kib_per_task", max(accepted_kib, loaded_kib)),
        at_most(GOAL_START_S, "backlog_start_s", start_s),
    ]


def _accepted(store: Path) -> float:
    """KiB a task, in the process that accepted them."""
    with running(accept, store, core=SERVER_CORE) as process:
        for _ in range(CHUNKS):
            heard(process)
        return float(heard(process)) / QUEUED / 1024


def _started(store: Path) -> tuple[float, float]:
    """Seconds until the first placement, and KiB a task, of a process that starts on a full store."""
    began_s = monotonic()
    with running(start, store, core=SERVER_CORE) as process:
        placed_s, grown = heard(process)
        return placed_s - began_s, grown / QUEUED / 1024


def _decision_of_few() -> float:
    few, many = _full_world(FEW), _full_world(QUEUED)
    tune()  # as the service is
    return max(_of_few(few, many, explain=explain) for explain in (False, True))


def _of_few(few: World, many: World, *, explain: bool) -> float:
    seen = medians(
        ROUNDS,
        {
            "few": lambda: decided(few, explain=explain)[0],
            "many": lambda: decided(many, explain=explain)[0],
        },
    )
    tell(
        f"backlog: view and decision at {INSTANCES:,} full instances"
        f"{', rejects counted' if explain else ''}: "
        f"{seen['few']:.2f} ms with {FEW} waiting, {seen['many']:.2f} ms with {QUEUED:,}"
    )
    return seen["many"] / seen["few"]


def _full_world(queued: int) -> World:
    """A World of full instances whose group is at its max size."""
    instances = [an_instance(number, NOTHING) for number in range(INSTANCES)]
    return a_world(instances, waiting(_queue(queued)), max_size=INSTANCES)


def _queue(count: int) -> Iterator[QueuedTask]:
    """Waiting tasks of any shape and tenant, in the order of the queue."""
    random = Random(SEED)
    for number in range(count):
        yield a_task(number, random.choice(SHAPES), f"tenant-{random.randrange(TENANTS)}")
