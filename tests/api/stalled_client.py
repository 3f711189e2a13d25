"""A client that opens a server stream and then never lets the server send a byte of data.

gRPC's own clients always read into their windows, so this one speaks HTTP/2 itself (RFC 9113): it
announces a flow-control window of 0 and stays.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0x0, 0x1, 0x4
END_STREAM, END_HEADERS = 0x1, 0x4
INITIAL_WINDOW_SIZE = 0x4


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: str, value: str) -> bytes:
    """A header field that is neither indexed nor compressed (RFC 7541, section 6.2.2)."""
    parts = (name.encode(), value.encode())
    return b"\0" + b"".join(bytes([len(part)]) + part for part in parts)


@asynccontextmanager
async def stalled_stream(address: str, method: str, message: bytes = b"") -> AsyncIterator[None]:
    """A call of the method that has sent its request and has a window of 0."""
    host, _, port = address.rpartition(":")
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": address,
        "content-type": "application/grpc",
        "te": "trailers",
    }
    request = b"\0" + struct.pack(">I", len(message)) + message
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        PREFACE
        + _frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
        + _frame(HEADERS, END_HEADERS, 1, b"".join(_literal(*field) for field in fields.items()))
        + _frame(DATA, END_STREAM, 1, request)
    )
    await writer.drain()
    await reader.read(1)  # the server has answered: the connection is set up
    try:
        yield
    finally:
        writer.close()
