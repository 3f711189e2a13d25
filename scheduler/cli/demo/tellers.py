"""Tellers: who shows the story as it grows."""

from datetime import timedelta
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live

from ecs_scheduler.v1.task_pb2 import TaskEvent
from scheduler.cli import words
from scheduler.cli.demo.screen import picture
from scheduler.cli.demo.story import Story
from scheduler.ports.clock import Clock

FRAMES_PER_S = 8


class Teller(Protocol):
    """Shows the story within a `with` block."""

    def __enter__(self) -> "Teller": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def task_changed(self, event: TaskEvent) -> None:
        """The story has just heard this."""
        ...

    def capacity_changed(self) -> None:
        """The story has just seen another group."""
        ...


class LiveScreen:
    """One picture, redrawn in place."""

    def __init__(self, story: Story, clock: Clock, console: Console) -> None:
        self._live = Live(
            get_renderable=lambda: picture(story, clock.now_ms()),
            console=console,
            refresh_per_second=FRAMES_PER_S,
        )

    def __enter__(self) -> "LiveScreen":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def task_changed(self, event: TaskEvent) -> None:
        """The next frame has it."""

    def capacity_changed(self) -> None:
        """The next frame has it."""


class PlainLines:
    """One line for each change."""

    def __init__(self, story: Story, clock: Clock) -> None:
        self._story = story
        self._clock = clock

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def task_changed(self, event: TaskEvent) -> None:
        """Time, tenant, build, state, container instance."""
        task = event.task
        line = f"{task.tenant:<9} {task.build_key:<13} {words.state(task.state):<9} {words.instance(task)}"
        self._print(task.update_time.ToMilliseconds(), line)

    def capacity_changed(self) -> None:
        """Time and the group's numbers."""
        group, instances = self._story.cluster.group, self._story.cluster.instances
        line = (
            f"group     desired {group.desired_capacity}, in flight {group.in_flight}, "
            f"able to work {instances.schedulable}"
        )
        self._print(self._clock.now_ms(), line)

    def _print(self, at_ms: int, line: str) -> None:
        beginning_ms = self._story.beginning_ms() or at_ms
        passed = words.duration(timedelta(milliseconds=at_ms - beginning_ms))
        print(f"{passed:>5}  {line}".rstrip(), flush=True)
