"""The verdict: what the simulated AWS's journal says, next to what the service said."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from statistics import median

from rich.table import Table

from ecs_scheduler.v1.task_pb2 import Task
from scheduler.cli import words
from scheduler.cli.demo.story import Story, waited

TASK_TAG = "ecs-scheduler:task"
"""The tag by which the service marks an ECS task with the task that it was started for."""


def starts_by_task(journal: Path) -> Counter[str]:
    """How many ECS tasks AWS really started for each of our tasks."""
    entries = (json.loads(line) for line in journal.read_text("utf-8").splitlines())
    return Counter(entry["tags"].get(TASK_TAG, "") for entry in entries if entry["effect"] == "StartTask")


def each_started_once(story: Story, starts: Counter[str]) -> bool:
    """Every task has one start in the journal, and nothing else has any."""
    return starts == Counter(dict.fromkeys(story.tasks, 1))


def summary(story: Story, starts: Counter[str], now_ms: int) -> Table:
    """One row a tenant, in the cluster's time."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("tenant")
    for heading in ("agents", "succeeded", "waited p50", "waited max", "ECS starts"):
        table.add_column(heading, justify="right")
    for name, tasks in story.by_tenant().items():
        table.add_row(name, *_row(tasks, starts, now_ms))
    return table


def _row(tasks: list[Task], starts: Counter[str], now_ms: int) -> list[str]:
    seconds = [waited(task, now_ms).total_seconds() for task in tasks]
    return [
        str(len(tasks)),
        str(sum(words.state(task.state) == "SUCCEEDED" for task in tasks)),
        words.duration(timedelta(seconds=median(seconds))),
        words.duration(timedelta(seconds=max(seconds))),
        str(sum(starts[task.task_id] for task in tasks)),
    ]
