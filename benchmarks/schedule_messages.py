"""The messages of the schedule bench: a Bamboo agent with two extra containers, and its answer."""

from collections.abc import Iterator
from random import Random

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, ScheduleResponse
from ecs_scheduler.v1.task_pb2 import Task
from ecs_scheduler.v1.task_spec_pb2 import (
    BambooAgentSpec,
    BambooExtraContainer,
    ContainerSize,
    EnvironmentVariable,
)

SERVICE = "ecs_scheduler.v1.SchedulerService"
METHOD = f"/{SERVICE}/Schedule"
TENANT = "bamboo"

_ID_FIELD = b"\x0a\x24"
"""Tag of `request_id` (field 1, bytes follow) and the 36 characters of a UUID."""


def request(request_id: str) -> ScheduleRequest:
    """A request as a CI server sends them; only the id differs."""
    return ScheduleRequest(
        request_id=request_id,
        tenant=TENANT,
        labels={"plan": "PROJ-PLAN", "branch": "main"},
        bamboo_agent=BambooAgentSpec(
            result_id="PROJ-PLAN-JOB1-42",
            build_key="PROJ-PLAN-JOB1",
            server_url="https://bamboo.example.com",
            sidekick_image="registry.example.com/bamboo/agent-sidekick:9.2",
            image="registry.example.com/bamboo/agent:17",
            size=ContainerSize.CONTAINER_SIZE_REGULAR,
            extra_containers=[
                _extra("postgres", "postgres:16", ["-c", "fsync=off"]),
                _extra("browser", "selenium/standalone-chrome:4.25", []),
            ],
        ),
    )


def requests(seed: int) -> Iterator[bytes]:
    """Serialised requests, each with a random id, as UUIDs are: what an index likes least."""
    common = request("").SerializeToString()
    random = Random(seed)
    while True:
        digits = f"{random.getrandbits(128):032x}"
        request_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        # Put before the rest: a message may be serialised in parts (protobuf encoding, "Last One Wins").
        yield _ID_FIELD + request_id.encode() + common


def response() -> ScheduleResponse:
    """An answer of about the size that the service gives: the accepted task."""
    asked = request("00000000-0000-4000-8000-000000000000")
    return ScheduleResponse(
        task=Task(
            task_id="t-01jd0000000000000000000000",
            request_id=asked.request_id,
            tenant=asked.tenant,
            labels=asked.labels,
            bamboo_agent=asked.bamboo_agent,
            build_key=asked.bamboo_agent.build_key,
            revision=1,
        )
    )


def _extra(name: str, image: str, commands: list[str]) -> BambooExtraContainer:
    return BambooExtraContainer(
        name=name,
        image=image,
        size=ContainerSize.CONTAINER_SIZE_REGULAR,
        commands=commands,
        environment=[
            EnvironmentVariable(name="POSTGRES_PASSWORD", value="correct horse battery staple"),
            EnvironmentVariable(name="TZ", value="UTC"),
        ],
    )
