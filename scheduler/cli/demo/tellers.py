"""Tellers: who shows the story as it grows."""

from datetime import timedelta
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live

from scheduler.cli import words
from scheduler.cli.demo.screen import CONDITIONS, grouped, picture
from scheduler.cli.demo.story import Entry, Story
from scheduler.ports.clock import Clock

FRAMES_PER_S = 8
NUMBERS_PAUSE_MS = 30_000
"""Of the cluster's time, between two lines with numbers."""


class Teller(Protocol):
    """Shows the story within a `with` block."""

    def __enter__(self) -> "Teller": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def tell(self, entry: Entry | None) -> None:
        """The story has a new entry, if there is one."""
        ...

    def progress(self, now_ms: int) -> None:
        """The story has just seen the cluster."""
        ...


class LiveScreen:
    """One picture, redrawn in place."""

    def __init__(self, story: Story, clock: Clock, console: Console) -> None:
        self._live = Live(
            get_renderable=lambda: picture(story, clock.now_ms(), console.width),
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

    def tell(self, entry: Entry | None) -> None:
        """The next frame has it."""

    def progress(self, now_ms: int) -> None:
        """The next frame has it."""


class PlainLines:
    """One line for each entry, and now and then one with the numbers."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._numbers = ""
        self._numbers_ms = -NUMBERS_PAUSE_MS

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def tell(self, entry: Entry | None) -> None:
        """Time, what, and why."""
        if entry is not None:
            self._print(entry.at_ms, f"{entry.head:<15} {entry.text}")

    def progress(self, now_ms: int) -> None:
        """The numbers, if they have changed and the last ones are not too young."""
        numbers = _numbers(self._story)
        if numbers != self._numbers and now_ms >= self._numbers_ms + NUMBERS_PAUSE_MS:
            self._numbers, self._numbers_ms = numbers, now_ms
            self._print(now_ms, numbers)

    def _print(self, at_ms: int, line: str) -> None:
        beginning_ms = self._story.beginning_ms() or at_ms
        passed = words.duration(timedelta(milliseconds=at_ms - beginning_ms))
        print(f"{passed:>5}  {line}".rstrip(), flush=True)


def _numbers(story: Story) -> str:
    """Agents by state, container instances by condition."""
    states, conditions, group = grouped(story.by_state()), story.by_condition(), story.cluster.group
    agents = ", ".join(f"{name} {count}" for name, count in states.items() if count)
    instances = [f"{each.value} {conditions[each]}" for each in CONDITIONS if conditions[each]]
    instances += [f"in flight {group.in_flight}"] if group.in_flight else []
    return f"agents: {agents or 'none'}; instances: {', '.join(instances) or 'none'}"
