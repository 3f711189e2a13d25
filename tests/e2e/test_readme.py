"""The README's sessions, replayed against a real service: what it shows is what one gets."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.e2e.programs import ROOT, environment, run, service, simulated_account
from tests.e2e.readme import Entry, entries, task_ids
from tests.e2e.reflection_client import ReflectionClient, pretty

README_ADDRESS = "127.0.0.1:50051"
BUF = ROOT / ".venv" / "bin" / "buf"
READ_WITHIN_S = 15.0
_POLL_S = 0.5


class Session:
    """A newcomer at the keyboard; ids that the README shows stand for those of this run."""

    def __init__(self, directory: Path, address: str, channel: grpc.Channel) -> None:
        self._directory = directory
        self.address = address
        self._client = ReflectionClient(channel)
        self._ids: dict[str, str] = {}

    def replay(self, entry: Entry) -> str:
        """What the command prints here."""
        words = [self._translated(word) for word in entry.words]
        printed = self._grpcurl(words, entry) if words[0] == "grpcurl" else self._cli(words)
        for shown, real in zip(task_ids(entry.shown), task_ids(printed), strict=False):
            self._ids.setdefault(shown, real)
        return printed

    def _translated(self, word: str) -> str:
        for shown, real in self._ids.items():
            word = word.replace(shown, real)
        return word

    def _cli(self, words: list[str]) -> str:
        variables = {"ECS_SCHEDULER_ADDRESS": self.address}
        return run(*words[1:], directory=self._directory, variables=variables).stdout

    def _grpcurl(self, words: list[str], entry: Entry) -> str:
        body = words[words.index("-d") + 1] if "-d" in words else ""
        verb = words[words.index(README_ADDRESS) + 1 :]
        if verb == ["list"]:
            return "\n".join(self._client.services())
        if verb[0] == "describe":
            return self._client.describe(verb[1])
        messages = max(1, entry.shown.count("\n}") + entry.shown.startswith("}"))
        return "\n".join(map(pretty, self._client.call(verb[0], body, messages)))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    directory = tmp_path_factory.mktemp("readme")
    # Twice as fast as the README's, to save time; what it shows of a start still takes four seconds.
    with (
        simulated_account(directory, "--rate", "2") as account,
        service(directory, account.url) as program,
        grpc.insecure_channel(program.ready) as channel,
    ):
        yield Session(directory, program.ready, channel)


def replayed(session: Session, entry: Entry) -> str:
    """What is only read is read again until it agrees, as the cluster settles."""
    printed = session.replay(entry)
    deadline = READ_WITHIN_S
    while not entry.agrees(printed) and entry.words[-1].endswith(("GetCluster", "GetTask", "cluster")):
        deadline -= _POLL_S
        if deadline < 0:
            break
        time.sleep(_POLL_S)
        printed = session.replay(entry)
    return printed


def test_sessions(session: Session) -> None:
    """Every command that the README shows with its output prints just that, ids and times aside."""
    shown = list(entries())
    assert len([entry for entry in shown if entry.words[0] == "grpcurl"]) >= 7
    for entry in shown:
        printed = replayed(session, entry)
        assert entry.agrees(printed), f"{entry.command}\n--- README\n{entry.shown}\n--- here\n{printed}"


def buf_curl(*arguments: str) -> str:
    command = [str(BUF), "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments]
    ended = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_buf_lists_methods(session: Session) -> None:
    """A client of another make lists every method by reflection."""
    listed = buf_curl("--list-methods", f"http://{session.address}").split()
    assert "ecs_scheduler.v1.SchedulerService/WatchTasks" in listed
    assert "ecs_scheduler.v1.ScalingService/GetCluster" in listed


def test_buf_calls(session: Session) -> None:
    """A client of another make calls a method that it knows by reflection only."""
    url = f"http://{session.address}/ecs_scheduler.v1.ScalingService/GetCluster"
    assert '"cluster":"ci"' in buf_curl("-d", "{}", url).replace(" ", "")
