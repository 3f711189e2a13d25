"""The messages of the schedule bench: a Bamboo agent with two extra containers, and its answer."""

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


def request(request_id: str) -> ScheduleRequest:
    """A request as a CI server sends them; only the id differs."""
    return ScheduleRequest(
        request_id=request_id,
        tenant="bamboo",
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
