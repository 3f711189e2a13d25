"""Bad input as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One invalid field: its path in the request and what was expected of it."""

    field_path: str
    expected: str
