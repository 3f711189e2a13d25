"""Bytes in place of messages: random ones, and valid ones that are cut, flipped, wrapped or far too long."""

from collections.abc import Callable
from random import Random
from typing import Any

from google.protobuf.message import DecodeError, Message

MAX_BYTES = 4 << 20
LONG = (MAX_BYTES - 100, MAX_BYTES, MAX_BYTES + 1, MAX_BYTES + (1 << 20))
"""Around what the server takes of one message (`api/server.py:MESSAGE_BYTES_MAX`)."""

NESTING = (50, 99, 101, 1_000, 20_000)
"""Protobuf reads a hundred levels (protobuf docs: CodedInputStream, recursion limit)."""

Damage = Callable[[Random, bytes], bytes]


def nothing_of_it(random: Random, valid: bytes) -> bytes:
    """Random bytes."""
    return random.randbytes(random.choice((0, 1, 2, 5, 20, 200)))


def cut(random: Random, valid: bytes) -> bytes:
    """The end is missing, or the beginning."""
    at = random.randrange(len(valid) + 1)
    return valid[:at] if random.random() < 0.8 else valid[at:]


def flipped(random: Random, valid: bytes) -> bytes:
    """A few bits are others."""
    damaged = bytearray(valid)
    for _ in range(random.choice((1, 1, 2, 8)) if damaged else 0):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def with_unknown_fields(random: Random, valid: bytes) -> bytes:
    """Numbers that no message of ours has, of every wire type, the invalid ones too."""
    for _ in range(random.choice((1, 3))):
        tag = varint(random.choice((12, 99, 18_999, 2**29 - 1)) << 3 | random.randrange(8))
        valid += tag + varint(random.choice((0, 1, 5, 2**32, 2**64 - 1))) + random.randbytes(5)
    return valid


def twice(random: Random, valid: bytes) -> bytes:
    """Merged with itself: the last of single fields counts, lists double, oneofs meet."""
    return valid + valid


def nested(random: Random, valid: bytes) -> bytes:
    """Messages in messages, or groups in groups."""
    depth = random.choice(NESTING)
    if random.random() < 0.5:
        return valid + bytes([random.choice((11, 43, 83))]) * depth
    for _ in range(min(depth, 300)):
        valid = bytes([random.choice((0x2A, 0x32, 0x0A))]) + varint(len(valid)) + valid
    return valid


def long(random: Random, valid: bytes) -> bytes:
    """A text or an unknown field that makes it as long as a message may be, or longer."""
    size = random.choice(LONG)
    tag = varint(random.choice((1, 2, 4, 99)) << 3 | 2)
    rest = max(0, size - len(valid) - len(tag) - 4)
    return valid + tag + varint(rest) + bytes([random.choice(b"x\x00")]) * rest


DAMAGES: tuple[tuple[Damage, int], ...] = (
    (nothing_of_it, 10),
    (cut, 20),
    (flipped, 40),
    (with_unknown_fields, 10),
    (twice, 5),
    (nested, 10),
    (long, 1),
)


def damaged(random: Random, valid: bytes) -> bytes:
    """One of the damages, done to a valid message."""
    kinds, weights = zip(*DAMAGES, strict=True)
    damage: Any = random.choices(kinds, weights)[0]
    result: bytes = damage(random, valid)
    return result


def varint(number: int) -> bytes:
    """As protobuf writes numbers (protobuf docs: encoding)."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def readable(kind: type[Message], body: bytes) -> bool:
    """Whether the bytes are a message of this type."""
    try:
        kind.FromString(body)
    except DecodeError:
        return False
    return True
