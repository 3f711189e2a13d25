"""Writes the policy settings, and what must fit together, into `docs/configuration.md`, from the code.

Run as `python -m scripts.policy_reference`; `tests/test_docs.py` compares. The reasons are the docstrings of
the fields, so a number without a reason is an error.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

from scheduler.config import PREFIX
from scheduler.core.model.policy import Policy, Range, Share
from scheduler.policy_settings import ORDERS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
SOURCE = ROOT / "scheduler" / "core" / "model" / "policy.py"


SHARES: dict[Any, str] = {float: "share, above 0 to 1", Share: "share, 0 to 1"}
"""Other numbers have a range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of the policy, as the page shows it."""

    variable: str
    default: str
    unit: str
    reason: str


def numbers() -> Iterator[Number]:
    """Every field of Policy, in its order."""
    reasons = _reasons()
    policy = Policy()
    for field in fields(Policy):
        yield Number(
            variable=PREFIX + field.name.upper(),
            default=_text(getattr(policy, field.name)),
            unit=SHARES.get(field.type)
            or _unit(field.name, getattr(policy, field.name)) + _range(field.type),
            reason=reasons[field.name],
        )


def _unit(name: str, default: Any) -> str:
    if isinstance(default, bool):
        return "yes or no"
    if isinstance(default, StrEnum):
        return " or ".join(type(default))
    return "ms" if name.endswith("_ms") else "count"


def _range(kind: Any) -> str:
    """Of a number, or of each of several."""
    number = get_args(kind)[0] if get_origin(kind) is tuple else kind
    within = next((each for each in get_args(number) if isinstance(each, Range)), None)
    return f", {within.least} to {within.most}" if within else ""


def page(text: str) -> str:
    """The page with both as the code has them."""
    for name, words in (("policy", _table()), ("orders", _orders())):
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}{words}{end}{after}"
    return text


def _orders() -> str:
    rows = (
        f"| `{PREFIX}{each.less.upper()}` | {'half of ' if each.times == 2 else ''}"
        f"`{PREFIX}{each.more.upper()}` | {each.why} |\n"
        for each in ORDERS
    )
    return "| must not be above | | else |\n| --- | --- | --- |\n" + "".join(rows)


def _table() -> str:
    rows = (f"| `{each.variable}` | {each.default} | {each.unit} | {each.reason} |\n" for each in numbers())
    return "| variable | default | unit | meaning and reason |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _reasons() -> dict[str, str]:
    """The string below each field."""
    classes = (each for each in ast.parse(SOURCE.read_text()).body if isinstance(each, ast.ClassDef))
    (policy,) = (each for each in classes if each.name == Policy.__name__)
    reasons = {}
    for field, below in zip(policy.body, policy.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            reasons[ast.unparse(field.target)] = " ".join(str(ast.literal_eval(below.value)).split())
    return reasons


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def main() -> None:
    """Writes the table."""
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
