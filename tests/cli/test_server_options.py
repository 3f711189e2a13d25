"""The options by which client commands reach a service, in plain text and by TLS."""

import asyncio
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import typer
from typer.testing import CliRunner

from scheduler.api.server import ApiSettings
from scheduler.cli.app import app
from scheduler.cli.server_options import DEFAULT_ADDRESS, Server, server_of
from scheduler.client.connection import Tls
from tests.api.served import Served, serving
from tests.certificates import Authority, server_files, write_pair
from tests.e2e.programs import ROOT, run

AUTHORITY = Authority()
CLIENT = AUTHORITY.issue("client")


@pytest.fixture
def authority(tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(AUTHORITY.pem)
    return str(file)


async def cluster(served: Served, *options: str, **variables: str) -> "CompletedProcess[str]":
    """How the command `cluster` ends, in a process of its own."""
    arguments = ("cluster", "--address", served.address, *options)
    return await asyncio.to_thread(run, *arguments, directory=ROOT, variables=variables)


def test_plain_text() -> None:
    """Without any option a service on this machine is talked to in plain text."""
    assert server_of() == Server(address=DEFAULT_ADDRESS)


def test_public_authorities() -> None:
    """TLS without a CA trusts the public ones."""
    assert server_of(address="ci.example:443", tls=True).tls == Tls()


def test_files_imply_tls(tmp_path: Path, authority: str) -> None:
    """Whoever names a file for TLS never talks plain text."""
    certificate, key = write_pair(tmp_path, "client", CLIENT)
    assert server_of(tls_ca=authority).tls == Tls(authorities=AUTHORITY.pem)
    assert server_of(tls_certificate=certificate, tls_key=key).tls == Tls(
        certificate=CLIENT.pem, key=CLIENT.key_pem
    )


def test_half_a_pair(tmp_path: Path) -> None:
    """A certificate without its key is of no use, nor the other way round."""
    certificate, key = write_pair(tmp_path, "client", CLIENT)
    with pytest.raises(typer.BadParameter, match="both or neither"):
        server_of(tls_certificate=certificate)
    with pytest.raises(typer.BadParameter, match="both or neither"):
        server_of(tls_key=key)


@pytest.mark.parametrize("command", ["submit --container a=b:1:4", "watch", "cluster", "tasks --tenant a"])
def test_unreadable(command: str) -> None:
    """A file of no use ends each command with 2 before anybody is asked, and is named."""
    ended = CliRunner().invoke(app, [*command.split(), "--tls-ca", "missing.pem"], env={"COLUMNS": "200"})
    assert ended.exit_code == 2
    assert "cannot read missing.pem" in ended.stderr


@pytest.mark.asyncio
async def test_by_tls(tmp_path: Path, authority: str) -> None:
    """A command reaches a service by TLS, and shows its own certificate where it is asked for."""
    certificate, key = write_pair(tmp_path, "client", CLIENT)
    files = server_files(tmp_path, AUTHORITY.issue("server"), client_ca=AUTHORITY.pem)
    async with serving(settings=ApiSettings(drain_delay_s=0, tls=files)) as served:
        options = ("--tls-ca", authority, "--tls-certificate", certificate, "--tls-key", key)
        assert (await cluster(served, *options)).returncode == 0
        assert (await cluster(served, "--tls-ca", authority)).returncode == 3
        assert (await cluster(served)).returncode == 3


@pytest.mark.asyncio
async def test_by_variables(tmp_path: Path, authority: str) -> None:
    """The variables say the same as the options."""
    files = server_files(tmp_path, AUTHORITY.issue("server"))
    async with serving(settings=ApiSettings(drain_delay_s=0, tls=files)) as served:
        ended = await cluster(served, ECS_SCHEDULER_TLS="true", ECS_SCHEDULER_TLS_CA=authority)
    assert (ended.returncode, ended.stderr) == (0, "")
