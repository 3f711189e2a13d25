"""Rows of the rule tables: each judges one field of a message and appends what is wrong with it.

A path is only put together for a message that has parts, or for a violation: valid requests are the rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from json import dumps
from operator import attrgetter
from typing import Any, Protocol
from weakref import WeakValueDictionary

from scheduler.core.model.errors import Violation
from scheduler.core.validate.checks import Check


class Row(Protocol):
    """One rule of a table."""

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends the field's violations; `path` leads to the message and ends in a dot, or is empty."""
        ...


Table = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A single value."""

    name: str
    read: Callable[[Any], Any]
    check: Check

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends a violation if the check does not hold."""
        if not self.check.holds(self.read(message)):
            found.append(Violation(field_path=path + self.name, expected=self.check.expected))


def judge_all(table: Table, message: Any, path: str, found: list[Violation]) -> None:
    """Appends what is wrong with a message. A field that is right, as nearly all are, is not called for."""
    for row in table:
        if type(row) is not Field or not row.check.holds(row.read(message)):
            row.judge(message, path, found)


def field(name: str, check: Check, *, attribute: str = "") -> Field:
    """A row for the proto's field `name`; `attribute` where the model spells it differently."""
    return Field(name, attrgetter(attribute or name), check)


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Repeated messages, each with a name (its field `key`) that is taken once, judged by their own table."""

    name: str
    counts: tuple[int, int]
    table: Table
    reserved: frozenset[str] = frozenset()
    key: str = "name"

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends a violation of the count, then those of each message."""
        messages = getattr(message, self.name)
        least, most = self.counts
        if not least <= len(messages) <= most:
            found.append(Violation(field_path=path + self.name, expected=f"{least} to {most} entries"))
        taken = set(self.reserved)
        for index, each in enumerate(messages):
            inner = f"{path}{self.name}[{index}]."
            name = getattr(each, self.key)
            if name in taken:
                found.append(Violation(field_path=inner + self.key, expected="a name that is not taken"))
            taken.add(name)
            judge_all(self.table, each, inner, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A message that may be missing, judged by its own table."""

    name: str
    table: Table

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends the violations of the part, if there is one."""
        part = getattr(message, self.name)
        if part is not None:
            judge_all(self.table, part, f"{path}{self.name}.", found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rare:
    """Rows about fields that few messages set: together they cost the others one comparison."""

    read: Callable[[Any], Any]
    unset: Any
    table: Table

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends the violations of all the rows, if any of the fields is set."""
        if self.read(message) != self.unset:
            judge_all(self.table, message, path, found)


class Once:
    """Rows about a message that may come again as the very same object: what was right is right.

    Builds of one plan share their extra containers: looking one up takes 0.4 us, judging it 4. Nothing is
    kept for it: it is known for as long as somebody else keeps it.
    """

    __slots__ = ("_right", "_table")

    def __init__(self, *table: Row) -> None:
        self._table = table
        self._right: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends the violations of all the rows, unless it is known that there are none."""
        if self._right.get(id(message)) is message:
            return
        before = len(found)
        judge_all(self._table, message, path, found)
        if len(found) == before:
            self._right[id(message)] = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Repeated strings."""

    name: str
    at_most: int
    check: Check

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends a violation of the count, then one for each text for which the check does not hold."""
        texts = getattr(message, self.name)
        if len(texts) > self.at_most:
            found.append(Violation(field_path=path + self.name, expected=f"at most {self.at_most} entries"))
        for index, text in enumerate(texts):
            if not self.check.holds(text):
                violation = Violation(field_path=f"{path}{self.name}[{index}]", expected=self.check.expected)
                found.append(violation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A map of strings. Its order means nothing, so violations come in the order of the keys."""

    name: str
    at_most: int
    key: Check
    value: Check

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends a violation of the count, then those of each entry, named by its key."""
        entries = getattr(message, self.name)
        if len(entries) > self.at_most:
            found.append(Violation(field_path=path + self.name, expected=f"at most {self.at_most} entries"))
        for key in sorted(entries):
            for what, check, value in (("key", self.key, key), ("value", self.value, entries[key])):
                if not check.holds(value):
                    # Quoted as in JSON: a key may hold anything, a path is printed.
                    inner = f"{path}{self.name}[{dumps(key, ensure_ascii=False)}]"
                    found.append(Violation(field_path=inner, expected=f"a {what} of {check.expected}"))
