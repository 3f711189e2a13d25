"""Bench `placement`: 1,000 tasks in one decision on 1,000 partly used container instances.

Subject: `pack`, on a fork of an index that is maintained, as in the control loop. Baseline: the scan, which
looks at every instance for every task. Both must put every task in the same place.
"""

from collections.abc import Callable
from time import process_time

from benchmarks.decision import tell_decision
from benchmarks.measure import Ratio, at_most, medians, tell
from benchmarks.workload import INSTANCES, M4_4XLARGE, TASKS, a_queue, an_index, grouped
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex, Room
from scheduler.core.placement.packer import pack

ROUNDS = 7
PACKS_PER_ROUND = 10

GOAL_US = 10.0
GOAL_OF_SCAN = 0.1

Placements = list[tuple[str, str]]


def run() -> list[Ratio]:
    """Microseconds a task, and the share of what the scan takes."""
    index, queue = an_index(), a_queue()
    groups = grouped(queue)

    def packed() -> Placements:
        result = pack(groups, index, limit=TASKS)
        return [(task.task_id, arn) for task, arn in result.placed]

    if packed() != scan(queue, index):
        raise AssertionError("the packer and the scan disagree")
    seen = medians(
        ROUNDS,
        {
            "pack": lambda: _us_a_task(lambda: pack(groups, index, limit=TASKS), PACKS_PER_ROUND),
            "scan": lambda: _us_a_task(lambda: scan(queue, index), 1),
        },
    )
    tell(
        f"placement: {TASKS:,} tasks on {INSTANCES:,} instances: {seen['pack']:.1f} us a task by the index, "
        f"{seen['scan']:.0f} us by the scan"
    )
    tell_decision()
    return [
        at_most(GOAL_US, "placement_us_per_task", seen["pack"]),
        at_most(GOAL_OF_SCAN, "placement_of_scan", seen["pack"] / seen["scan"]),
    ]


def scan(queue: list[QueuedTask], index: FreeIndex) -> Placements:
    """Best fit in its plainest form."""
    rooms = {room.arn: room for _, room in index.spots()}
    placed = []
    for task in queue:
        candidates = [room for room in rooms.values() if room.slots > 0 and room.holds(task.ask)]
        if not candidates:
            continue
        best = min(candidates, key=lambda room: _rank(room, task.ask))
        rooms[best.arn] = best._replace(
            cpu=best.cpu - task.ask.cpu,
            memory_mib=best.memory_mib - task.ask.memory_mib,
            slots=best.slots - 1,
        )
        placed.append((task.task_id, best.arn))
    return placed


def _rank(room: Room, ask: Resources) -> tuple[float, int, str]:
    """Least share left over, then the older one, then the ARN; the workload has no GPUs."""
    cpu, memory_mib = room.cpu - ask.cpu, room.memory_mib - ask.memory_mib
    left = max(cpu / M4_4XLARGE.cpu, memory_mib / M4_4XLARGE.memory_mib)
    return (left, room.launched_ms, room.arn)


def _us_a_task(decide: Callable[[], object], times: int) -> float:
    """The least disturbed of some runs, in CPU time of this process: others on the machine do not count."""
    return min(_cpu_s(decide) for _ in range(times)) / TASKS * 1e6


def _cpu_s(decide: Callable[[], object]) -> float:
    began_s = process_time()
    decide()
    return process_time() - began_s
