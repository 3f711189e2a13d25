"""Judges answers: only codes that the RPC promises, and not a word of what is inside."""

import re
from collections.abc import Sequence

import grpc

from scheduler.api.server import MESSAGE_BYTES_MAX
from tests.fuzz.arbitrary import CANARY
from tests.fuzz.bodies import readable
from tests.fuzz.calling import Answer
from tests.fuzz.cases import HUGE_BYTES, Case
from tests.fuzz.rpcs import Rpc
from tests.fuzz.wire import HTTP2

INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|object at 0x|<class|sqlite|SELECT |INSERT |_pb2|Exception|"
    r"[a-z]Error\b"
)
"""Words of Python, SQL and file names."""

BROKEN = frozenset({"CLOSED", "REFUSED", "SILENT"} | {code.name for code in grpc.StatusCode}) - {
    "UNKNOWN",
    "DATA_LOSS",
}
"""What may become of a connection that is no gRPC: gRPC answers INTERNAL for frames that contradict their
headers (gRPC docs: compression), and UNAVAILABLE, or nothing, when the connection is of no use any more."""

NEVER = frozenset({"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "SILENT"})
"""Nothing is wrong with the server, its store or its AWS. So they are findings, promised or not."""

FINE = frozenset({"OK", "OPEN"})


def complaints_of(rpc: Rpc | None, case: Case, answer: Answer, secrets: Sequence[str]) -> list[str]:
    """What is wrong with the answer; `rpc` is None for a method that the server does not have."""
    if case.path == HTTP2:
        return [] if answer.code in BROKEN else [f"{answer.code} for a broken connection"]
    found = []
    if answer.code in NEVER or answer.code not in _allowed(rpc, case):
        found.append(f"{answer.code} is not promised: {answer.details[:500]}")
    if leak := _leak(answer, secrets):
        found.append(f"tells {leak!r}: {answer.details[:500]}")
    if rpc and not all(readable(rpc.kind.response, message) for message in answer.messages):
        found.append("the answer is no message of its type")
    return found


def may_stay_open(rpc: Rpc | None, case: Case) -> bool:
    """Whether the call is a stream that nothing is wrong with, of which nobody knows when it ends.

    Of several messages one is enough: gRPC may read no other.
    """
    return rpc is not None and rpc.streams and any(_taken(rpc, body) for body in case.bodies)


def _taken(rpc: Rpc, body: bytes) -> bool:
    return len(body) <= MESSAGE_BYTES_MAX and readable(rpc.kind.request, body)


def _allowed(rpc: Rpc | None, case: Case) -> frozenset[str]:
    """The codes by which this call may end. UNSENT: a server may refuse a call before it has all of it."""
    allowed = {"UNSENT", *_by_content(rpc, case)}
    if case.leaves:
        allowed |= {"LEFT"}
    if case.deadline_s is not None:
        allowed |= {"DEADLINE_EXCEEDED"}
    if sum(len(key) + len(value) for key, value in case.metadata) > HUGE_BYTES:
        allowed |= {"RESOURCE_EXHAUSTED"}
    return frozenset(allowed)


def _by_content(rpc: Rpc | None, case: Case) -> frozenset[str]:
    """Of several messages gRPC reads the first, and the others only where a stream is expected."""
    if rpc is None:
        return frozenset({"UNIMPLEMENTED"})
    fine = FINE | rpc.promised
    faults = frozenset(
        "RESOURCE_EXHAUSTED" if len(body) > MESSAGE_BYTES_MAX else "INVALID_ARGUMENT"
        for body in case.bodies
        if not _taken(rpc, body)
    )
    return faults if faults and len(case.bodies) == 1 else fine | faults


def _leak(answer: Answer, secrets: Sequence[str]) -> str:
    """What the status says of the server's inside, or the whole answer of others' secrets."""
    status = answer.details.encode() + b"".join(_bytes(value) for _, value in answer.trailers)
    found = INSIDE.search(status.decode(errors="replace"))
    if found:
        return found[0]
    told = b"\n".join((status, *answer.messages))
    return next((each for each in (CANARY, *secrets) if each.encode() in told), "")


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
