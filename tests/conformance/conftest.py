"""Tells at the end of a run how many of the cases hold."""

import pytest

from tests.conformance.cases import CASES, passed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, if any of them ran."""
    outcomes = [
        (report.nodeid.rpartition("::")[2], outcome == "passed")
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
        if "tests/conformance/" in report.nodeid
    ]
    if outcomes:
        terminalreporter.write_line(f"conformance: {len(passed(outcomes))} of {len(CASES)} cases")
