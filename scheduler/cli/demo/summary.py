"""The summary: how long agents waited, and what the container instances were used for."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from rich.table import Table

from ecs_scheduler.v1.task_pb2 import Task
from scheduler.cli import words
from scheduler.cli.account import percentiles
from scheduler.cli.demo.books import Books, Run
from scheduler.cli.demo.story import Story, waited

_MINUTE_MS = 60_000
_SHARES = (50, 95)


def summary(story: Story, books: Books, now_ms: int) -> Table:
    """One row a tenant and one for all, in the cluster's time."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("tenant")
    for heading in ("agents", "succeeded", "waited p50", "waited p95", "ECS starts"):
        table.add_column(heading, justify="right")
    for name, tasks in story.by_tenant().items():
        table.add_row(name, *_row(tasks, books, now_ms))
    table.add_row("all", *_row(list(story.tasks.values()), books, now_ms))
    return table


def _row(tasks: Collection[Task], books: Books, now_ms: int) -> list[str]:
    waits_s = [waited(task, now_ms).total_seconds() for task in tasks]
    return [
        str(len(tasks)),
        str(sum(words.state(task.state) == "SUCCEEDED" for task in tasks)),
        *_shown(percentiles(waits_s, _SHARES).values()),
        str(sum(books.starts[task.task_id] for task in tasks)),
    ]


def _shown(waits_s: Collection[float]) -> Iterator[str]:
    """One cell a share, also where nobody has waited."""
    if not waits_s:
        yield from ("-" for _ in _SHARES)
    for wait_s in waits_s:
        yield words.duration(timedelta(seconds=wait_s))


def usage(story: Story, books: Books, now_ms: int) -> str:
    """Peak, as the picture has it, instance-minutes and utilisation, from the first request on."""
    from_ms = story.beginning_ms() or now_ms
    lives = [each.within(from_ms, now_ms) for each in books.instances.values()]
    minutes = sum(end_ms - begin_ms for begin_ms, end_ms in lives) / _MINUTE_MS
    share = utilisation(story, books, from_ms, now_ms)
    return (
        f"container instances: {story.peak} at the peak, {minutes:.0f} instance-minutes, {share:.0%} utilised"
    )


def utilisation(story: Story, books: Books, from_ms: int, until_ms: int) -> float:
    """Of the CPU that ran, from EC2's `running` to `terminated`, the share that running agents asked for."""
    cpu_of_type = {each.name: each.allocatable.cpu_units for each in story.cluster.group.instance_types}
    cpu_of_task = {task_id: task.resources.cpu_units for task_id, task in story.tasks.items()}
    used = sum(_ran_ms(run, until_ms) * cpu_of_task.get(run.task_id, 0) for run in books.runs.values())
    return used / (_offered(books, cpu_of_type, from_ms, until_ms) or 1)


def _offered(books: Books, cpu_of_type: Mapping[str, int], from_ms: int, until_ms: int) -> int:
    lives = [(each.instance_type, each.within(from_ms, until_ms)) for each in books.instances.values()]
    return sum(cpu_of_type.get(name, 0) * (end_ms - begin_ms) for name, (begin_ms, end_ms) in lives)


def _ran_ms(run: Run, until_ms: int) -> int:
    if run.running_ms is None:
        return 0
    return (run.stopped_ms or until_ms) - run.running_ms
