"""Which tasks are daemons, by ECS's word on their services."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scheduler.adapters.aws.daemons import DaemonServices
from scheduler.core.model.answers import EcsTask
from scheduler.core.model.resources import NOTHING, Resources


class Ecs:
    """Answers for services, or refuses with a code; remembers what it was asked."""

    def __init__(self, *daemons: str, refusal: str = "") -> None:
        self._daemons = daemons
        self._refusal = refusal
        self.asked: list[list[str]] = []

    def describe_services(self, **params: Any) -> dict[str, Any]:
        self.asked.append(params["services"])
        if self._refusal:
            answer = {"Error": {"Code": self._refusal, "Message": "no"}}
            raise ClientError(answer, "DescribeServices")  # type: ignore[arg-type]  # as botocore makes it
        return {
            "services": [
                {"serviceName": each, "schedulingStrategy": "DAEMON" if each in self._daemons else "REPLICA"}
                for each in params["services"]
            ]
        }


def task(service: str, **container: Any) -> dict[str, Any]:
    """A task of this service, as ECS describes it."""
    return {
        "taskArn": f"arn:{service}",
        "lastStatus": "RUNNING",
        "group": f"service:{service}" if service else "family:agents",
        "containers": [container],
    }


def marked(ecs: Any, *shapes: dict[str, Any]) -> tuple[EcsTask, ...]:
    return DaemonServices(ecs, "ci").marked(shapes)


def test_a_task_of_a_daemon_service_bears_the_mark_and_its_size() -> None:
    """Memory by its reservation, where it has one; a replica's and a lone task bear none."""
    router = task("router", cpu="64", memory="512", memoryReservation="128")
    found = marked(Ecs("router"), router, task("web", cpu="64"), task(""))
    assert [each.daemon for each in found] == [True, False, False]
    assert [each.ask for each in found] == [Resources(cpu=64, memory_mib=128), NOTHING, NOTHING]


def test_each_service_is_asked_for_once_and_ten_at_a_time() -> None:
    """A service's strategy never changes."""
    ecs: Any = Ecs()
    services = DaemonServices(ecs, "ci")
    shapes = [task(f"service-{number:02d}") for number in range(12)]
    services.marked(shapes)
    services.marked(shapes)
    assert [len(each) for each in ecs.asked] == [10, 2]


@pytest.mark.parametrize(
    "unseen", [[], [{"serviceName": "router", "status": "INACTIVE", "schedulingStrategy": "REPLICA"}]]
)
def test_a_service_that_is_not_there_is_asked_for_again(unseen: list[dict[str, Any]]) -> None:
    """A reading may be older than the service; and one that is gone may come again as a daemon."""
    ecs: Any = Ecs("router")
    services = DaemonServices(ecs, "ci")
    describe, ecs.describe_services = ecs.describe_services, lambda **_: {"services": unseen}
    assert [each.daemon for each in services.marked([task("router")])] == [False]
    ecs.describe_services = describe
    assert [each.daemon for each in services.marked([task("router")])] == [True]


def test_who_may_not_ask_asks_once() -> None:
    """Nobody is a daemon then, by ECS's word."""
    ecs: Any = Ecs("router", refusal="AccessDeniedException")
    services = DaemonServices(ecs, "ci")
    for _ in range(3):
        (found,) = services.marked([task("router")])
        assert not found.daemon
    assert len(ecs.asked) == 1


def test_any_other_refusal_makes_the_reading_incomplete() -> None:
    """A task taken for busy would keep its instance; one taken for a daemon would be ended."""
    with pytest.raises(ClientError):
        marked(Ecs(refusal="ThrottlingException"), task("router"))
