"""The page on the Java service leaves out none of its boundaries and defects."""

import re
from pathlib import Path

from tests.conformance.cases import CASES, cases_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "from-the-java-service.md"


def test_every_boundary_and_defect_is_on_the_page() -> None:
    """Each is told with a test that shows it."""
    named = re.findall(r":(test_\w+)", PAGE.read_text())
    assert {case for case in CASES if case.startswith("M")} <= set().union(*map(cases_of, named))
