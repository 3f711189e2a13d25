"""Handshakes that fail are told in words that name what to correct."""

import asyncio
from contextlib import AbstractAsyncContextManager
from ipaddress import IPv4Address
from pathlib import Path

import grpc
import pytest
from grpc import aio

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from scheduler.api.server import ApiSettings
from scheduler.cli.handshakes import handshake_problem
from scheduler.cli.server_options import Server
from scheduler.client.connection import Tls, connected
from scheduler.client.refusal import Refusal, refusal_of
from tests.api.served import Served, serving
from tests.certificates import Authority, Pair, server_files
from tests.e2e.programs import ROOT, run

TRUSTED, STRANGER = Authority(), Authority("stranger")
SERVER = TRUSTED.issue("server")
ELSEWHERE = TRUSTED.issue("elsewhere", host=IPv4Address("192.0.2.1"))


def known_by(pair: Pair) -> Tls:
    return Tls(authorities=TRUSTED.pem, certificate=pair.pem, key=pair.key_pem)


async def problem(address: str, tls: Tls | None) -> str:
    """What a first call is told of the handshake."""
    async with connected(address, tls) as connection:
        with pytest.raises(aio.AioRpcError) as failed:
            await connection.scaling.GetCluster(GetClusterRequest(), timeout=10)
    return Server(address=address, tls=tls).problem(refusal_of(failed.value))


def serves(
    directory: Path, pair: Pair, client_ca: bytes | None = None
) -> AbstractAsyncContextManager[Served]:
    return serving(settings=ApiSettings(drain_delay_s=0, tls=server_files(directory, pair, client_ca)))


@pytest.mark.asyncio
async def test_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    """Its authority is not the one that is trusted, or none of the public ones."""
    async with serves(tmp_path, SERVER) as served:
        for tls in (Tls(authorities=STRANGER.pem), Tls()):
            assert "not vouched for" in await problem(served.address, tls)


@pytest.mark.asyncio
async def test_a_server_of_another_name(tmp_path: Path) -> None:
    """Its certificate is good, and for another address than the one that was called."""
    async with serves(tmp_path, ELSEWHERE) as served:
        assert "another name" in await problem(served.address, Tls(authorities=TRUSTED.pem))


@pytest.mark.asyncio
async def test_a_server_without_tls() -> None:
    """It answers the first message of a handshake with something else."""
    async with serving() as served:
        assert "does not talk TLS" in await problem(served.address, Tls(authorities=TRUSTED.pem))


@pytest.mark.asyncio
async def test_every_command_says_so() -> None:
    """`cluster` asks once and does not retry: it says it as those do that wait."""
    async with serving() as served:
        words = ("cluster", "--tls", "--address", served.address)
        ended = await asyncio.to_thread(run, *words, directory=ROOT)
    assert ended.returncode == 3
    assert f"{served.address} cannot be reached (the service does not talk TLS" in ended.stderr


@pytest.mark.asyncio
async def test_a_client_without_tls(tmp_path: Path) -> None:
    """A server that expects a handshake hangs up on plain text."""
    async with serves(tmp_path, SERVER) as served:
        assert "if it talks TLS" in await problem(served.address, None)


@pytest.mark.asyncio
async def test_a_client_that_the_server_does_not_know(tmp_path: Path) -> None:
    """Without a certificate, or with a stranger's, it is hung up on."""
    async with serves(tmp_path, SERVER, client_ca=TRUSTED.pem) as served:
        for tls in (Tls(authorities=TRUSTED.pem), known_by(STRANGER.issue("client"))):
            assert "asks for another --tls-certificate" in await problem(served.address, tls)


@pytest.mark.asyncio
async def test_nobody() -> None:
    """That nobody listens has nothing to do with TLS."""
    for tls in (None, Tls()):
        assert await problem("127.0.0.1:1", tls) == ""


def test_an_expired_certificate() -> None:
    """A server does not start with one, but it may expire while it serves."""
    said = "SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: certificate has expired"
    refusal = Refusal(code=grpc.StatusCode.UNAVAILABLE, message=said)
    assert handshake_problem(refusal, tls=True) == "the service's certificate has expired"
