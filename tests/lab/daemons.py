"""ECS's part where services of others run in the cluster: their tasks, started as ECS starts them."""

from tests.lab.worlds import CLUSTER, VirtualService

A_DAY_MS = 86_400_000


def start_task_of_a_service(service: VirtualService, name: str) -> None:
    """A small task of a service, on the first container instance, for a day."""
    container = {
        "name": name,
        "image": f"{name}:1",
        "cpu": 64,
        "memory": 128,
        "environment": [{"name": "SIMULATED_RUN_MS", "value": str(A_DAY_MS)}],
    }
    definition = {"family": name, "containerDefinitions": [container]}
    service.account.call("ecs", "RegisterTaskDefinition", definition)
    instances = service.account.call("ecs", "ListContainerInstances", {"cluster": CLUSTER})
    start = {
        "cluster": CLUSTER,
        "taskDefinition": name,
        "containerInstances": instances["containerInstanceArns"][:1],
        "group": f"service:{name}",
        "startedBy": "ecs-svc/1",
    }
    answer = service.account.call("ecs", "StartTask", start)
    assert answer["failures"] == []
