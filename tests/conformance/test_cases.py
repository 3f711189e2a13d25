"""The table of cases is whole."""

import re
from pathlib import Path

from tests.conformance.cases import CASES, cases_of, passed

HERE = Path(__file__).parent


def test_every_case_has_a_test() -> None:
    """One whose name carries its id."""
    sources = "\n".join(page.read_text() for page in HERE.glob("test_*.py"))
    tests = re.findall(r"^(?:async )?def (test_\w+)", sources, re.MULTILINE)
    assert sorted(CASES.difference(*map(cases_of, tests))) == []


def test_a_case_holds_if_all_its_tests_pass() -> None:
    """A test may be of several cases, and a case may have several tests."""
    outcomes = [("test_A01_A02_x", True), ("test_a02_y", False), ("test_n_z", True), ("test_M99_", True)]
    assert passed(outcomes) == {"A01", "N"}
