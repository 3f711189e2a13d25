"""Two things that never happen: a valid request refused, a corruption that passes or is named elsewhere."""

import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.agents.bamboo import RESERVED_NAMES
from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES
from scheduler.core.model.container_parts import HealthCheck, MountPoint
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

LETTERS = string.ascii_letters
NAME_CHARACTERS = LETTERS + string.digits + "_-"
VISIBLE = st.characters(exclude_categories=["Cc", "Cs"])
# Short enough for ECS's limit on overrides, which has its own properties.
PAYLOADS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TEXTS = st.text(VISIBLE, min_size=1, max_size=60).filter(str.strip)
IMAGES = TEXTS | TEXTS.map(lambda text: f"\t {text}\r\n")
NAMES = st.text(NAME_CHARACTERS, min_size=1, max_size=20).filter(lambda name: name not in RESERVED_NAMES)
VARIABLES = st.builds(
    EnvironmentVariable,
    name=st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True),
    value=PAYLOADS,
)
ENVIRONMENTS = st.lists(VARIABLES, max_size=3, unique_by=lambda variable: variable.name).map(tuple)
COMMANDS = st.lists(PAYLOADS, max_size=3).map(tuple)


def named(messages: st.SearchStrategy[Any], *, at_least: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(messages, min_size=at_least, max_size=3, unique_by=lambda each: each.name).map(tuple)


EXTRAS = st.builds(
    ExtraContainer,
    name=NAMES,
    image=IMAGES,
    size=st.sampled_from(sorted(size for size in EXTRA_SIZES if size)),
    commands=COMMANDS,
    environment=ENVIRONMENTS,
)
BAMBOO = st.builds(
    BambooAgentSpec,
    result_id=st.text(LETTERS, min_size=1, max_size=255),
    build_key=st.text(VISIBLE, max_size=255),
    server_url=st.from_regex("https?://[a-z0-9.:-]+/?[A-Za-z0-9/?=&]*", fullmatch=True),
    sidekick_image=IMAGES,
    image=IMAGES,
    size=st.sampled_from(sorted(size for size in MAIN_SIZES if size)),
    extra_containers=named(EXTRAS, at_least=0),
    queue_time_ms=st.none() | st.integers(0, 253_402_300_799_999),
)
CONTAINERS = st.builds(
    ContainersSpec,
    containers=named(
        st.builds(
            Container,
            name=NAMES,
            image=IMAGES,
            resources=st.builds(
                Resources,
                cpu=st.integers(0, 10_000_000),
                memory_mib=st.integers(6, 100_000_000),
                gpus=st.integers(0, 64),
            ),
            command=COMMANDS,
            environment=ENVIRONMENTS,
            essential=st.booleans(),
            entry_point=COMMANDS,
            working_directory=st.sampled_from(["", "/", "/work"]),
            user=st.from_regex("([a-z0-9][a-z0-9._-]{0,9}(:[a-z0-9]{1,9})?)?", fullmatch=True),
            health_check=st.none()
            | st.builds(
                HealthCheck,
                command=COMMANDS.map(lambda command: ("CMD", "true", *command)),
                interval_s=st.none() | st.integers(5, 300),
                timeout_s=st.none() | st.integers(2, 60),
                retries=st.integers(0, 10),
                start_period_s=st.none() | st.integers(0, 300),
            ),
            stop_timeout_s=st.none() | st.integers(2, 120),
        ),
        at_least=1,
    ),
)
DAY_MS = 86_400_000
TIMEOUTS = st.builds(
    Timeouts,
    queue_ms=st.none() | st.integers(1_000, 7 * DAY_MS),
    start_ms=st.none() | st.integers(1_000, DAY_MS),
    run_ms=st.none() | st.integers(1_000, 30 * DAY_MS),
)
REQUESTS = st.builds(
    TaskRequest,
    request_id=st.uuids().map(str) | st.uuids().map(lambda uuid: str(uuid).upper()),
    tenant=st.from_regex("[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    priority=st.integers(-1_000, 1_000),
    labels=st.dictionaries(
        st.text(NAME_CHARACTERS + "./", min_size=1, max_size=63), st.text(VISIBLE, max_size=255), max_size=5
    ),
    spec=BAMBOO | CONTAINERS,
    timeouts=TIMEOUTS,
    may_run_again=st.booleans(),
)

Corruption = tuple[str, Any]
"""The path that is to be named, and the corrupted message."""


def fields(message: Any, bad: dict[str, Any], spelling: Callable[[str], str] = str) -> Iterator[Corruption]:
    """The message with one field after another made bad."""
    return ((spelling(name), replace(message, **{name: value})) for name, value in bad.items())


def inside(
    message: Any, name: str, corruptions: Callable[[Any], Iterator[Corruption]]
) -> Iterator[Corruption]:
    """The message with one of its parts after another corrupted, and with the first part repeated."""
    parts = getattr(message, name)
    for index, part in enumerate(parts):
        for path, bad in corruptions(part):
            changed = (*parts[:index], bad, *parts[index + 1 :])
            yield f"{name}[{index}].{path}", replace(message, **{name: changed})
    if parts:
        yield f"{name}[{len(parts)}].name", replace(message, **{name: (*parts, parts[0])})


def of_variable(variable: EnvironmentVariable) -> Iterator[Corruption]:
    return fields(variable, {"name": "9", "value": "\0"})


def of_extra(extra: ExtraContainer) -> Iterator[Corruption]:
    yield from fields(extra, {"name": "a.b", "image": " ", "size": ContainerSize.XSMALL})
    yield f"commands[{len(extra.commands)}]", replace(extra, commands=(*extra.commands, "\0"))
    yield from inside(extra, "environment", of_variable)


def of_container(container: Container) -> Iterator[Corruption]:
    yield from fields(container, {"name": "a.b", "image": "\0"})
    ask = container.resources
    for spelling, wrong in (
        ("cpu_units", replace(ask, cpu=-1)),
        ("memory_mib", replace(ask, memory_mib=5)),
        ("gpus", replace(ask, gpus=65)),
    ):
        yield f"resources.{spelling}", replace(container, resources=wrong)
    yield f"command[{len(container.command)}]", replace(container, command=(*container.command, "\0"))
    entry_point = (*container.entry_point, "\0")
    yield f"entry_point[{len(container.entry_point)}]", replace(container, entry_point=entry_point)
    yield from inside(container, "environment", of_variable)
    yield from fields(container, {"working_directory": "work", "user": "-1"})
    yield "stop_timeout", replace(container, stop_timeout_s=121)
    mount = MountPoint(source_volume="unknown", container_path="/a")
    yield "mount_points[0].source_volume", replace(container, mount_points=(mount,))
    if container.health_check:
        bad = {"command": ("true",), "retries": 11}
        for path, check in fields(container.health_check, bad):
            yield f"health_check.{path}", replace(container, health_check=check)


def of_spec(spec: BambooAgentSpec | ContainersSpec) -> Iterator[Corruption]:
    if isinstance(spec, ContainersSpec):
        yield from inside(spec, "containers", of_container)
        return
    bad = {"result_id": "", "build_key": "\n", "server_url": "ftp://b", "sidekick_image": "", "image": "\t"}
    yield from fields(spec, bad | {"size": None})
    yield "queue_time", replace(spec, queue_time_ms=-1)
    yield from inside(spec, "extra_containers", of_extra)


def of_request(request: TaskRequest) -> Iterator[Corruption]:
    yield from fields(request, {"request_id": "1", "tenant": "-", "priority": 1_001})
    yield 'labels["a b"]', replace(request, labels={**request.labels, "a b": ""})
    for name in ("queue", "start", "run"):
        for ms in (999, 31 * DAY_MS):
            changed = replace(request.timeouts, **{f"{name}_ms": ms})
            yield f"{name}_timeout", replace(request, timeouts=changed)
    for path, spec in of_spec(request.spec):
        yield f"{spec.kind}.{path}", replace(request, spec=spec)


@given(request=REQUESTS)
def test_valid_request_is_never_refused(request: TaskRequest) -> None:
    """Whatever keeps the documented limits is accepted."""
    assert validate(request) == ()


@given(request=REQUESTS, data=st.data())
def test_corruption_is_never_missed_or_misnamed(request: TaskRequest, data: st.DataObject) -> None:
    """A valid request with one thing wrong is refused for that thing alone, at its own path."""
    path, corrupted = data.draw(st.sampled_from(list(of_request(request))))
    assert [violation.field_path for violation in validate(corrupted)] == [path]
