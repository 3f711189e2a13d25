"""Starts that cannot succeed: one line that says why, and the exit code that says whose fault it is."""

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import ROOT, SimulatedAccount, run, service, simulated_account, start_service

SETTINGS = {"ECS_ASG": "ci-agents", "ECS_CLUSTER": "ci", "ECS_TASK_DEF": "ci-agent"}
AWS = {**SETTINGS, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
REFUSED_CREDENTIALS = {
    "operation": "GetCallerIdentity",
    "kind": "error_before",
    "code": "InvalidClientTokenId",
    "message": "The security token included in the request is invalid.",
    "http_status": 403,
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedAccount]:
    with simulated_account(tmp_path_factory.mktemp("aws")) as running:
        yield running


def assert_one_line(ended: "subprocess.CompletedProcess[str]", code: int, *words: str) -> None:
    lines = ended.stderr.splitlines()
    assert ended.returncode == code, ended.stderr
    assert len(lines) == 1, ended.stderr
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_settings_missing(tmp_path: Path) -> None:
    """Every mandatory setting that is not set is named at once."""
    ended = run("serve", directory=tmp_path)
    assert_one_line(ended, 2, "ECS_ASG", "ECS_CLUSTER", "ECS_TASK_DEF")


def test_region_unknown(tmp_path: Path) -> None:
    """Without a region anywhere the settings are incomplete, and the remedy is named."""
    variables = {**SETTINGS, "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    ended = run("serve", directory=tmp_path, variables=variables)
    assert_one_line(ended, 2, "AWS_REGION")


def test_simulation_unreachable(tmp_path: Path) -> None:
    """Where no simulated AWS listens, the URL is named."""
    ended = run("serve", "--simulated-aws", "http://127.0.0.1:1", directory=tmp_path)
    assert_one_line(ended, 1, "http://127.0.0.1:1")


def test_aws_unreachable(tmp_path: Path) -> None:
    """An endpoint of AWS that nobody answers at is told as such."""
    variables = {
        **SETTINGS,
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    ended = run("serve", directory=tmp_path, variables=variables)
    assert_one_line(ended, 1, "AWS cannot be reached", "eu-west-1")


def test_doctor_before_the_first_start(tmp_path: Path) -> None:
    """With the settings of `serve` and boto3's own AWS_ENDPOINT_URL: a line a check, and no file is made."""
    with simulated_account(tmp_path, "--iam-policy", str(ROOT / "deploy" / "iam-policy.json")) as account:
        found = run("doctor", directory=tmp_path, variables={**AWS, "AWS_ENDPOINT_URL": account.url})
        start_service(tmp_path, account.url).end()
        assert account.journal("AccessDenied") == []
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stderr == ""
    assert len(re.findall("^ok  ", found.stdout, re.MULTILINE)) == 12
    assert not (tmp_path / "ecs-scheduler.sqlite3").exists()


def test_credentials_refused(tmp_path: Path, account: SimulatedAccount) -> None:
    """Credentials that AWS refuses are told as such, with AWS's own words."""
    account.show_fault(REFUSED_CREDENTIALS)
    ended = run("serve", "--simulated-aws", account.url, directory=tmp_path)
    assert_one_line(ended, 1, "refuses the credentials", "InvalidClientTokenId")


def test_port_in_use(tmp_path: Path, account: SimulatedAccount) -> None:
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("serve", "--listen", address, "--simulated-aws", account.url, directory=tmp_path)
    assert_one_line(ended, 1, address)


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "127.0.0.1:-1", "foo"])
def test_listen_malformed(tmp_path: Path, listen: str) -> None:
    """An address that is none is refused before AWS is asked, by the names of option and variable."""
    ended = run("serve", f"--listen={listen}", directory=tmp_path, variables=SETTINGS)
    assert_one_line(ended, 2, "--listen", "ECS_SCHEDULER_LISTEN", listen, "port")


def test_simulation_without_scheme(tmp_path: Path) -> None:
    """Where a URL is wanted and a bare address given, the URL is spelled out."""
    ended = run("serve", "--simulated-aws", "127.0.0.1:4599", directory=tmp_path)
    assert ended.returncode == 2
    assert "http://127.0.0.1:4599" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_journal_unwritable(tmp_path: Path) -> None:
    """A journal that cannot be written is named."""
    journal = str(tmp_path / "nowhere" / "journal")
    assert_one_line(run("aws-sim", "--journal", journal, directory=tmp_path), 1, journal)


def test_open_listener(tmp_path: Path) -> None:
    """An address that others can reach needs a flag; without it AWS is not even asked."""
    ended = run("serve", "--listen", "0.0.0.0:0", directory=tmp_path, variables=SETTINGS)
    assert_one_line(ended, 2, "0.0.0.0:0", "loopback", "--insecure-listen")


def test_store_locked(tmp_path: Path, account: SimulatedAccount) -> None:
    """A second service on the same store is refused, with the file and the process that holds it."""
    store = str(tmp_path / "store.sqlite3")
    options = ("--listen", "127.0.0.1:0", "--store", store, "--simulated-aws", account.url)
    with service(tmp_path, account.url):
        ended = run("serve", *options, directory=tmp_path)
    assert_one_line(ended, 1, store, "is held by process")


def test_store_corrupt(tmp_path: Path, account: SimulatedAccount) -> None:
    """A store that is no store is refused untouched."""
    store = tmp_path / "broken.sqlite3"
    store.write_bytes(b"not a database" * 100)
    options = ("--listen", "127.0.0.1:0", "--store", str(store), "--simulated-aws", account.url)
    ended = run("serve", *options, directory=tmp_path)
    assert_one_line(ended, 1, str(store))
    assert store.read_bytes() == b"not a database" * 100


def test_simulation_port_in_use(tmp_path: Path, account: SimulatedAccount) -> None:
    """The simulated AWS says so too when its port is taken."""
    address = account.url.removeprefix("http://")
    assert_one_line(run("aws-sim", "--listen", address, directory=tmp_path), 1, address)
