"""Tells at the end of a run how many cases of the conformance tests hold.

Not in their own folder: of several processes the one that reports collects nothing, and looks only here.
"""

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
