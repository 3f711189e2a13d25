"""Traces: read row by row, cut to a window, and turned into requests that are the same every time."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from scheduler.api.convert.parse import task_request
from scheduler.cli.trace import (
    HEADER,
    Row,
    Run,
    TraceError,
    busiest_window,
    checked_run_id,
    length,
    position,
    read_rows,
    tenant_of,
    window_at,
)
from scheduler.core.model.task import TaskRequest
from scheduler.core.validate import validate

LINE = "12.5,61.2,2048,8000,Linux/Build 1"


def trace(directory: Path, *lines: str, header: str = ",".join(HEADER)) -> Path:
    file = directory / "trace.csv"
    file.write_text("\n".join([header, *lines, ""]))
    return file


def told(file: Path) -> str:
    """Why it is no trace."""
    with pytest.raises(TraceError) as caught:
        list(read_rows(file))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def row(number: int = 1, submit_s: float = 0.0, duration_s: float = 61.2) -> Row:
    return Row(
        number=number,
        submit_s=submit_s,
        duration_s=duration_s,
        cpu_units=2048,
        memory_mib=8000,
        tenant="linux",
    )


def rows(*submit_s: float) -> list[Row]:
    return [row(number, each) for number, each in enumerate(sorted(submit_s), start=1)]


def run(**changes: str) -> Run:
    fields = {"trace": "day.csv", "run_id": "one"} | changes
    return Run(template=ScheduleRequest(priority=3), **fields)


def numbers(chosen: Iterable[Row]) -> list[int]:
    return [each.number for each in chosen]


# ---- the file


def test_row(tmp_path: Path) -> None:
    """A row is a task: when it came, how long it ran, what it asked for, and who asked."""
    assert list(read_rows(trace(tmp_path, LINE))) == [
        Row(
            number=1,
            submit_s=12.5,
            duration_s=61.2,
            cpu_units=2048,
            memory_mib=8000,
            tenant="linux-build-1",
        )
    ]


def test_gzip(tmp_path: Path) -> None:
    """A gzipped trace is known by its first bytes, whatever it is called."""
    plain = trace(tmp_path, LINE, LINE)
    zipped = tmp_path / "zipped"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_rows(zipped)) == list(read_rows(plain))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("soon,1,2,3,a", "submit_s"),
        ("nan,1,2,3,a", "submit_s"),
        ("-1,1,2,3,a", "submit_s"),
        ("99,inf,2,3,a", "duration_s"),
        ("99,31536001,2,3,a", "duration_s"),
        ("99,1,2.5,3,a", "cpu_units"),
        ("99,1,2,-3,a", "memory_mib"),
        ("99,1,2,9999999999,a", "memory_mib"),
        ("99,1,2,3,--", "group"),
        ("99,1,2,3", "expected 5 values, found 4"),
        ("1,1,2,3,a", "expected rows in order, but 1 follows 12.5"),
    ],
)
def test_bad_row(tmp_path: Path, line: str, named: str) -> None:
    """A row that is wrong is named by its line and its column."""
    file = trace(tmp_path, LINE, "", line)
    assert re.match(re.escape(f"{file}, line 4: ") + ".*" + named, told(file))


def test_header(tmp_path: Path) -> None:
    """Columns in another order would be taken for each other: the header must be as it is documented."""
    file = trace(tmp_path, LINE, header="duration_s,submit_s,cpu_units,memory_mib,group")
    assert told(file) == f"{file}, line 1: expected the header {','.join(HEADER)}"


def test_unreadable(tmp_path: Path) -> None:
    """A file that is not there, cut off, or no text at all is told as such."""
    assert "No such file" in told(tmp_path / "missing.csv")
    zipped = gzip.compress(trace(tmp_path, LINE).read_bytes())
    for name, content in (("cut", zipped[:-9]), ("broken", zipped[:12] + b"\xff" * 9), ("binary", b"\x80")):
        (tmp_path / name).write_bytes(content)
        assert told(tmp_path / name).startswith(f"{tmp_path / name}: ")


# ---- the window


def test_busiest_window() -> None:
    """Unless told otherwise the window is where most arrive; a row at its end is no longer in it."""
    trace = rows(0, 10, 100, 101, 159, 160, 300)
    window = busiest_window(trace, 60)
    assert (window.start_s, window.end_s, window.arrivals, window.rows) == (100, 160, 3, 7)
    assert numbers(window.part_of(trace)) == [3, 4, 5]


@given(
    submit_s=st.lists(st.integers(0, 300).map(lambda tenths: tenths / 10), max_size=30),
    length_s=st.integers(1, 20),
)
def test_no_window_is_busier(submit_s: list[float], length_s: int) -> None:
    """No other window of the length has more arrivals, and it has those that it says."""
    trace = rows(*submit_s)
    window = busiest_window(trace, length_s)
    assert len(list(window.part_of(trace))) == window.arrivals
    assert window.arrivals == max((window_at(trace, each, length_s).arrivals for each in submit_s), default=0)


def test_window_at() -> None:
    """A window may be named by where it begins; what lies outside is counted, not taken."""
    trace = rows(0, 10, 20, 30)
    window = window_at(trace, 10, 20)
    assert (window.arrivals, window.rows) == (2, 4)
    assert numbers(window.part_of(trace)) == [2, 3]


def test_later_rows_are_not_read() -> None:
    """Behind the window nothing is read: a long trace is not a long wait."""
    trace = iter(rows(0, 10, 20, 30))
    assert numbers(window_at([], 0, 15).part_of(trace)) == [1, 2]
    assert numbers(trace) == [4]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3h20m", 12_000),
        ("90s", 90),
        ("1d2h", 93_600),
        ("03:20", 12_000),
        ("30:00", 108_000),
        ("busiest", None),
    ],
)
def test_position(text: str, seconds: int | None) -> None:
    """A place in the trace is a duration since its beginning, or hours and minutes."""
    assert position(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "3", "3h20", "3:60", "-1h", "1.5h", "\u0663h"])
def test_wrong_position(text: str) -> None:
    """Whatever else is refused, with an example."""
    with pytest.raises(typer.BadParameter, match="3h20m"):
        position(text)


def test_length() -> None:
    """A window has a length."""
    assert length("15m") == 900
    with pytest.raises(typer.BadParameter, match="above 0s"):
        length("0m")


# ---- the request


@pytest.mark.parametrize(
    ("group", "tenant"),
    [
        ("gecko-t-linux", "gecko-t-linux"),
        ("Main/Build_1", "main-build-1"),
        ("--x--", "x"),
        ("a" * 70, "a" * 63),
        ("a" * 62 + "-b", "a" * 62),
    ],
)
def test_tenant(group: str, tenant: str) -> None:
    """A group's name becomes the nearest tenant that the API allows."""
    assert tenant_of(group) == tenant


@given(group=st.text())
def test_every_tenant_is_valid(group: str) -> None:
    """Whatever a group is called, its tenant is valid, or the row is wrong."""
    try:
        tenant = tenant_of(group)
    except ValueError:
        return
    assert re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", tenant)


def test_request() -> None:
    """A row asks for one container of its size, which runs as long as it once did."""
    request = run().request(row(7))
    [container] = request.containers.containers
    assert (container.resources.cpu_units, container.resources.memory_mib) == (2048, 8000)
    assert [(each.name, each.value) for each in container.environment] == [("SIMULATED_RUN_MS", "61200")]
    assert list(container.command) == ["sleep", "62"]
    assert dict(request.labels) == {"trace-run": "one", "trace-row": "7", "trace-duration-s": "61.2"}
    assert (request.tenant, request.priority) == ("linux", 3)


@given(duration_s=st.floats(0, 31_536_000), number=st.integers(1, 10**9))
def test_every_request_is_valid(duration_s: float, number: int) -> None:
    """Of any row the service finds nothing wrong but, perhaps, its size."""
    request = run(run_id="r" * 64).request(row(number, duration_s=duration_s))
    parsed = task_request(request)
    assert isinstance(parsed, TaskRequest)
    assert not validate(parsed)


def test_request_id() -> None:
    """The same row of the same file and run is the same request; any other is another."""
    first = run().request(row(7))
    assert run().request(row(7)) == first
    others = [run().request(row(8)), run(run_id="two").request(row(7)), run(trace="b.csv").request(row(7))]
    assert len({UUID(each.request_id) for each in (first, *others)}) == 4


@pytest.mark.parametrize("text", ["", "a b", "a/b", "x" * 65, "\u00e4"])
def test_wrong_run_id(text: str) -> None:
    """A run's id is short and plain: it is a label of every task."""
    with pytest.raises(typer.BadParameter):
        checked_run_id(text)
