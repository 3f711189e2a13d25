"""The screen: the whole story in one picture of some twenty lines, eighty columns wide."""

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ecs_scheduler.v1.scaling_pb2 import Cluster
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.cli import words
from scheduler.cli.demo.story import Story, ran, waited

STYLES = {
    "QUEUED": "yellow",
    "ASSIGNED": "cyan",
    "STARTING": "cyan",
    "RUNNING": "bold green",
    "SUCCEEDED": "green",
    "FAILED": "bold red",
}
BLOCK = "■"


def picture(story: Story, now_ms: int) -> RenderableType:
    """Counts by state, the group, and every task under its tenant."""
    beginning_ms = story.beginning_ms() or now_ms
    passed = words.duration(timedelta(milliseconds=now_ms - beginning_ms))
    tenants = Table.grid(padding=(0, 2))
    tenants.add_row(*(_tenant(name, tasks, now_ms) for name, tasks in story.by_tenant().items()))
    body = Group(_states(story), Text(), _group(story.cluster), Text(), tenants)
    return Panel(body, title="ecs-scheduler", subtitle=f"{passed} of the cluster's time", expand=False)


def _states(story: Story) -> Text:
    """One block a task, in the order in which tasks pass through their states."""
    counts = story.by_state()
    line = Text()
    for name in words.STATES:
        if counts[name]:
            line.append(f"{name} {counts[name]} ", STYLES[name])
            line.append(BLOCK * counts[name] + "  ", STYLES[name])
    return line


def _group(cluster: Cluster) -> Text:
    """One block for each container instance that works, an open one for each in flight, a dot up to max."""
    group, working = cluster.group, cluster.instances.schedulable
    line = Text("container instances ")
    line.append(BLOCK * working, "bold green")
    line.append("□" * group.in_flight, "yellow")
    line.append("·" * max(0, group.max_size - working - group.in_flight), "dim")
    line.append(f"  desired {group.desired_capacity}, in flight {group.in_flight}, able to work {working}")
    return line


def _tenant(name: str, tasks: list[Task], now_ms: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    table.add_column(Text(name, "bold not dim"), no_wrap=True, min_width=12)
    table.add_column("state", min_width=9)
    table.add_column("waited", justify="right", min_width=6)
    table.add_column("ran", justify="right", min_width=4)
    for task in tasks:
        state = words.state(task.state)
        run = ran(task, now_ms)
        table.add_row(
            task.build_key,
            Text(state, STYLES[state]),
            words.duration(waited(task, now_ms)),
            words.duration(run) if run is not None else "",
        )
    return table
