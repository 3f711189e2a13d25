"""Containers that start after others: conditions, health, what cannot come to be, and what is refused."""

from typing import Any

import pytest

from tests.simulated_aws.driver import (
    RUN_MS,
    START_MS,
    STOP_MS,
    Answer,
    Driver,
    container,
    make_account,
    refused,
)

CHECK = {"command": ["CMD", "true"], "interval": 10}
SCRIPT_MS = 20_000


def after(name: str, condition: str = "START") -> dict[str, Any]:
    return {"dependsOn": [{"containerName": name, "condition": condition}]}


def beside(name: str, **members: Any) -> Answer:
    return container(name, essential=False, **members)


def overriding(name: str, **variables: str) -> dict[str, Any]:
    pairs = [{"name": key, "value": value} for key, value in variables.items()]
    return {"containerOverrides": [{"name": name, "environment": pairs}]}


def begun(account: Driver, *containers: Answer, **params: Any) -> str:
    """A task of these containers, at the moment when the first of them start."""
    account.register("agents", *containers)
    arn = account.started(**params)
    account.pass_ms(START_MS)
    return arn


def script(exit_code: int = 0) -> dict[str, Any]:
    return overriding("fetch", SIMULATED_RUN_MS=str(SCRIPT_MS), SIMULATED_EXIT_CODE=str(exit_code))


def seen(account: Driver, arn: str, member: str = "lastStatus") -> dict[str, Any]:
    return {each["name"]: each.get(member) for each in account.task(arn)["containers"]}


@pytest.mark.parametrize("condition", ["COMPLETE", "SUCCESS"])
def test_a_container_starts_after_the_exit_of_another(condition: str) -> None:
    """Until then the task is PENDING; its run counts from the start of its main container."""
    account = make_account()
    arn = begun(account, container(**after("fetch", condition)), beside("fetch"), overrides=script())
    assert account.task(arn)["lastStatus"] == "PENDING"
    assert seen(account, arn) == {"agent": "PENDING", "fetch": "RUNNING"}
    account.pass_ms(SCRIPT_MS)
    assert account.task(arn)["lastStatus"] == "RUNNING"
    assert seen(account, arn) == {"agent": "RUNNING", "fetch": "STOPPED"}
    account.pass_ms(RUN_MS + STOP_MS)
    assert seen(account, arn, "exitCode") == {"agent": 0, "fetch": 0}


def test_complete_means_any_exit_code() -> None:
    """SUCCESS alone asks for 0."""
    account = make_account()
    arn = begun(account, container(**after("fetch", "COMPLETE")), beside("fetch"), overrides=script(3))
    account.pass_ms(SCRIPT_MS)
    assert account.task(arn)["lastStatus"] == "RUNNING"


def test_a_failed_dependency_ends_an_essential_containers_task() -> None:
    """It never ran, has the exit code 143, and ECS's agent says which dependency failed."""
    account = make_account()
    arn = begun(account, container(**after("fetch", "SUCCESS")), beside("fetch"), overrides=script(3))
    account.pass_ms(SCRIPT_MS)
    task = account.task(arn)
    assert (task["lastStatus"], task["stopCode"], "startedAt" in task) == (
        "STOPPED",
        "TaskFailedToStart",
        False,
    )
    assert seen(account, arn, "exitCode") == {"agent": 143, "fetch": 3}
    reason = seen(account, arn, "reason")["agent"]
    assert reason.startswith("CannotStartContainerError: dependency graph: failed to resolve")
    assert reason.endswith("as dependency did not exit successfully.")


def test_a_failed_dependency_of_others_leaves_the_task_alone() -> None:
    """A container that is not essential is given up, with those behind it, and the task runs."""
    account = make_account()
    containers = (
        container(),
        beside("fetch"),
        beside("browser", **after("fetch", "SUCCESS")),
        beside("proxy", **after("browser")),
    )
    arn = begun(account, *containers, overrides=script(1))
    account.pass_ms(SCRIPT_MS)
    assert account.task(arn)["lastStatus"] == "RUNNING"
    assert seen(account, arn, "exitCode") == {"agent": None, "fetch": 1, "browser": 143, "proxy": 143}
    assert seen(account, arn, "reason")["proxy"].endswith("because dependency will never start")


def test_a_container_starts_once_another_is_healthy() -> None:
    """Its first check passes one interval after its start, and DescribeTasks shows it."""
    account = make_account()
    database = container("db", healthCheck=CHECK)
    arn = begun(account, container(**after("db", "HEALTHY")), database)
    account.pass_ms(9_999)
    assert account.task(arn)["lastStatus"] == "PENDING"
    account.pass_ms(1)
    assert account.task(arn)["lastStatus"] == "RUNNING"
    assert seen(account, arn, "healthStatus") == {"agent": "UNKNOWN", "db": "HEALTHY"}


def test_what_is_never_healthy_is_waited_for() -> None:
    """Nothing ends the wait but a stop; what ran by then has an exit code, what did not has none."""
    account = make_account()
    health = overriding("db", SIMULATED_HEALTH="UNHEALTHY")
    arn = begun(
        account, container(**after("db", "HEALTHY")), beside("db", healthCheck=CHECK), overrides=health
    )
    account.hours_later(1)
    assert account.task(arn)["lastStatus"] == "PENDING"
    assert seen(account, arn, "healthStatus")["db"] == "UNHEALTHY"
    account.ecs("StopTask", task=arn)
    account.pass_ms(STOP_MS)
    assert seen(account, arn, "exitCode") == {"agent": None, "db": 143}


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ({"healthCheck": CHECK}, "HEALTHY"),
        ({"healthCheck": CHECK | {"interval": 300}}, "UNKNOWN"),
        ({}, "UNKNOWN"),
    ],
)
def test_a_tasks_health_is_that_of_its_essential_containers(checks: dict[str, Any], expected: str) -> None:
    """Those that are not essential have no say in it."""
    account = make_account()
    arn = begun(account, container(**checks), beside("db"))
    account.pass_ms(30_000)
    assert account.task(arn)["healthStatus"] == expected


@pytest.mark.parametrize(
    ("containers", "match"),
    [
        ([container(**after("nobody"))], "unknown container"),
        ([container(**after("agent"))], "cycle"),
        ([container(**after("db")), beside("db", **after("agent"))], "cycle"),
        ([container(**after("db", "READY")), beside("db")], "invalid dependency condition"),
        ([container(**after("db", "COMPLETE")), container("db")], "essential"),
        ([container(**after("db", "SUCCESS")), container("db")], "essential"),
        ([container(**after("db", "HEALTHY")), beside("db")], "needs a health check"),
        ([container(healthCheck={"command": ["true"]})], "CMD"),
        ([container(healthCheck={"command": ["NONE"]})], "CMD"),
        ([container(healthCheck=CHECK | {"interval": 4})], "interval"),
        ([container(healthCheck=CHECK | {"timeout": 61})], "timeout"),
        ([container(healthCheck=CHECK | {"retries": 0})], "retries"),
        ([container(healthCheck=CHECK | {"startPeriod": 301})], "startPeriod"),
    ],
)
def test_registration_refuses_what_can_never_be(containers: list[Answer], match: str) -> None:
    """Dependencies and health checks that ECS would refuse."""
    with refused("ClientException", match):
        make_account().register("agents", *containers)


def test_registration_refuses_a_volume_of_two_kinds() -> None:
    """One kind each."""
    volume = {"name": "v", "host": {"sourcePath": "/a"}, "dockerVolumeConfiguration": {"scope": "shared"}}
    with refused("ClientException", "one kind"):
        make_account().register("agents", container(), volumes=[volume])


def test_a_definition_requires_what_its_parts_need_of_the_agent() -> None:
    """Ordering, health checks and volume drivers are capabilities, which container instances tell."""
    account = make_account()
    volume = {"name": "v", "dockerVolumeConfiguration": {"scope": "shared", "driver": "rexray"}}
    definition = account.register("agents", container(healthCheck=CHECK, stopTimeout=60), volumes=[volume])
    assert {each["name"] for each in definition["requiresAttributes"]} == {
        "ecs.capability.container-ordering",
        "ecs.capability.container-health-check",
        "ecs.capability.docker-plugin.rexray",
    }
    assert account.failure(account.start_task()) == "ATTRIBUTE"
