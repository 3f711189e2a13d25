"""`scripts/health_probe.py`, the container's own health check, against a real server."""

import asyncio
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from scheduler.api.server import ApiSettings
from scheduler.config import TlsFiles
from tests.api.served import serving
from tests.certificates import Authority, server_files
from tests.e2e.programs import ROOT, bare_environment

AUTHORITY = Authority()
ELSEWHERE = AUTHORITY.issue("elsewhere", host=IPv4Address("192.0.2.1"))


async def probed(address: str, tls: TlsFiles | None = None) -> int:
    """The exit code, with the settings that the container has."""
    named = {} if tls is None else {"CERTIFICATE": tls.certificate, "CLIENT_CA": tls.client_ca or ""}
    variables = {f"ECS_SCHEDULER_TLS_{name}": value for name, value in named.items()}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(ROOT / "scripts" / "health_probe.py"), address],
        env=bare_environment() | variables,
        timeout=30,
        check=False,
    )
    return ended.returncode


@pytest.mark.asyncio
async def test_a_server_that_serves_is_healthy_and_one_that_stops_is_not() -> None:
    """While it drains it is NOT_SERVING, and afterwards nobody answers."""
    async with serving(settings=ApiSettings(drain_delay_s=10)) as served:
        assert await probed(served.address) == 0
        stopping = asyncio.create_task(served.server.stop(grace_s=0))
        await asyncio.sleep(0)
        assert await probed(served.address) == 1
        stopping.cancel()


@pytest.mark.asyncio
@pytest.mark.parametrize("client_ca", [None, AUTHORITY.pem])
async def test_tls_is_no_illness(tmp_path: Path, client_ca: bytes | None) -> None:
    """Whoever signed the certificate, for whatever name, and whichever clients are let in."""
    files = server_files(tmp_path, ELSEWHERE, client_ca)
    async with serving(settings=ApiSettings(drain_delay_s=0, tls=files)) as served:
        assert await probed(served.address, files) == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("client_ca", [None, "ca.pem"])
async def test_nobody_is_not_healthy(client_ca: str | None) -> None:
    """With TLS as without."""
    tls = TlsFiles(certificate="server.pem", key="server.key", client_ca=client_ca)
    assert [await probed("127.0.0.1:1", each) for each in (None, tls)] == [1, 1]
