"""The variables that the Java service was started with, and no others, start this one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.datadog_intakes import KEY, FakeApi, fake_api
from tests.e2e.programs import (
    LISTENING,
    ROOT,
    Program,
    SimulatedAccount,
    run,
    simulated_account,
)

JAVA = {
    "ECS_ASG": "ci-agents",
    "ECS_CLUSTER": "ci",
    "ECS_TASK_DEF": "ci-agent",
    "ECS_LOGDRIVER": "awslogs",
    "ECS_LOGOPTIONS": "awslogs-region,awslogs-group,awslogs-stream-prefix",
    "awslogs-region": "eu-west-1",
    "awslogs-group": "ci-agents",
    "awslogs-stream-prefix": "builds",
    "AWS_REGION": "eu-west-1",
}

# Ten times as fast. The service knows nothing of that: it takes AWS's clock for one that is wrong.
SIMULATION = ("--rate", "10", "--run-s", "10:20", "--iam-policy", str(ROOT / "deploy" / "iam-policy.json"))

AGENT = {
    "requestId": "11111111-1111-4111-8111-111111111111",
    "tenant": "bamboo",
    "bambooAgent": {
        "resultId": "AAA-BBB-CCC-1",
        "buildKey": "AAA-BBB",
        "serverUrl": "https://bamboo.example.com",
        "sidekickImage": "sidekick:1",
        "image": "ubuntu:24.04",
        "size": "CONTAINER_SIZE_REGULAR",
    },
}


def aws_at(url: str) -> dict[str, str]:
    """What stands in for the instance's role and the real endpoints."""
    return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedAccount]:
    with simulated_account(tmp_path_factory.mktemp("aws"), *SIMULATION) as running:
        yield running


@pytest.fixture(scope="module")
def datadog() -> Iterator[FakeApi]:
    with fake_api() as api:
        yield api


@pytest.fixture(scope="module")
def service(
    account: SimulatedAccount, datadog: FakeApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """With its store where it is started, and the key in a file that ends in a line feed."""
    directory = tmp_path_factory.mktemp("service")
    (directory / "datadog-api-key").write_text(f"{KEY}\n")
    told = {"DATADOG_API_KEY_FILE": "datadog-api-key", "DATADOG_HOST": datadog.url}
    only = JAVA | aws_at(account.url) | told
    program = Program(directory, "serve", "--listen", "127.0.0.1:0", ready=LISTENING, only=only)
    try:
        yield program
    finally:
        program.end()


@pytest.fixture(scope="module")
def task(service: Program, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of an agent that was asked for and has come to its end."""
    directory = tmp_path_factory.mktemp("client")
    (directory / "agents.jsonl").write_text(json.dumps(AGENT) + "\n")
    task_id = printed(service, directory, "submit", "--file", "agents.jsonl").strip()
    assert "SUCCEEDED" in printed(service, directory, "watch", "--task", task_id, "--until-done")
    return task_id


def printed(service: Program, directory: Path, *words: str) -> str:
    ended = run(*words, directory=directory, variables={"ECS_SCHEDULER_ADDRESS": service.ready})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_an_agent_is_started_and_runs_to_its_end(account: SimulatedAccount, task: str) -> None:
    """Once, in the named cluster and family, in the region that AWS_REGION alone names."""
    assert account.starts_by_task() == {task: 1}
    (start,) = account.journal("StartTask")
    assert ":eu-west-1:" in start["taskArn"]
    assert "/ci/" in start["taskArn"]
    assert account.journal("AccessDenied") == []


def test_its_containers_log_as_the_dashed_variables_say(service: Program, task: str, tmp_path: Path) -> None:
    """The stream is found by the prefix and the group that they name."""
    assert printed(service, tmp_path, "logs", "--tenant", "bamboo", task)


def test_the_key_in_the_file_is_datadogs(datadog: FakeApi, task: str) -> None:
    """White space around it does not count."""
    assert datadog.posted.get(timeout=20).key == KEY


def test_nothing_beside_the_store_is_written(service: Program, task: str) -> None:
    """Its file has the default name, where the service was started."""
    assert list(service.output.parent.glob("*.sqlite3")) == [service.output.parent / "ecs-scheduler.sqlite3"]


def test_names_that_are_wrong_are_named_at_once(tmp_path: Path) -> None:
    """In one line, before AWS is asked; an option of the log driver is never left out silently."""
    right = {name: text for name, text in JAVA.items() if name not in ("ECS_CLUSTER", "awslogs-group")}
    wrong = {
        "ECS_CLUSTER_NAME": "ci",
        "awslogs_group": "ci-agents",
        "DATADOG_API_KEY_FILE": "nowhere",
        "ECS_SCHEDULER_TASK_ROLE": "arn:aws:iam::123456789012:role/agent",
    }
    ended = run("serve", directory=tmp_path, variables=right | wrong)
    assert ended.returncode == 2
    assert ended.stderr == (
        "ecs-scheduler: settings: not set: ECS_CLUSTER; "
        "ECS_LOGOPTIONS names variables that are not set: awslogs-group; "
        "DATADOG_API_KEY_FILE: cannot be read: FileNotFoundError; "
        "ECS_SCHEDULER_TASK_ROLE is unknown; is ECS_SCHEDULER_TASK_ROLE_ARN meant?\n"
    )
