"""For every run: properties have no deadline, and at the end it is told how many conformance cases hold.

Not in their own folder: of several processes the one that reports collects nothing, and looks only here.
"""

import pytest
from hypothesis import HealthCheck, settings

from tests.conformance.cases import CASES, passed

# On a busy machine a first example is slow, which says nothing of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


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
