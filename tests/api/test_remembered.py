"""What the edge remembers of requests: small extra containers, few of them, and for seconds only."""

import pytest

from ecs_scheduler.v1 import scheduler_pb2, task_spec_pb2
from scheduler.api.convert import parse
from scheduler.core.model.task import BambooAgentSpec, ExtraContainer
from tests.api.served import schedule_request, serving


def asked(password: str) -> scheduler_pb2.ScheduleRequest:
    variable = task_spec_pb2.EnvironmentVariable(name="PASSWORD", value=password)
    extra = task_spec_pb2.BambooExtraContainer(
        name="db",
        image="postgres:16",
        size=task_spec_pb2.CONTAINER_SIZE_SMALL,
        environment=[variable],
    )
    spec = task_spec_pb2.BambooAgentSpec(
        result_id="P-PLAN-JOB-7",
        server_url="https://bamboo.example",
        sidekick_image="sidekick:1",
        image="agent:1",
        size=task_spec_pb2.CONTAINER_SIZE_REGULAR,
        extra_containers=[extra],
    )
    return schedule_request(containers=None, bamboo_agent=spec)


def read(password: str = "hunter2") -> ExtraContainer:
    spec = parse.valid(parse.task_request(asked(password))).spec
    assert isinstance(spec, BambooAgentSpec)
    return spec.extra_containers[0]


def test_equal_extra_containers_are_read_once() -> None:
    """Requests with equal extra containers share them; another value is another container."""
    first, again, other = read(), read(), read("hunter3")
    assert first is again
    assert [variable.value for variable in other.environment] == ["hunter3"]


def test_long_extra_containers_are_not_remembered() -> None:
    """What is longer than the limit is read anew, to the same result: nobody fills the memory with it."""
    long = "x" * parse.REMEMBERED_BYTES
    first, again = read(long), read(long)
    assert first is not again
    assert first == again


def test_few_extra_containers_are_remembered() -> None:
    """After as many others as are remembered the first is forgotten."""
    first = read()
    for number in range(parse.REMEMBERED):
        read(f"another {number}")
    assert read() is not first


@pytest.mark.asyncio
async def test_extra_containers_are_forgotten_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A while after a request nothing of it is remembered: environment values are secrets. Every time."""
    monkeypatch.setattr(parse, "FORGET_S", 0)
    async with serving() as served:
        for _ in range(2):
            before = read()
            await served.scheduler.Schedule(asked("hunter2"))
            assert read() is not before
