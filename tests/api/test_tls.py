"""TLS: the server proves who it is, asks clients to do so too, and takes up a renewed certificate."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from grpc import aio
from structlog.testing import capture_logs

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from scheduler.api.address import ServerAddressError, refuse_open_listener
from scheduler.api.certificate_check import CertificateError
from scheduler.api.server import ApiSettings
from scheduler.api.tls import RenewedCertificates, check_files, read_authorities, read_pair
from scheduler.client.connection import Tls, connected
from scheduler.config import TlsFiles
from tests.api.served import Served, serving
from tests.certificates import Authority, Pair, server_files, write_pair
from tests.e2e.programs import run

TRUSTED = Authority()
STRANGER = Authority("stranger")
SERVER = TRUSTED.issue("server")
CLIENT = TRUSTED.issue("client")


def settings(files: TlsFiles) -> ApiSettings:
    return ApiSettings(drain_delay_s=0, tls=files)


def known_by(pair: Pair) -> Tls:
    """A client that trusts the authority and has this certificate."""
    return Tls(authorities=TRUSTED.pem, certificate=pair.pem, key=pair.key_pem)


async def answer(served: Served, tls: Tls | None) -> grpc.StatusCode:
    """How a first call on a new connection ends."""
    async with connected(served.address, tls) as connection:
        try:
            await connection.scaling.GetCluster(GetClusterRequest(), timeout=10)
        except aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def name_shown(served: Served) -> str:
    """The subject of the certificate that a handshake gets to see."""
    context = ssl.create_default_context(cadata=TRUSTED.pem.decode())
    context.set_alpn_protocols(["h2"])
    host, _, port = served.address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    shown = writer.get_extra_info("peercert")
    writer.close()
    return str(shown["subject"][0][0][1])


# ---- connections


@pytest.mark.asyncio
async def test_encrypted(tmp_path: Path) -> None:
    """Only a client that trusts the server's authority is served; nobody is who talks plain text."""
    async with serving(settings=settings(server_files(tmp_path, SERVER))) as served:
        assert await answer(served, Tls(authorities=TRUSTED.pem)) is grpc.StatusCode.OK
        assert await answer(served, Tls(authorities=STRANGER.pem)) is grpc.StatusCode.UNAVAILABLE
        assert await answer(served, Tls()) is grpc.StatusCode.UNAVAILABLE
        assert await answer(served, None) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.asyncio
async def test_client_certificate(tmp_path: Path) -> None:
    """With a CA of clients only those are served whom it vouches for."""
    files = server_files(tmp_path, SERVER, client_ca=TRUSTED.pem)
    async with serving(settings=settings(files)) as served:
        assert await answer(served, known_by(CLIENT)) is grpc.StatusCode.OK
        assert await answer(served, known_by(STRANGER.issue("client"))) is grpc.StatusCode.UNAVAILABLE
        assert await answer(served, Tls(authorities=TRUSTED.pem)) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.asyncio
async def test_renewed(tmp_path: Path) -> None:
    """A certificate that is renewed on disk is shown to the next client; those connected stay."""
    async with (
        serving(settings=settings(server_files(tmp_path, SERVER))) as served,
        connected(served.address, Tls(authorities=TRUSTED.pem)) as connection,
    ):
        await connection.scaling.GetCluster(GetClusterRequest(), timeout=10)
        assert await name_shown(served) == "server"
        server_files(tmp_path, TRUSTED.issue("renewed"))
        assert await name_shown(served) == "renewed"
        await connection.scaling.GetCluster(GetClusterRequest(), timeout=10)


@pytest.mark.asyncio
async def test_clients_renewed(tmp_path: Path) -> None:
    """A client's authority that is withdrawn lets nobody in any more."""
    files = server_files(tmp_path, SERVER, client_ca=TRUSTED.pem)
    async with serving(settings=settings(files)) as served:
        server_files(tmp_path, SERVER, client_ca=STRANGER.pem)
        assert await answer(served, known_by(CLIENT)) is grpc.StatusCode.UNAVAILABLE
        assert await answer(served, known_by(STRANGER.issue("client"))) is grpc.StatusCode.OK


@pytest.mark.asyncio
async def test_half_renewed(tmp_path: Path) -> None:
    """While the certificate is new and its key is not, clients get to see the old one."""
    async with serving(settings=settings(server_files(tmp_path, SERVER))) as served:
        renewed = TRUSTED.issue("renewed")
        (tmp_path / "server.pem").write_bytes(renewed.pem)
        assert await name_shown(served) == "server"
        (tmp_path / "server.key").write_bytes(renewed.key_pem)
        assert await name_shown(served) == "renewed"


@pytest.mark.asyncio
async def test_open_listener(tmp_path: Path) -> None:
    """With TLS the server may listen where others reach it; without it is told how."""
    with pytest.raises(ServerAddressError, match="ECS_SCHEDULER_TLS_CERTIFICATE"):
        refuse_open_listener("0.0.0.0:0", insecure_listen=False)
    async with serving(settings=settings(server_files(tmp_path, SERVER)), address="0.0.0.0:0") as served:
        assert await answer(served, Tls(authorities=TRUSTED.pem)) is grpc.StatusCode.OK


# ---- files


def test_told_once(tmp_path: Path) -> None:
    """What is wrong with renewed files is logged once, not with every client that comes."""
    certificates = RenewedCertificates(server_files(tmp_path, SERVER))
    with capture_logs() as logged:
        assert certificates() is None
        (tmp_path / "server.key").unlink()
        assert [certificates(), certificates()] == [None, None]
        server_files(tmp_path, TRUSTED.issue("renewed"))
        assert certificates() is not None
        assert certificates() is None
    assert [each["event"] for each in logged] == ["tls.not_renewed", "tls.renewed"]
    assert "server.key" in logged[0]["problem"]


SPOILED: dict[str, Callable[[Path], object]] = {
    "cannot read .*server.pem: No such file": lambda it: (it / "server.pem").unlink(),
    "cannot read .*server.key: No such file": lambda it: (it / "server.key").unlink(),
    "cannot read .*client-ca.pem: No such file": lambda it: (it / "client-ca.pem").unlink(),
    "expected a certificate in .*server.pem": lambda it: (it / "server.pem").write_bytes(SERVER.key_pem),
    "its unencrypted key in .*server.key": lambda it: (it / "server.key").write_bytes(
        SERVER.locked_key_pem()
    ),
    "server.key is not that of the certificate in": lambda it: (it / "server.key").write_bytes(
        CLIENT.key_pem
    ),
    "client-ca.pem: expected certificates in PEM": lambda it: (it / "client-ca.pem").write_bytes(b"\x80"),
    "client-ca.pem: expected cert": lambda it: (it / "client-ca.pem").write_text("none"),
}


@pytest.mark.parametrize("problem", SPOILED)
def test_unusable_files(tmp_path: Path, problem: str) -> None:
    """Files of no use are told in one line: missing, no PEM, encrypted, or not a pair."""
    files = server_files(tmp_path, SERVER, client_ca=TRUSTED.pem)
    SPOILED[problem](tmp_path)
    with pytest.raises(CertificateError, match=problem) as caught:
        check_files(files)
    assert "\n" not in str(caught.value)


def test_service_is_not_started(tmp_path: Path) -> None:
    """Files of no use end the service with 2 and one line, before AWS is asked for anything."""
    files = server_files(tmp_path, SERVER)
    write_pair(tmp_path, "server", CLIENT)
    (tmp_path / "server.pem").write_bytes(SERVER.pem)
    variables = {"ECS_ASG": "ci-agents", "ECS_CLUSTER": "ci", "ECS_TASK_DEF": "ci-agent"}
    variables |= {"ECS_SCHEDULER_TLS_CERTIFICATE": files.certificate, "ECS_SCHEDULER_TLS_KEY": files.key}
    ended = run("serve", directory=tmp_path, variables=variables)
    assert ended.returncode == 2
    problem = f"the key in {files.key} is not that of the certificate in {files.certificate}"
    assert ended.stderr == f"ecs-scheduler: {problem}\n"


def test_read_by_clients(tmp_path: Path) -> None:
    """A client's own files are read as they are, under the same rules."""
    certificate, key = write_pair(tmp_path, "client", CLIENT)
    assert read_pair(certificate, key) == (CLIENT.pem, CLIENT.key_pem)
    assert read_authorities(certificate) == CLIENT.pem
    with pytest.raises(CertificateError, match="expected a certificate"):
        read_pair(key, key)


def test_keys_are_not_shown() -> None:
    """A key does not end up in a log or a traceback."""
    assert b"PRIVATE" in CLIENT.key_pem
    assert "PRIVATE" not in repr(known_by(CLIENT))
