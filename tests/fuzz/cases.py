"""Cases: one call each, with what is odd about it. A case is one line, and the line is the case."""

import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from random import Random
from typing import Any

from google.protobuf.message import Message

from scheduler.api.opaque import opened
from tests.fuzz.arbitrary import CANARY, Arbitrary
from tests.fuzz.bodies import damaged
from tests.fuzz.requests import Requests, Seen
from tests.fuzz.rpcs import Rpc
from tests.fuzz.wire import HTTP2, connection

SHORT_BYTES = 2_000
"""Longer bodies are packed in a case's line."""

UNKNOWN = (
    "/",
    "//",
    "/x",
    "/ecs_scheduler.v1.SchedulerService/",
    "/ecs_scheduler.v1.SchedulerService/schedule",
    "/ecs_scheduler.v1.SchedulerService/Schedule/",
    "/ecs_scheduler.v2.SchedulerService/Schedule",
    "/ecs_scheduler.v1.SchedulerService/%53chedule",
    "/../../etc/passwd",
    "/grpc.health.v1.Health/Watch?x=1",
    "/" + "a" * 4_000,
)
"""Methods that no server has."""

METADATA: tuple[tuple[tuple[str, str | bytes], ...], ...] = (
    (("x-empty", ""),),
    (("x-odd", "~!@#$%^&*()_+{}|:\"<>?`-=[]\\;',./ "),),
    (("x-bin", bytes(range(256))), ("x-bin", b"")),
    (("grpc-status-details-bin", b"\xff" * 100),),
    (("grpc-trace-bin", b"\x00" * 3), ("grpc-tags-bin", b"\xff" * 40)),
    (("content-encoding", "gzip"), ("user-agent", "x" * 500)),
    (("authorization", "Bearer " + CANARY), ("cookie", "a=b; c=d")),
    tuple((f"x-{number}", "v") for number in range(60)),
    (("x-long", "v" * 3_000),),
    (("x-huge", "v" * 30_000),),
    (("x-huge-bin", b"\x00" * 30_000),),
)
HUGE_BYTES = 4_000
"""gRPC refuses metadata from 8 KiB to 16 KiB on (gRPC C-core: GRPC_ARG_MAX_METADATA_SIZE)."""

ENDS = ("", "=", "A", "\0", "é")
"""What the rest of a token may be."""

PLACES = (b"", b"0", b"1", b"-1", b"9" * 18, b"9" * 19, b"00", b"scaling", b"~" * 64, b"t-" + b"z" * 26)
"""What stands between the colons of a token (`api/resume_token.py`, `api/page_token.py`)."""

DEADLINES_S = (0.0, -1.0, 1e-9, 0.001, 0.01, 5.0, 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call: what is sent, and what the client does with the answer."""

    path: str
    bodies: tuple[bytes, ...]
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    deadline_s: float | None = None
    gzip: bool = False
    ends: bool = True
    """Whether the client says that it has sent all."""
    leaves: bool = False
    """Whether it goes away before the answer comes."""
    lingers: bool = False
    """Whether it keeps a stream open for a while without reading."""

    def line(self) -> str:
        """The case as text."""
        told = {name: value for name, value in asdict(self).items() if value != DEFAULTS.get(name)}
        told["bodies"] = [_packed(body) for body in self.bodies]
        told["metadata"] = [(key, _written(value)) for key, value in self.metadata]
        return json.dumps(told)


DEFAULTS = {each.name: each.default for each in fields(Case)}


def case_of(line: str) -> Case:
    """The case of a line."""
    told: dict[str, Any] = json.loads(line)
    told["bodies"] = tuple(_unpacked(body) for body in told["bodies"])
    told["metadata"] = tuple((key, _read(value)) for key, value in told["metadata"])
    return Case(**told)


class Cases:
    """Draws cases from one source, and from what was seen so far."""

    def __init__(self, random: Random, seen: Seen, rpcs: Sequence[Rpc]) -> None:
        self._random = random
        self._seen = seen
        self._rpcs = rpcs
        self._weights = [rpc.kind.weight for rpc in rpcs]
        self._requests = Requests(random, seen)
        self._arbitrary = Arbitrary(random)

    def draw(self) -> Case:
        """One call of any RPC, or of none that there is."""
        [rpc] = self._random.choices(self._rpcs, self._weights)
        if self._chance(0.03):
            return Case(path=self._random.choice(UNKNOWN), bodies=(self._body(rpc),))
        return Case(path=rpc.path, bodies=self._bodies(rpc), **self._manner())

    def draw_connection(self) -> Case:
        """What no gRPC library would send."""
        return Case(path=HTTP2, bodies=(connection(self._random),))

    def _manner(self) -> dict[str, Any]:
        """How the call is made: mostly as usual."""
        if self._chance(0.8):
            return {"gzip": self._chance(0.05)}
        kind = self._random.randrange(5)
        if kind == 0:
            return {"metadata": self._random.choice(METADATA)}
        if kind == 1:
            return {"deadline_s": self._random.choice(DEADLINES_S)}
        if kind == 2:
            return {"leaves": True, "ends": self._chance(0.5)}
        return {"lingers": True} if kind == 3 else {"ends": False}

    def _bodies(self, rpc: Rpc) -> tuple[bytes, ...]:
        """One message as a rule; none, or several, where one is expected."""
        count = self._random.choice((0, 2, 3)) if self._chance(0.02) else 1
        return tuple(self._body(rpc) for _ in range(count))

    def _body(self, rpc: Rpc) -> bytes:
        valid = self._valid(rpc)
        drawn = self._random.random()
        if drawn < 0.12:
            return valid.SerializeToString()
        if drawn < 0.55:
            return self._arbitrary.changed(self._with_forged_tokens(valid)).SerializeToString()
        if drawn < 0.70:
            return self._arbitrary.message(rpc.kind.request).SerializeToString()
        # What a flipped bit moves to a field that is sent back is no secret any more.
        return damaged(self._random, valid.SerializeToString().replace(CANARY.encode(), b"c" * len(CANARY)))

    def _valid(self, rpc: Rpc) -> Message:
        """A request of its own, or one that goes on where an earlier one ended."""
        going_on = [each for each in self._seen.next_requests if isinstance(each, rpc.kind.request)]
        if going_on and self._chance(0.4):
            return self._random.choice(going_on)
        return rpc.kind.draw(self._requests)

    def _with_forged_tokens(self, message: Message) -> Message:
        for name in ("page_token", "resume_token"):
            token = getattr(message, name, "")
            if token and self._chance(0.5):
                forged = type(message).FromString(message.SerializeToString())
                setattr(forged, name, self._forged(token))
                return forged
        return message

    def _forged(self, token: str) -> str:
        """One of ours with another place, another bit, or some letters more or less."""
        inside = bytearray((opened(token) or token).encode())
        kind = self._random.randrange(4)
        if kind == 0:
            return token[: self._random.randrange(len(token))] + self._random.choice(ENDS)
        if kind == 1:
            inside[self._random.randrange(len(inside))] ^= 1 << self._random.randrange(8)
        elif kind == 2:
            parts = bytes(inside).split(b":")
            parts[self._random.randrange(len(parts))] = self._random.choice(PLACES)
            inside = bytearray(b":".join(parts))
        else:
            inside += self._random.choice((b":", b":0", b"\n", b"\xff", b"x" * 600))
        return urlsafe_b64encode(bytes(inside)).decode().rstrip("=")

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def _packed(body: bytes) -> str:
    return body.hex() if len(body) <= SHORT_BYTES else "z" + zlib.compress(body).hex()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(bytes.fromhex(text[1:])) if text.startswith("z") else bytes.fromhex(text)


def _written(value: str | bytes) -> str | list[str]:
    return value if isinstance(value, str) else [value.hex()]


def _read(value: str | list[str]) -> str | bytes:
    return value if isinstance(value, str) else bytes.fromhex(value[0])
