"""The move from the Java service, played as its page tells it, beside tasks that this one did not start."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.cli.simulation import dummy_session
from tests.e2e.programs import LISTENING, ROOT, Program, SimulatedAccount, run, simulated_account
from tests.e2e.readme import Entry, entries

PAGE = ROOT / "docs" / "migration.md"
SETTINGS = re.compile(r"^```\n((?:[\w-]+=.*\n)+)```$", re.MULTILINE)

# The probe works for longer than the idle timeout, so that what is idle meanwhile could have been removed.
SIMULATION = ("--rate", "20", "--run-s", "150:160", "--iam-policy", str(ROOT / "deploy" / "iam-policy.json"))
AGREES_WITHIN_S = 60.0
_POLL_S = 1.0


class JavaService:
    """What stands in for it: agents in the same family, without any mark of ours."""

    def __init__(self, account: SimulatedAccount) -> None:
        self._ecs: Any = dummy_session().client("ecs", endpoint_url=account.url)
        self._arns: list[str] = []

    def start_agents(self, count: int) -> None:
        """On one container instance, for a day."""
        container = {"name": "bamboo-agent", "image": "agent:1", "cpu": 2048, "memoryReservation": 8000}
        family = self._ecs.register_task_definition(family="ci-agent", containerDefinitions=[container])
        instances = self._ecs.list_container_instances(cluster="ci")["containerInstanceArns"]
        day = {"name": "SIMULATED_RUN_MS", "value": str(24 * 3_600_000)}
        for _ in range(count):
            answer = self._ecs.start_task(
                cluster="ci",
                taskDefinition=family["taskDefinition"]["taskDefinitionArn"],
                containerInstances=[min(instances)],
                overrides={"containerOverrides": [{"name": "bamboo-agent", "environment": [day]}]},
            )
            self._arns += [task["taskArn"] for task in answer["tasks"]]

    def states(self) -> list[str]:
        """Of its agents."""
        tasks = self._ecs.describe_tasks(cluster="ci", tasks=self._arns)["tasks"]
        return [task["lastStatus"] for task in tasks]


class Operator:
    """Types what the page shows; the service that the page starts is ended before the next one is started."""

    def __init__(self, directory: Path, url: str) -> None:
        self._directory, self._url = directory, url
        lines = SETTINGS.findall(PAGE.read_text())[0].splitlines()
        self._settings = dict(line.split("=", 1) for line in lines)
        self._service: Program | None = None

    def type(self, entry: Entry) -> str:
        """What the command prints."""
        begin = entry.words.index("ecs-scheduler")
        verb, *options = entry.words[begin + 1 :]
        more = dict(word.split("=", 1) for word in entry.words[:begin] if "=" in word)
        if verb == "serve":
            self._start(options, more)
            return ""
        if verb == "doctor":
            return self._printed(verb, "--simulated-aws", self._url, variables=self._settings)
        assert self._service
        variables = {"ECS_SCHEDULER_ADDRESS": self._service.ready}
        return self._printed(verb, *options, variables=variables)

    def stop(self) -> None:
        """As one goes back: SIGTERM."""
        if self._service:
            self._service.end()

    def _start(self, options: list[str], more: dict[str, str]) -> None:
        self.stop()
        here = ("--listen", "127.0.0.1:0", "--simulated-aws", self._url)
        variables = self._settings | more
        self._service = Program(
            self._directory, "serve", *here, *options, ready=LISTENING, variables=variables
        )

    def _printed(self, *words: str, variables: dict[str, str]) -> str:
        ended = run(*words, directory=self._directory, variables=variables)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture
def account(tmp_path: Path) -> Iterator[SimulatedAccount]:
    with simulated_account(tmp_path, *SIMULATION) as running:
        yield running


@pytest.fixture
def operator(tmp_path: Path, account: SimulatedAccount) -> Iterator[Operator]:
    typing = Operator(tmp_path, account.url)
    try:
        yield typing
    finally:
        typing.stop()


def played(operator: Operator, entry: Entry) -> str:
    """What is only read is read again until it agrees: idleness takes its time."""
    printed = operator.type(entry)
    deadline_s = time.perf_counter() + AGREES_WITHIN_S
    while not entry.agrees(printed) and entry.words[-1] in ("cluster", "--dry-run", "doctor"):
        if time.perf_counter() > deadline_s:
            break
        time.sleep(_POLL_S)
        printed = operator.type(entry)
    return printed


def test_the_page_from_the_first_look_to_going_back(account: SimulatedAccount, operator: Operator) -> None:
    """Every command prints what the page shows. No agent of the Java service is ended, and what is removed
    is one idle instance, at the step at which the page says so; nothing is asked that the policy denies.
    """
    java = JavaService(account)
    java.start_agents(2)
    for entry in entries(PAGE):
        printed = played(operator, entry)
        shown = f"{entry.command}\n--- the page\n{entry.shown}\n--- here\n{printed}"
        assert not entry.shown or entry.agrees(printed), shown
    operator.stop()
    assert java.states() == ["RUNNING", "RUNNING"]
    assert account.journal("StopTask") == account.journal("AccessDenied") == []
    assert len(account.journal("DetachInstances")) == 1
