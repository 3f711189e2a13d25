"""The screen: the whole story in one picture of eighteen lines, eighty columns wide at most."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import accumulate, pairwise

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ecs_scheduler.v1.task_pb2 import Task
from scheduler.cli import words
from scheduler.cli.demo.story import Condition, Entry, Story

WIDTH = 80
ENTRIES = 6
_FRAME = 4
"""Columns of the border and its padding."""

_LABEL = 11

STATES = {
    "succeeded": ("█", "green", ("SUCCEEDED",)),
    "failed": ("✗", "bold red", ("FAILED", "CANCELLED", "EXPIRED")),
    "stopping": ("▓", "magenta", ("STOPPING",)),
    "running": ("▓", "bold green", ("RUNNING",)),
    "starting": ("▒", "cyan", ("STARTING", "ASSIGNED")),
    "queued": ("░", "yellow", ("QUEUED",)),
}
"""From what is done to what waits, for a bar fills from the left: glyph, style, and states of tasks."""

CONDITIONS = {
    Condition.BUSY: ("■", "bold green"),
    Condition.IDLE: ("□", "green"),
    Condition.LEAVING: ("▽", "magenta"),
    Condition.DISCONNECTED: ("✗", "bold red"),
}
IN_FLIGHT = ("◌", "yellow")
LEVELS = " ▁▂▃▄▅▆▇█"


def picture(story: Story, now_ms: int, columns: int) -> RenderableType:
    """Agents by tenant, container instances, both over time, and what was done last."""
    beginning_ms = story.beginning_ms() or now_ms
    width = min(columns, WIDTH)
    inner = width - _FRAME
    body = Group(
        *(_bar(name, tasks, inner) for name, tasks in story.by_tenant().items()),
        _states(story, inner),
        Text(),
        *_instances(story, inner),
        Text(),
        _timeline("queued", [each.queued for each in story.samples], inner),
        _timeline("instances", [each.instances for each in story.samples], inner),
        Text(),
        _entries(story.entries[-ENTRIES:], beginning_ms),
        *[Text()] * (ENTRIES - len(story.entries)),
    )
    passed = words.duration(timedelta(milliseconds=now_ms - beginning_ms))
    return Panel(body, title="ecs-scheduler", subtitle=f"{passed} of the cluster's time", width=width)


def _bar(tenant: str, tasks: Sequence[Task], width: int) -> Text:
    """One block a task, or less where there is no room for so many."""
    counts = grouped(Counter(words.state(task.state) for task in tasks))
    line = Text(f"{tenant:<{_LABEL}}", "bold", no_wrap=True, overflow="crop")
    room = min(len(tasks), width - _LABEL)
    edges = [0, *(reached * room // len(tasks) for reached in accumulate(counts.values()))]
    for name, (begin, end) in zip(counts, pairwise(edges), strict=True):
        glyph, style, _ = STATES[name]
        line.append(glyph * (end - begin), style)
    return line


def grouped(counts: Counter[str]) -> dict[str, int]:
    """Numbers of tasks as they are shown, in that order, zeros too."""
    return {name: sum(counts[state] for state in states) for name, (_, _, states) in STATES.items()}


def _states(story: Story, width: int) -> Text:
    counts = grouped(story.by_state())
    return _legend([(*STATES[name][:2], name, counts[name]) for name in STATES], width)


def _instances(story: Story, width: int) -> tuple[Text, Text]:
    """One glyph for each container instance, one for each in flight, a dot for each more up to max size."""
    group, conditions = story.cluster.group, story.by_condition()
    shown = [(*CONDITIONS[each], each.value, conditions[each]) for each in CONDITIONS]
    shown.append((*IN_FLIGHT, "in flight", group.in_flight))
    line = Text(f"{'instances':<{_LABEL}}", "bold", no_wrap=True, overflow="ellipsis")
    for glyph, style, _, count in shown:
        line.append(f"{glyph} " * count, style)
    line.append("· " * max(0, group.max_size - sum(count for *_, count in shown)), "dim")
    line.append(f" desired {group.desired_capacity}, {group.min_size} to {group.max_size}", "dim")
    return line, _legend(shown, width)


def _legend(shown: Iterable[tuple[str, str, str, int]], width: int) -> Text:
    """Glyph, word and number of what there is, on one line however narrow."""
    parts = [(f"{glyph} {name} {count}", style) for glyph, style, name, count in shown if count]
    line = Text("  ").join(Text(part, style) for part, style in parts)
    line.no_wrap, line.overflow = True, "ellipsis"
    if line.cell_len + _LABEL <= width:
        line.pad_left(_LABEL)
    return line


def _timeline(label: str, numbers: Sequence[int], width: int) -> Text:
    """A column for each part of the time so far, as high as the most in it."""
    most = max(numbers, default=0)
    tail = f"{most:>4} at most"
    room = min(width - _LABEL - len(tail), len(numbers))
    edges = [step * len(numbers) // room for step in range(room + 1)] if room > 0 else [0]
    heights = (max(numbers[begin:end]) for begin, end in pairwise(edges))
    columns = "".join(LEVELS[-(-height * (len(LEVELS) - 1) // (most or 1))] for height in heights)
    return Text(f"{label:<{_LABEL}}", "bold").append(columns, "cyan").append(tail, "dim")


def _entries(entries: Iterable[Entry], beginning_ms: int) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for entry in entries:
        style = "bold yellow" if entry.mishap else ""
        passed = words.duration(timedelta(milliseconds=entry.at_ms - beginning_ms))
        table.add_row(passed, Text(entry.head, style or "bold"), Text(entry.text, style))
    return table
