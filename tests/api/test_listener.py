"""Calls that kill grpcio's server, and what is left to everybody else."""

import asyncio
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from scheduler.api.server import ApiSettings
from scheduler.client.connection import Tls, connected
from tests.api.served import Served, serving
from tests.api.watches import revisions, until, until_synced, watching
from tests.builders import submitted
from tests.certificates import Authority, server_files
from tests.fuzz.wire import DATA, END_STREAM, PREFACE, SETTINGS, frame, headers

pytestmark = pytest.mark.asyncio

DEADLY = PREFACE + frame(SETTINGS, 0, b"", 0) + headers((":path", "/x\u00ff")) + frame(DATA, END_STREAM, b"")
"""A call whose path is no UTF-8. No gRPC library would send it; a scanner of ports does."""


async def send_deadly_call(served: Served, tls: ssl.SSLContext | None = None) -> None:
    with capture_logs() as logs:
        host, _, port = served.address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=tls)
        writer.write(DEADLY)
        while "listener.renewed" not in [line["event"] for line in logs]:
            await asyncio.sleep(0.01)
        writer.transport.abort()


async def test_deadly_call_leaves_the_address_served() -> None:
    """Clients find the server where it was, as often as somebody does it."""
    async with serving() as served:
        for _ in range(3):
            await send_deadly_call(served)
            await served.scaling.GetCluster(GetClusterRequest(), wait_for_ready=True, timeout=10)


async def test_deadly_call_ends_no_other_call() -> None:
    """A watch that is open goes on, and ends with the server."""
    async with serving() as served:
        watch = watching(served)
        await until_synced(watch)
        await send_deadly_call(served)
        served.commit(submitted(1))
        assert revisions(await until(watch, 1)) == [1]


async def test_deadly_call_under_tls_needs_no_file(tmp_path: Path) -> None:
    """The server goes on with the certificate that it has, whatever became of the files."""
    authority = Authority()
    files = server_files(tmp_path, authority.issue("server"))
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    trusting.set_alpn_protocols(["h2"])
    async with serving(settings=ApiSettings(drain_delay_s=0, tls=files)) as served:
        Path(files.key).unlink()
        await send_deadly_call(served, trusting)
        async with connected(served.address, Tls(authorities=authority.pem)) as connection:
            await connection.scaling.GetCluster(GetClusterRequest(), wait_for_ready=True, timeout=10)
