"""The second opinion: which claims about the cloud port moto confirms, and which it is known not to."""

import ast
from pathlib import Path

from tests.contract.moto_worlds import DEVIATIONS

CONFIRMED_AT_LEAST = 30


def claims() -> list[str]:
    """Tests of the contract that ask for a world of any kind."""
    return [
        node.name
        for source in sorted(Path(__file__).parent.glob("test_cloud_contract*.py"))
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if {"world", "make_world"} & {argument.arg for argument in node.args.args}
    ]


def test_every_claim_has_a_name_of_its_own() -> None:
    """Claims are left out by their names: one name must not leave out two."""
    assert len(claims()) == len(set(claims()))


def test_only_claims_are_left_out() -> None:
    """A claim that was renamed or removed leaves no trace in the table."""
    assert set(DEVIATIONS) <= set(claims())


def test_moto_confirms_most_claims() -> None:
    """A second opinion that says nothing would be none."""
    assert len(set(claims()) - set(DEVIATIONS)) >= CONFIRMED_AT_LEAST


def test_every_deviation_is_told_in_words() -> None:
    """The reason is what a reader of the skipped tests sees."""
    assert all(reason.count(" ") >= 3 for reason in DEVIATIONS.values())
