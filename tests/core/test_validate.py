"""Validation of requests: every limit, and the path and words by which a client learns of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from scheduler.core.model.resources import Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    TaskRequest,
    Timeouts,
)
from scheduler.core.validate import validate

LAST_MS = 253_402_300_799_999
DAY_MS = 86_400_000
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
VARIABLE = EnvironmentVariable(name="A", value="1")


def extra(name: str = "database", **changes: Any) -> ExtraContainer:
    fields: dict[str, Any] = {"image": "postgres:15", "size": ContainerSize.SMALL}
    return ExtraContainer(name=name, **(fields | changes))


def container(name: str = "agent", **changes: Any) -> Container:
    fields: dict[str, Any] = {"image": "agent:1", "resources": Resources(cpu=512, memory_mib=1_000)}
    return Container(name=name, **(fields | changes))


def agent_request(*extras: ExtraContainer, **changes: Any) -> TaskRequest:
    fields: dict[str, Any] = {
        "result_id": "AAA-BBB-JOB-1",
        "build_key": "AAA-BBB-JOB",
        "server_url": "https://bamboo.example.com/base",
        "sidekick_image": "sidekick:1",
        "image": "agent:1",
        "size": ContainerSize.REGULAR,
        "extra_containers": extras,
    }
    return request(spec=BambooAgentSpec(**(fields | changes)))


def containers_request(*containers: Container) -> TaskRequest:
    return request(spec=ContainersSpec(containers=containers))


def request(**changes: Any) -> TaskRequest:
    fields: dict[str, Any] = {
        "request_id": UUID,
        "tenant": "bamboo",
        "priority": 0,
        "labels": {},
        "spec": ContainersSpec(containers=(container(),)),
    }
    return TaskRequest(**(fields | changes))


def variables(*names: str, value: str = "1") -> dict[str, Any]:
    return {"environment": tuple(EnvironmentVariable(name=name, value=value) for name in names)}


def resources(cpu: int = 0, memory_mib: int = 6, gpus: int = 0) -> dict[str, Any]:
    return {"resources": Resources(cpu=cpu, memory_mib=memory_mib, gpus=gpus)}


def paths(judged: TaskRequest) -> list[str]:
    return [violation.field_path for violation in validate(judged)]


BAD_REQUESTS: Mapping[str, list[dict[str, Any]]] = {
    "request_id": [
        {"request_id": text}
        for text in (
            "",
            "request-1",
            UUID.replace("-", ""),
            f"{{{UUID}}}",
            f"{UUID}\n",
            UUID.replace("0", "g"),
        )
    ],
    "tenant": [
        {"tenant": text} for text in ("", "-a", "Bamboo", "a_b", "a b", "a" * 64, "bamboo\n", "büro", "a\0")
    ],
    "priority": [{"priority": number} for number in (-1_001, 1_001, 2**31 - 1)],
    "labels": [{"labels": {f"key-{number}": "" for number in range(33)}}],
    'labels[""]': [{"labels": {"": "value"}}],
    'labels["a b"]': [{"labels": {"a b": "value"}}],
    'labels["a\\"\\n"]': [{"labels": {'a"\n': "value"}}],
    f'labels["{"k" * 64}"]': [{"labels": {"k" * 64: "value"}}],
    'labels["team"]': [{"labels": {"team": value}} for value in ("v" * 256, "a\0", "a\nb", "\x7f", "\x85")],
    "queue_timeout": [{"timeouts": Timeouts(queue_ms=ms)} for ms in (-1, 0, 999, 7 * DAY_MS + 1)],
    "start_timeout": [{"timeouts": Timeouts(start_ms=ms)} for ms in (-1, 0, 999, DAY_MS + 1)],
    "run_timeout": [{"timeouts": Timeouts(run_ms=ms)} for ms in (-1, 0, 999, 30 * DAY_MS + 1)],
}

BAD_TEXTS = ("", "   ", "\t\n", "x" * 256, "a\0b", "a\nb", "\0")
BAD_NAMES = ("", "a.b", "a b", "a/b", "é", "a" * 256, "a\n", "a\0")
BAD_VARIABLES = ("", "1A", "A-B", "A B", "A=B", "Ä", "A" * 256, "A\n", "A\0")

BAD_AGENTS: Mapping[str, list[dict[str, Any]]] = {
    "result_id": [{"result_id": text} for text in BAD_TEXTS],
    "build_key": [{"build_key": text} for text in ("b" * 256, "a\0", "a\nb")],
    "server_url": [
        {"server_url": text}
        for text in (
            "",
            "bamboo.example.com",
            "ftp://bamboo",
            "http://",
            "https:///path",
            "http://a b",
            "http://a\n",
            "http://a\0",
            " http://a",
            "http://" + "a" * 2_042,
        )
    ],
    "sidekick_image": [{"sidekick_image": text} for text in BAD_TEXTS],
    "image": [{"image": text} for text in BAD_TEXTS],
    "size": [{"size": None}],
    "queue_time": [{"queue_time_ms": number} for number in (-1, LAST_MS + 1)],
}

BAD_EXTRAS: Mapping[str, list[ExtraContainer]] = {
    "name": [extra(name) for name in (*BAD_NAMES, "bamboo-agent", "bamboo-agent-sidekick", "taken")],
    "image": [extra(image=text) for text in BAD_TEXTS],
    "size": [extra(size=None), extra(size=ContainerSize.XSMALL)],
    "commands": [extra(commands=("",) * 101)],
    "commands[1]": [extra(commands=("sh", "a\0"))],
    "environment": [extra(**variables(*(f"V{number}" for number in range(101))))],
    "environment[0].name": [extra(**variables(name)) for name in BAD_VARIABLES],
    "environment[1].name": [extra(**variables("A", "A"))],
    "environment[0].value": [extra(**variables("A", value="a\0"))],
}

BAD_CONTAINERS: Mapping[str, list[Container]] = {
    "name": [container(name) for name in (*BAD_NAMES, "taken")],
    "image": [container(image=text) for text in BAD_TEXTS],
    "resources.cpu_units": [container(**resources(cpu=amount)) for amount in (-1, 10_000_001)],
    "resources.memory_mib": [container(**resources(memory_mib=amount)) for amount in (-1, 0, 5, 100_000_001)],
    "resources.gpus": [container(**resources(gpus=amount)) for amount in (-1, 65)],
    "command": [container(command=("",) * 101)],
    "command[1]": [container(command=("sh", "a\0"))],
    "environment": [container(**variables(*(f"V{number}" for number in range(101))))],
    "environment[0].name": [container(**variables(name)) for name in BAD_VARIABLES],
    "environment[1].name": [container(**variables("A", "A"))],
    "environment[0].value": [container(**variables("A", value="a\0"))],
}

GOOD: list[TaskRequest] = [
    request(),
    request(request_id=UUID.upper(), tenant="0", priority=-1_000),
    request(tenant="a" * 63, priority=1_000, labels={f"k-{number}": "" for number in range(32)}),
    request(labels={"a.b_c/D-1": "any value: é 漢", "k" * 63: "v" * 255}),
    request(timeouts=Timeouts(queue_ms=1_000, start_ms=1_000, run_ms=1_000), may_run_again=True),
    request(timeouts=Timeouts(queue_ms=7 * DAY_MS, start_ms=DAY_MS, run_ms=30 * DAY_MS)),
    agent_request(),
    agent_request(image="\t\n\f\r image:tag \t\n", sidekick_image="s" * 255, result_id="r" * 255),
    agent_request(build_key="", size=ContainerSize.XSMALL, queue_time_ms=0),
    agent_request(build_key="b" * 255, server_url="http://b", queue_time_ms=LAST_MS),
    agent_request(server_url="https://" + "a" * 2_040),
    agent_request(*[extra(f"extra-{number}") for number in range(8)]),
    agent_request(extra("Bamboo-Agent", size=ContainerSize.LARGE_8X, commands=("",) * 100)),
    agent_request(extra(commands=("sh", "-c", "a\n\tb"), **variables("_", "a1", value="line\nline"))),
    containers_request(*[container("n" * 50 + str(number)) for number in range(10)]),
    containers_request(container("bamboo-agent", **resources(cpu=10_000_000, gpus=64))),
    containers_request(container("n" * 255, **resources(memory_mib=100_000_000))),
    containers_request(container(**variables(*(f"V{number}" for number in range(100)), value=""))),
    containers_request(container(command=("",) * 100, **variables("A" * 255))),
]


def cases(table: Mapping[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(path, case) for path, given in table.items() for case in given]


@pytest.mark.parametrize("good", GOOD)
def test_good_request(good: TaskRequest) -> None:
    """A request within every limit, and at it, is valid."""
    assert validate(good) == ()


@pytest.mark.parametrize(("path", "changes"), cases(BAD_REQUESTS))
def test_bad_request(path: str, changes: dict[str, Any]) -> None:
    """A bad field of the request itself is named, and nothing else is."""
    assert paths(request(**changes)) == [path]


@pytest.mark.parametrize(("path", "changes"), cases(BAD_AGENTS))
def test_bad_agent(path: str, changes: dict[str, Any]) -> None:
    """A bad field of a Bamboo agent is named, and nothing else is."""
    assert paths(agent_request(**changes)) == [f"bamboo_agent.{path}"]


@pytest.mark.parametrize(("path", "bad"), cases(BAD_EXTRAS))
def test_bad_extra_container(path: str, bad: ExtraContainer) -> None:
    """A bad field of an extra container is named with the container's place."""
    assert paths(agent_request(extra("taken"), bad)) == [f"bamboo_agent.extra_containers[1].{path}"]


@pytest.mark.parametrize(("path", "bad"), cases(BAD_CONTAINERS))
def test_bad_container(path: str, bad: Container) -> None:
    """A bad field of a plain container is named with the container's place."""
    assert paths(containers_request(container("taken"), bad)) == [f"containers.containers[1].{path}"]


def test_too_many_extra_containers() -> None:
    """With agent and sidekick, ECS's ten containers leave eight."""
    assert paths(agent_request(*[extra(f"e{number}") for number in range(9)])) == [
        "bamboo_agent.extra_containers"
    ]


@pytest.mark.parametrize("count", [0, 11])
def test_count_of_containers(count: int) -> None:
    """A task has one to ten containers."""
    judged = containers_request(*[container(f"c{number}") for number in range(count)])
    assert paths(judged) == ["containers.containers"]


def test_every_violation_in_order() -> None:
    """A client learns of everything at once, in the order of the proto's fields."""
    bad = extra("", image=" ", size=None, commands=("\0",), environment=(VARIABLE, VARIABLE))
    spec = agent_request(
        extra("a"), extra("a", size=None), bad, result_id="", image="", queue_time_ms=-1
    ).spec
    timeouts = Timeouts(queue_ms=0, start_ms=0, run_ms=0)
    judged = request(
        request_id="",
        tenant="",
        priority=9_999,
        labels={"b": "\0", " ": "\0"},
        spec=spec,
        timeouts=timeouts,
    )
    assert paths(judged) == [
        "request_id",
        "tenant",
        "priority",
        'labels[" "]',
        'labels[" "]',
        'labels["b"]',
        "bamboo_agent.result_id",
        "bamboo_agent.image",
        "bamboo_agent.extra_containers[1].name",
        "bamboo_agent.extra_containers[1].size",
        "bamboo_agent.extra_containers[2].name",
        "bamboo_agent.extra_containers[2].image",
        "bamboo_agent.extra_containers[2].size",
        "bamboo_agent.extra_containers[2].commands[0]",
        "bamboo_agent.extra_containers[2].environment[1].name",
        "bamboo_agent.queue_time",
        "queue_timeout",
        "start_timeout",
        "run_timeout",
    ]


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (request(priority=1_001), "a number from -1,000 to 1,000"),
        (request(timeouts=Timeouts(queue_ms=0)), "not set, or a duration from 1 s to 7 days"),
        (request(timeouts=Timeouts(start_ms=0)), "not set, or a duration from 1 s to 1 day"),
        (request(labels={"a b": ""}), "a key of 1 to 63 letters"),
        (request(labels={"a": "\0"}), "a value of at most 255 characters"),
        (agent_request(size=None), "a size from XSMALL to LARGE_8X"),
        (agent_request(extra(size=ContainerSize.XSMALL)), "a size from SMALL to LARGE_8X"),
        (agent_request(extra(), extra()), "a name that is not taken"),
        (agent_request(queue_time_ms=-1), "not set, or a number from 0 to"),
        (containers_request(container(**resources(memory_mib=5))), "a number from 6 to 100,000,000"),
        (containers_request(), "1 to 10 entries"),
        (containers_request(container(command=("",) * 101)), "at most 100 entries"),
    ],
)
def test_expectation_in_words(judged: TaskRequest, words: str) -> None:
    """A violation says what was expected, with the limit."""
    [violation] = validate(judged)
    assert violation.expected.startswith(words)
