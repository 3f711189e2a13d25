"""Cases N, and M49 and M51 beside them: what AWS is sent for an agent, whole."""

from dataclasses import replace

from scheduler.core.agents import AgentSettings, expand, overrides
from scheduler.core.model.resources import Resources
from tests.builders import attempt_id, instance_arn
from tests.clocks import START_MS
from tests.conformance.agents import (
    BUILD_DIR,
    LAUNCH,
    LOGS,
    REQUEST_ID,
    ROLE,
    SETTINGS,
    agent,
    registered,
    schedule,
)
from tests.lab.worlds import VirtualService

PREFIX = (("awslogs-stream-prefix", "ci"),)


def a_service() -> VirtualService:
    """A service with the log driver of the case."""
    agents = replace(SETTINGS, cluster="ci", log_options=SETTINGS.log_options + PREFIX)
    return VirtualService(agents=agents)


def test_N_the_registered_definition_whole() -> None:
    """An agent with docker-in-docker, a limit, the metrics folder and a role."""
    assert expand(agent(), SETTINGS).definition == {
        "family": "agents",
        "taskRoleArn": ROLE,
        "volumes": [
            {"name": "build-dir"},
            {"name": "metrics", "host": {"sourcePath": "/var/lib/docker/buildeng-metrics"}},
        ],
        "containerDefinitions": [
            {
                "name": "bamboo-agent",
                "image": "img:1",
                "cpu": 1024,
                "memoryReservation": 4000,
                "memory": 5000,
                "essential": True,
                "entryPoint": ["/buildeng/run-agent.sh"],
                "workingDirectory": "/buildeng",
                "volumesFrom": [{"sourceContainer": "bamboo-agent-sidekick"}],
                "links": ["docker"],
                "mountPoints": [
                    BUILD_DIR,
                    {"sourceVolume": "metrics", "containerPath": "/buildeng-metrics"},
                ],
                "environment": [
                    {"name": "BAMBOO_SERVER", "value": "http://b"},
                    {"name": "IMAGE_ID", "value": " img:1 "},
                    {"name": "ecs_cluster", "value": "c"},
                    {"name": "DOCKER_HOST", "value": "tcp://docker:2375"},
                ],
                "logConfiguration": LOGS,
            },
            {
                "name": "bamboo-agent-sidekick",
                "image": "sk:1",
                "memoryReservation": 6,
                "essential": False,
            },
            {
                "name": "docker",
                "image": "docker:20-dind",
                "cpu": 512,
                "memoryReservation": 2000,
                "memory": 2500,
                "privileged": True,
                "essential": False,
                "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
                "links": [],
                "mountPoints": [BUILD_DIR],
                "logConfiguration": LOGS,
            },
        ],
    }


def test_N_the_overrides_of_a_launch_whole() -> None:
    """What one build differs in, and the storage driver of where it runs."""
    assert overrides(agent(), LAUNCH) == {
        "containerOverrides": [
            {
                "name": "bamboo-agent",
                "environment": [
                    {"name": "RESULT_ID", "value": "AAA-BBB-CCC-1"},
                    {"name": "ecs_container_arn", "value": instance_arn(1)},
                    {"name": "QUEUE_TIMESTAMP", "value": "-1"},
                    {"name": "SUBMIT_TIMESTAMP", "value": str(START_MS)},
                    {"name": "RESULT_UUID", "value": REQUEST_ID},
                    {"name": "ATTEMPT_ID", "value": attempt_id(1, 1)},
                ],
            },
            {
                "name": "docker",
                "command": ["--storage-driver=overlay2"],
                "environment": [{"name": "PBC_ULIMIT_OVERRIDE", "value": "nofile=1024:4096"}],
            },
        ]
    }


def test_N_what_the_agent_asks_for() -> None:
    """The sum of its containers, the sidekick's too, which are 6 MiB here (ADR 0022)."""
    assert expand(agent(), SETTINGS).ask == Resources(cpu=1_536, memory_mib=6_006)


def test_N_the_start_whole() -> None:
    """Through the loop: on the chosen container instance, under the revision, with the launch's own ids."""
    service = a_service()
    schedule(service, agent(), request_id=REQUEST_ID)
    assert service.finish()
    [task], [ecs_task], [definition] = service.tasks(), service.ecs_tasks(), registered(service)
    launch = replace(
        LAUNCH,
        attempt_id=task.attempts[0].attempt_id,
        container_instance_arn=task.attempts[0].container_instance_arn,
        submit_ms=task.submitted_ms,
    )
    assert ecs_task["overrides"]["containerOverrides"] == overrides(agent(), launch)["containerOverrides"]
    assert ecs_task["containerInstanceArn"] == launch.container_instance_arn
    assert ecs_task["taskDefinitionArn"] == definition["taskDefinitionArn"]
    assert ecs_task["startedBy"] == launch.attempt_id


def test_N_aws_takes_the_definition() -> None:
    """Through the loop: AWS has what was expanded, word for word, and its own defaults beside."""
    service = a_service()
    schedule(service, agent())
    assert service.finish()
    [definition] = registered(service)
    expected = expand(agent(), service.settings.agents).definition
    for name in ("family", "taskRoleArn", "volumes"):
        assert definition[name] == expected[name]
    for found, container in zip(
        definition["containerDefinitions"], expected["containerDefinitions"], strict=True
    ):
        assert container.items() <= found.items()


def test_M49_two_tenants_two_sidekicks() -> None:
    """Requests that come at once and differ in their sidekick alone never get each other's."""
    service = VirtualService()
    for tenant, sidekick in (("a", "sk:1"), ("b", "sk:2"), ("a", "sk:1"), ("b", "sk:2")):
        schedule(service, agent(sidekick_image=sidekick), tenant=tenant)
    assert service.finish()
    images = {
        each["taskDefinitionArn"]: each["containerDefinitions"][1]["image"] for each in registered(service)
    }
    ran = {(task.tenant, images[task.attempts[0].task_definition_arn]) for task in service.tasks()}
    assert ran == {("a", "sk:1"), ("b", "sk:2")}
    assert len(images) == 2


def test_M51_the_plans_role_is_applied() -> None:
    """The request's role wins over the service's, which stands in where there is none."""
    own = AgentSettings(family="agents", cluster="ci", task_role_arn=ROLE + "-of-the-service")
    service = VirtualService(agents=own)
    schedule(service, agent())
    schedule(service, agent(task_role_arn=""))
    assert service.finish()
    roles = {each["taskRoleArn"] for each in registered(service)}
    assert roles == {ROLE, ROLE + "-of-the-service"}
