"""Traces: what a CI really asked for, row by row, and the part of it that is asked for again.

A trace is CSV, gzipped or not, with the header `submit_s,duration_s,cpu_units,memory_mib,group`: seconds
since its beginning, in order, and 1,024 CPU units a vCPU. It is read as a stream, once to choose the window
and once to feed it, so its length does not matter.
"""

import csv
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path
from typing import TextIO
from uuid import NAMESPACE_URL, uuid5

import typer

from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, WatchTasksRequest
from ecs_scheduler.v1.task_spec_pb2 import Container, ContainersSpec, EnvironmentVariable
from scheduler.cli import words
from scheduler.cli.options import duration

HEADER = ["submit_s", "duration_s", "cpu_units", "memory_mib", "group"]
IMAGE = "alpine:3.20"
RUN_LABEL, ROW_LABEL, DURATION_LABEL = "trace-run", "trace-row", "trace-duration-s"
"""Labels that every task of a trace carries."""

_GZIP = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_LONGEST_S = 31_536_000.0  # a year, the longest that the simulated AWS lets a task run
_AMOUNT = re.compile(r"[0-9]{1,9}")
_RUN_ID = re.compile("[A-Za-z0-9._-]{1,64}")
_LONGEST_TENANT = 63
_PARTS = re.compile(r"(?:[0-9]{1,9}[smhd])+")
_CLOCK = re.compile(r"(?P<hours>[0-9]{1,4}):(?P<minutes>[0-5][0-9])")


class TraceError(Exception):
    """The file is no trace, or has nothing where it was looked at; the message is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task that somebody once asked for."""

    number: int
    submit_s: float
    duration_s: float
    cpu_units: int
    memory_mib: int
    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a trace: from `start_s` on, before `end_s`."""

    start_s: float
    end_s: float
    arrivals: int
    """Rows in it."""

    rows: int
    """Rows of the whole trace."""

    def part_of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows in it; those behind it are not even read."""
        for row in rows:
            if row.submit_s >= self.end_s:
                return
            if row.submit_s >= self.start_s:
                yield row


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One feed of a trace; it may be repeated under its id, and nothing is asked for twice."""

    trace: str
    """The file's name, without its directory: where it lies does not matter."""

    run_id: str
    template: ScheduleRequest
    """What all requests have in common."""

    def watch(self) -> WatchTasksRequest:
        """Of all tasks the run's, once they have ended."""
        return WatchTasksRequest(labels={RUN_LABEL: self.run_id}, states=words.TERMINAL)

    def request(self, row: Row) -> ScheduleRequest:
        """The row as a request: the same row of the same run is the same request."""
        request = ScheduleRequest()
        request.CopyFrom(self.template)
        request.request_id = str(uuid5(NAMESPACE_URL, f"{self.trace}/{self.run_id}/{row.number}"))
        request.tenant = row.tenant
        request.labels[RUN_LABEL] = self.run_id
        request.labels[ROW_LABEL] = str(row.number)
        request.labels[DURATION_LABEL] = f"{row.duration_s:.3f}".rstrip("0").rstrip(".")
        request.containers.CopyFrom(ContainersSpec(containers=[_container(row)]))
        return request


def read_rows(path: Path) -> Iterator[Row]:
    """The rows, each checked as it is read. Raises TraceError, naming the line."""
    reader = None
    try:
        with _opened(path) as file:
            reader = csv.reader(file)
            yield from _rows(reader)
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: expected text in UTF-8") from error
    except (csv.Error, ValueError) as error:
        line = reader.line_num if reader else 1
        raise TraceError(f"{path}, line {line}: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def busiest_window(rows: Iterable[Row], length_s: float) -> Window:
    """Of all windows of this length the one with most arrivals; of several the first."""
    recent: deque[float] = deque()
    start_s, most, count = 0.0, 0, 0
    for row in rows:
        count += 1
        recent.append(row.submit_s)
        while recent[0] + length_s <= row.submit_s:
            recent.popleft()
        if len(recent) > most:
            start_s, most = recent[0], len(recent)
    return Window(start_s=start_s, end_s=start_s + length_s, arrivals=most, rows=count)


def window_at(rows: Iterable[Row], start_s: float, length_s: float) -> Window:
    """The window that begins there. Rows outside are read too: a bad one is found before any is submitted."""
    end_s = start_s + length_s
    inside, count = 0, 0
    for row in rows:
        count += 1
        inside += start_s <= row.submit_s < end_s
    return Window(start_s=start_s, end_s=end_s, arrivals=inside, rows=count)


def length(text: str) -> int:
    """Seconds, above zero. Raises typer.BadParameter."""
    seconds = duration(text).seconds
    if not seconds:
        raise typer.BadParameter("expected a duration above 0s")
    return seconds


def position(text: str) -> int | None:
    """Seconds since the beginning: `3h20m`, `90s` or `03:20`; `busiest` is nowhere in particular.

    Raises typer.BadParameter.
    """
    if text == "busiest":
        return None
    if match := _CLOCK.fullmatch(text):
        return int(match["hours"]) * 3_600 + int(match["minutes"]) * 60
    if not _PARTS.fullmatch(text):
        raise typer.BadParameter(f"expected busiest, 3h20m or 03:20, not {text!r}")
    return sum(duration(part).seconds for part in re.findall("[0-9]+[smhd]", text))


def checked_run_id(text: str) -> str:
    """The id of a run as it was given. Raises typer.BadParameter."""
    if not _RUN_ID.fullmatch(text):
        raise typer.BadParameter(f"expected 1 to 64 letters, digits, `.`, `_` and `-`, not {text!r}")
    return text


def tenant_of(group: str) -> str:
    """A tenant's name as near to the group's as the API allows. Raises ValueError where nothing is left."""
    name = re.sub("[^a-z0-9]+", "-", group.lower()).strip("-")[:_LONGEST_TENANT].rstrip("-")
    if not name:
        raise ValueError(f"group: expected a letter or a digit in {group!r}")
    return name


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with path.open("rb") as raw:
        zipped = raw.read(len(_GZIP)) == _GZIP
    opener = gzip.open if zipped else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield file


def _rows(lines: Iterator[list[str]]) -> Iterator[Row]:
    """Raises ValueError."""
    if next(lines, HEADER) != HEADER:
        raise ValueError(f"expected the header {','.join(HEADER)}")
    last_s = 0.0
    for number, fields in enumerate(filter(None, lines), start=1):
        row = _row(number, fields)
        if row.submit_s < last_s:
            raise ValueError(f"submit_s: expected rows in order, but {row.submit_s:g} follows {last_s:g}")
        last_s = row.submit_s
        yield row


def _row(number: int, fields: list[str]) -> Row:
    """Raises ValueError."""
    if len(fields) != len(HEADER):
        raise ValueError(f"expected {len(HEADER)} values, found {len(fields)}")
    submit_s, duration_s, cpu_units, memory_mib, group = fields
    return Row(
        number=number,
        submit_s=_seconds("submit_s", submit_s),
        duration_s=_seconds("duration_s", duration_s),
        cpu_units=_amount("cpu_units", cpu_units),
        memory_mib=_amount("memory_mib", memory_mib),
        tenant=tenant_of(group),
    )


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or not 0 <= seconds <= _LONGEST_S:
        raise ValueError(f"{name}: expected seconds from 0 to {_LONGEST_S:,.0f}, not {text!r}")
    return seconds


def _amount(name: str, text: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{name}: expected a whole number of at most 9 digits, not {text!r}")
    return int(text)


def _container(row: Row) -> Container:
    """It runs for the row's duration: on AWS by its command, on the simulated one by its environment."""
    run_ms = round(row.duration_s * 1_000)
    return Container(
        name="agent",
        image=IMAGE,
        command=["sleep", str(ceil(row.duration_s))],
        resources=Resources(cpu_units=row.cpu_units, memory_mib=row.memory_mib),
        environment=[EnvironmentVariable(name="SIMULATED_RUN_MS", value=str(run_ms))],
    )
