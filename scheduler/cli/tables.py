"""Tables: how they are shown on a terminal, and to whatever they are piped to."""

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table

PLAIN_WIDTH = 240
"""Columns of a piped table: nothing wraps that a reader would have to put together again."""


def show(parts: Iterable[RenderableType]) -> None:
    """Prints the parts one below the other."""
    console = _console()
    with console.capture() as captured:
        for part in parts:
            console.print(part, highlight=False)
    # A table fills its last column with blanks, which would end up in whatever it is piped to.
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def width() -> int:
    """How many columns there are."""
    return _console().width


def facts() -> Table:
    """A table of two columns: what, and how it is."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    return table


def rows(*headings: str, numbers: frozenset[str] = frozenset()) -> Table:
    """A table under headings. Only its last column is wrapped; `numbers` are aligned to the right."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(
            heading, justify="right" if heading in numbers else "left", no_wrap=heading != headings[-1]
        )
    return table


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)
