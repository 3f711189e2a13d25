"""The agents of the cases: what Bamboo's plugin asks for, as the service takes it."""

from typing import Any

from scheduler.core.agents import AgentSettings, Launch
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    ContainerSize,
    EnvironmentVariable,
    ExtraContainer,
    HostFolderMapping,
    TaskRequest,
)
from tests.builders import attempt_id, instance_arn
from tests.clocks import START_MS
from tests.lab.worlds import VirtualService

REQUEST_ID = "11111111-1111-4111-8111-111111111111"
ROLE = "arn:aws:iam::123456789012:role/ci-agent-r"
LOG_OPTIONS = (("awslogs-group", "ci-agents"), ("awslogs-region", "eu-west-1"))
LOGS = {"logDriver": "awslogs", "options": dict(LOG_OPTIONS)}
SETTINGS = AgentSettings(family="agents", cluster="c", log_driver="awslogs", log_options=LOG_OPTIONS)
BUILD_DIR = {
    "sourceVolume": "build-dir",
    "containerPath": "/buildeng/bamboo-agent-home/xml-data/build-dir",
}
METRICS = HostFolderMapping(
    volume_name="metrics",
    source_path="/var/lib/docker/buildeng-metrics",
    container_path="/buildeng-metrics",
)
LAUNCH = Launch(
    attempt_id=attempt_id(1, 1),
    request_id=REQUEST_ID,
    container_instance_arn=instance_arn(1),
    submit_ms=START_MS,
)
DIND = ExtraContainer(
    name="docker",
    image="docker:20-dind",
    size=ContainerSize.REGULAR,
    environment=(EnvironmentVariable(name="PBC_ULIMIT_OVERRIDE", value="nofile=1024:4096"),),
)


def agent(**changes: Any) -> BambooAgentSpec:
    """The agent of the end-to-end case: small, with docker-in-docker, the metrics folder and a role."""
    fields: dict[str, Any] = {
        "result_id": "AAA-BBB-CCC-1",
        "build_key": "AAA-BBB",
        "server_url": "http://b",
        "sidekick_image": "sk:1",
        "image": " img:1 ",
        "size": ContainerSize.SMALL,
        "extra_containers": (DIND,),
        "host_folder_mappings": (METRICS,),
        "task_role_arn": ROLE,
    }
    return BambooAgentSpec(**(fields | changes))


def request(spec: BambooAgentSpec, **changes: Any) -> TaskRequest:
    """A request for it."""
    fields: dict[str, Any] = {"request_id": REQUEST_ID, "tenant": "bamboo", "priority": 0, "labels": {}}
    return TaskRequest(spec=spec, **(fields | changes))


def schedule(service: VirtualService, spec: BambooAgentSpec, **changes: Any) -> None:
    """Submits one to a whole service."""
    service.submit(1, Resources(), spec=spec, **changes)


def registered(service: VirtualService) -> list[dict[str, Any]]:
    """Every task definition of the family that AWS has, oldest first."""
    arns = service.account.call("ecs", "ListTaskDefinitions", {"familyPrefix": "agents"})
    return [
        service.account.call("ecs", "DescribeTaskDefinition", {"taskDefinition": arn})["taskDefinition"]
        for arn in arns["taskDefinitionArns"]
    ]
