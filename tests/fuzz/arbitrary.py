"""Messages of any type, made and changed from their descriptors alone: no field is forgotten."""

from random import Random
from typing import Any, TypeAlias, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)
Field: TypeAlias = Any  # protobuf has two classes of descriptors, which the stubs take for different ones

CANARY = "s3cr3t-canary-"
"""Begins every value of an environment variable: whatever comes back or is logged must not hold it."""

DEPTH = 4
"""How deep a message is filled. Ours are not deeper."""

BORDERS = (0, 1, -1, 2, 3, 4, 63, 64, 100, 499, 500, 501, 999, 1_000, 1_001, -1_000, -1_001, 10_000_000)
BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
REALS = (0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 5e-324, 1.8e308)
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\r\n\tX",
    "A",
    "-",
    "0",
    "\u0661",  # a digit, but not of ASCII
    "\u212a",  # the Kelvin sign, a small k in lower case
    "\u202egpj",  # turns the direction of writing
    "\ufeff\u2028\ud7ff\ue000",
    "\U0001f9ea",
    "\U0010ffff",
    "e\u0301",
    "../../etc/passwd",
    "'; DROP TABLE task; --",
    '"}],{"\\',
    "%s%n{0}$(id)`id`",
    "bamboo-agent",
    "t-00000000000000000000000000",
    "00000000-0000-4000-8000-000000000001",
)
LENGTHS = (1, 2, 31, 62, 63, 64, 254, 255, 256, 2_047, 2_048, 8_191, 8_192, 8_193)
COUNTS = (0, 1, 1, 1, 2, 2, 3, 8, 9, 11, 33)
MANY = (100, 101, 501, 1_001)


class Arbitrary:
    """Draws from one source: the same source gives the same messages."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def message(self, kind: type[M]) -> M:
        """A message of which every field is anything, or not set."""
        message = kind()
        self._fill(message, DEPTH)
        return message

    def changed(self, valid: M) -> M:
        """A copy that differs in a few fields, however deep: most of it still holds, so it gets far."""
        message = type(valid)()
        message.CopyFrom(valid)
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            self._change(message)
        return message

    def text(self) -> str:
        """Empty, odd, at a border, or long."""
        drawn = self._random.random()
        if drawn < 0.6:
            return self._random.choice(TEXTS)
        if drawn < 0.98:
            return self._random.choice(TEXTS[5:15]) * self._random.choice(LENGTHS)
        return self._random.choice(("x", "\U0001f9ea", "\n")) * 100_000

    def number(self, low: int, high: int) -> int:
        """At a border of the type or of ours, or anything."""
        borders = (low, high, *(each for each in BORDERS if low <= each <= high))
        return (
            self._random.choice(borders) if self._random.random() < 0.8 else self._random.randint(low, high)
        )

    def _fill(self, message: Message, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < 0.6:
                self._set(message, field, depth)

    def _change(self, message: Message) -> None:
        """One field of the message, or of one inside it."""
        inner = [each for each in _messages_in(message) if each.DESCRIPTOR.fields]
        if inner and self._random.random() < 0.5:
            self._change(self._random.choice(inner))
        elif message.DESCRIPTOR.fields:
            field: Field = self._random.choice(message.DESCRIPTOR.fields)
            if not field.is_repeated or self._random.random() < 0.3:
                message.ClearField(field.name)
            if self._random.random() < 0.8:
                self._set(message, field, depth=2)

    def _set(self, message: Message, field: Field, depth: int) -> None:
        if not field.is_repeated:
            if field.message_type is None:
                setattr(message, field.name, self._scalar(field))
            elif depth:
                inner = getattr(message, field.name)
                inner.SetInParent()
                self._fill(inner, depth - 1)
            return
        for _ in range(self._count(depth)):
            self._add(getattr(message, field.name), field, depth)

    def _count(self, depth: int) -> int:
        """Many only at the top: they would multiply."""
        if depth == DEPTH and self._random.random() < 0.05:
            return self._random.choice(MANY)
        return self._random.choice(COUNTS if depth > 1 else COUNTS[:6])

    def _add(self, entries: Any, field: Field, depth: int) -> None:
        """To a list or a map."""
        if field.message_type is None:
            entries.append(self._scalar(field))
        elif field.message_type.GetOptions().map_entry:
            names = field.message_type.fields_by_name
            entries[self._scalar(names["key"])] = self._scalar(names["value"])
        elif depth:
            self._fill(entries.add(), depth - 1)

    def _scalar(self, field: Field) -> Any:
        kind = field.cpp_type
        if kind in BITS:
            return self.number(*BITS[kind])
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            declared = [value.number for value in field.enum_type.values]
            return self._random.choice((*declared, *declared, -1, len(declared), 2**31 - 1, -(2**31)))
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self._random.random() < 0.5
        if kind == FieldDescriptor.CPPTYPE_STRING and field.type == FieldDescriptor.TYPE_BYTES:
            return self._random.randbytes(self._random.choice(LENGTHS))
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return self._prefixed(field, self.text())
        return self._random.choice(REALS)

    def _prefixed(self, field: Field, text: str) -> str:
        of = field.containing_type
        secret = of is not None and (of.name, field.name) == ("EnvironmentVariable", "value")
        return CANARY + text if secret else text


def _messages_in(message: Message) -> list[Message]:
    """Those that are set right inside it."""
    found: list[Message] = []
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        found += value if field.is_repeated else [value]
    return found
