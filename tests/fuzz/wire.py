"""Calls that no gRPC library would make: frames of HTTP/2 and of gRPC, written by hand, over a socket."""

import asyncio
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from random import Random

import grpc

HTTP2 = "HTTP/2"
"""In a case: not a method, but a connection on which its body is sent as it is."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113, section 3.4
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
PATH = "/ecs_scheduler.v1.SchedulerService/GetTask"
MESSAGE = b"\x0a\x04acme\x12\x03t-1"
BOMB_BYTES = 64 << 20
QUIET_S = 0.3

CODES = {str(code.value[0]).encode(): code.name for code in grpc.StatusCode}
STATUS = re.compile(rb"grpc-status[\x01\x02](\d{1,2})")
"""C-core writes the first status of a connection as a plain literal (RFC 7541, section 6.2)."""

Oddity = Callable[[Random], bytes]


def frame(kind: int, flags: int, payload: bytes, stream: int = 1) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def headers(*more: tuple[str, str], flags: int = END_HEADERS) -> bytes:
    """The headers of a call, as literals without index (RFC 7541, section 6.2.2)."""
    usual = {":method": "POST", ":scheme": "http", ":path": PATH, ":authority": "x", "te": "trailers"}
    fields = {**usual, "content-type": "application/grpc", **dict(more)}
    return frame(HEADERS, flags, b"".join(_literal(*field) for field in fields.items()))


def grpc_message(body: bytes, *, flag: int = 0, says_bytes: int | None = None) -> bytes:
    """A message behind its flag and length (gRPC over HTTP/2: Length-Prefixed-Message)."""
    return bytes([flag]) + (len(body) if says_bytes is None else says_bytes).to_bytes(4) + body


def data(payload: bytes, flags: int = END_STREAM) -> bytes:
    """As DATA frames of the size that every peer takes."""
    parts = [payload[at : at + 16_384] for at in range(0, len(payload), 16_384)] or [b""]
    last = parts.pop()
    return b"".join(frame(DATA, 0, part) for part in parts) + frame(DATA, flags, last)


def compressed_without_encoding(random: Random) -> bytes:
    """The flag says compressed, and no header how."""
    return headers() + data(grpc_message(MESSAGE, flag=1))


def unknown_encoding(random: Random) -> bytes:
    """Compressed in a way that no server knows."""
    return headers(("grpc-encoding", "snappy")) + data(grpc_message(MESSAGE, flag=1))


def no_gzip(random: Random) -> bytes:
    """It says gzip and is not."""
    return headers(("grpc-encoding", "gzip")) + data(grpc_message(random.randbytes(50), flag=1))


def gzip_bomb(random: Random) -> bytes:
    """64 KiB that become 64 MiB."""
    return headers(("grpc-encoding", "gzip")) + data(grpc_message(_bomb(), flag=1))


def wrong_flag(random: Random) -> bytes:
    """Flags are 0 and 1."""
    return headers() + data(grpc_message(MESSAGE, flag=random.randrange(2, 256)))


def wrong_length(random: Random) -> bytes:
    """Longer than what comes, or shorter, or longer than anything."""
    says_bytes = random.choice((0, 1, len(MESSAGE) + 1, 2**31, 2**32 - 1))
    return headers() + data(grpc_message(MESSAGE, says_bytes=says_bytes))


def nothing_said(random: Random) -> bytes:
    """The end of the stream, or no end, instead of a message."""
    return headers(flags=END_HEADERS | random.choice((0, END_STREAM)))


def odd_header(random: Random) -> bytes:
    """A header that gRPC reads, with a value that it cannot."""
    odd = random.choice(
        (
            ("grpc-timeout", random.choice(("", "x", "-1S", "1", "99999999999H", "0n", "1e3S"))),
            ("content-type", random.choice(("", "text/html", "application/grpc+json"))),
            ("grpc-encoding", random.choice(("", "gzip, gzip", "\u00ff"))),
            ("te", "gzip"),
            (":method", random.choice(("GET", "PUT", ""))),
            (":path", random.choice(("", "*", PATH + "/\x00", "x" * 9_000))),
            (":scheme", "gopher"),
            ("Upper-Case", "x"),
            ("x-bin", "not base 64 !!"),
        )
    )
    return headers(odd) + data(grpc_message(MESSAGE))


def random_frames(random: Random) -> bytes:
    """Frames of any kind, in any order."""
    return b"".join(
        frame(random.randrange(12), random.randrange(256), random.randbytes(random.randrange(40)), at)
        for at in random.choices((0, 1, 3, 2**31 - 1), k=8)
    )


def flipped(random: Random) -> bytes:
    """A call of which some bits are others."""
    call = bytearray(headers() + data(grpc_message(MESSAGE)))
    for _ in range(random.choice((1, 2, 5))):
        call[random.randrange(len(call))] ^= 1 << random.randrange(8)
    return bytes(call)


def resets(random: Random) -> bytes:
    """Calls that are opened and reset, a hundred at once."""
    opened = headers()[9:]
    return b"".join(
        frame(HEADERS, END_HEADERS, opened, stream) + frame(RST_STREAM, 0, bytes([0, 0, 0, 8]), stream)
        for stream in range(1, 200, 2)
    )


ODDITIES: Sequence[Oddity] = (
    compressed_without_encoding,
    unknown_encoding,
    no_gzip,
    gzip_bomb,
    wrong_flag,
    wrong_length,
    nothing_said,
    odd_header,
    random_frames,
    flipped,
    resets,
)


def connection(random: Random) -> bytes:
    """All that a client sends on a connection of its own."""
    return _beginning(random) + random.choice(ODDITIES)(random)


async def send(address: str, sent: bytes) -> str:
    """What comes back on a connection of its own: a gRPC code, CLOSED, REFUSED, or SILENT."""
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return "REFUSED"  # the listener is being renewed
    try:
        writer.write(sent)
        return await _heard(reader)
    except ConnectionError:
        return "CLOSED"
    finally:
        writer.close()
        with suppress(OSError):  # whoever hung up first
            await writer.wait_closed()


def _beginning(random: Random) -> bytes:
    """How a connection begins; now and then, it does not."""
    if random.random() < 0.05:
        return random.randbytes(random.randrange(100))
    return PREFACE + frame(SETTINGS, 0, b"", 0)


async def _heard(reader: asyncio.StreamReader) -> str:
    heard = b""
    try:
        async with asyncio.timeout(QUIET_S):
            while part := await reader.read(65_536):
                heard += part
                if found := STATUS.search(heard):
                    return CODES.get(found[1], "UNKNOWN")
    except TimeoutError:
        return "SILENT"
    return "CLOSED"


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(bytes(BOMB_BYTES)) + packer.flush()


def _literal(name: str, value: str) -> bytes:
    return b"\x00" + _string(name.encode()) + _string(value.encode("latin-1"))


def _string(text: bytes) -> bytes:
    """Its length in seven bits, or continued in further bytes (RFC 7541, section 5.1), then itself."""
    rest = len(text) - 127
    if rest < 0:
        return bytes([len(text)]) + text
    length = bytearray([127])
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*length, rest]) + text
