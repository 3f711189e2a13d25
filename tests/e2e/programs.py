"""Commands of the program as real processes, on free ports of loopback, ended by whoever started them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 30.0
ENDS_WITHIN_S = 20.0
_POLL_S = 0.05
_NOTHING_MORE: Mapping[str, str] = {}

URL = r"http://[0-9.:]+"
LISTENING = r"(?<=listening on )\S+"


def environment(more: Mapping[str, str] = _NOTHING_MORE) -> dict[str, str]:
    """What a process gets: nothing of the developer's own AWS or scheduler."""
    return {**bare_environment(), "ECS_SCHEDULER_DRAIN_DELAY_S": "0", **more}


def bare_environment() -> dict[str, str]:
    """What a process needs to run at all: not one variable of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "generated")])}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "scheduler", *arguments]


def run(
    *arguments: str, directory: Path, timeout_s: float = 60.0, variables: Mapping[str, str] = _NOTHING_MORE
) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    return subprocess.run(
        command(*arguments),
        cwd=directory,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class Program:
    """A command that runs until it is told to end; what it writes goes to a file."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        ready: str,
        variables: Mapping[str, str] = _NOTHING_MORE,
        only: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it and waits until its output matches `ready`; with `only` it gets these variables alone."""
        self.output = directory / f"{arguments[0]}.log"
        self._start = self.output.stat().st_size if self.output.exists() else 0
        given = environment(variables) if only is None else {**bare_environment(), **only}
        with self.output.open("ab") as sink:
            self._process = subprocess.Popen(
                command(*arguments), cwd=directory, env=given, stdout=sink, stderr=sink
            )
        try:
            self.ready = self._wait_for(ready)
        except BaseException:
            self.kill()
            raise

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(ENDS_WITHIN_S)

    def pause(self) -> None:
        """SIGSTOP: it stands still, and its clock goes on."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, as a power failure would have it."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """However it stands: terminated, or killed if that takes too long."""
        if self._process.poll() is None:
            try:
                self.terminate()
            except subprocess.TimeoutExpired:
                self.kill()

    def _wait_for(self, ready: str) -> str:
        for _ in range(int(READY_WITHIN_S / _POLL_S)):
            written = self.output.read_bytes()[self._start :].decode()
            if match := re.search(ready, written):
                return match[0]
            try:
                self._process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError(f"not ready: {self.output.read_text()}")


class SimulatedAccount:
    """An `aws-sim` process, its journal, and the faults that it is told to show."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.journal_file = directory / "journal.jsonl"
        listen = ("--listen", "127.0.0.1:0", "--journal", str(self.journal_file))
        self.program = Program(directory, "aws-sim", *listen, *options, ready=URL)
        self.url = self.program.ready

    def journal(self, effect: str) -> list[dict[str, Any]]:
        """The entries of one kind so far; a line that is being written is left out."""
        lines = self.journal_file.read_text().split("\n")[:-1]
        return [entry for entry in map(json.loads, lines) if entry["effect"] == effect]

    def starts_by_task(self) -> Counter[str]:
        """How many ECS tasks were started for each of the service's tasks."""
        return Counter(entry["tags"]["ecs-scheduler:task"] for entry in self.journal("StartTask"))

    def show_fault(self, fault: Mapping[str, object]) -> None:
        """From now on, as the fault says."""
        body = json.dumps(fault).encode()
        with urlopen(Request(f"{self.url}/_simulation/faults", data=body), timeout=10):
            return


@contextmanager
def simulated_account(directory: Path, *options: str) -> Iterator[SimulatedAccount]:
    """A simulated AWS for the length of the block."""
    account = SimulatedAccount(directory, *options)
    try:
        yield account
    finally:
        account.program.end()


def start_service(
    directory: Path, url: str, listen: str = "127.0.0.1:0", variables: Mapping[str, str] = _NOTHING_MORE
) -> Program:
    """A service on that AWS, with its store in `directory`; `ready` is its address."""
    store = str(directory / "store.sqlite3")
    options = ("--listen", listen, "--store", store, "--simulated-aws", url)
    return Program(directory, "serve", *options, ready=LISTENING, variables=variables)


@contextmanager
def service(directory: Path, url: str) -> Iterator[Program]:
    """A service for the length of the block."""
    program = start_service(directory, url)
    try:
        yield program
    finally:
        program.end()
