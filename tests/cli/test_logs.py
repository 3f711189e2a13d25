"""The log bears the service's time, which tasks and events bear too."""

import json

import pytest
import structlog

from scheduler.cli.logs import configure_logs
from scheduler.lab.clock import START_MS, VirtualClock


def test_lines_bear_the_time_of_the_clock(capsys: pytest.CaptureFixture[str]) -> None:
    """On a simulated AWS time is not the wall's: a line says when it was there."""
    before = structlog.get_config()
    configure_logs(VirtualClock(START_MS + 42))
    structlog.get_logger().info("something")
    structlog.configure(**before)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["timestamp"]) == ("something", "2026-09-21T14:13:20.042Z")


def test_tracebacks_on_a_terminal_show_no_variables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable may be a request with its secrets: the log says where it went wrong, not with what."""
    before = structlog.get_config()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    configure_logs()
    _fail_with("hunter" + "2")
    structlog.configure(**before)
    written = capsys.readouterr().err
    assert "ZeroDivisionError" in written
    assert "hunter2" not in written


def _fail_with(secret: str) -> None:
    try:
        _ = len(secret) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("something")
