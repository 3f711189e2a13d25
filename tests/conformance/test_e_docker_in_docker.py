"""Cases E: what becomes of the commands of docker-in-docker."""

import pytest

from scheduler.core.agents import overrides
from scheduler.core.model.task import ContainerSize, ExtraContainer
from scheduler.simulated_aws.settings import SimulationSettings
from tests.conformance.agents import DIND, LAUNCH, agent, schedule
from tests.lab.worlds import VirtualService


def commands_of(image: str, *commands: str) -> list[str]:
    """What a launch tells the container to run."""
    extra = ExtraContainer(name="docker", image=image, size=ContainerSize.SMALL, commands=commands)
    told = overrides(agent(extra_containers=(extra,)), LAUNCH)["containerOverrides"]
    return next((each["command"] for each in told if each["name"] == "docker"), [])


def commands_on(service: VirtualService) -> list[str]:
    """What the first task of a whole service was told to run as docker-in-docker."""
    schedule(service, agent())
    assert service.run_until(lambda: bool(service.starts()), limit_minutes=10)
    [task] = service.ecs_tasks()
    told = task["overrides"]["containerOverrides"]
    return next(each["command"] for each in told if each["name"] == DIND.name)


def test_E01_another_image_keeps_its_commands() -> None:
    """The tag decides too: plain Docker is no docker-in-docker."""
    assert commands_of("docker:1.12", "--help") == ["--help"]


def test_E02_another_repository_keeps_its_emptiness() -> None:
    """The repository's name is `docker`, whole."""
    assert commands_of("dockery:1.12-dind") == []


def test_E03_no_commands_get_the_storage_driver() -> None:
    """The daemon is told the driver that its container instance needs."""
    assert commands_of("docker:1.11.0-dind") == ["--storage-driver=overlay2"]


def test_E04_other_commands_stay() -> None:
    """What says nothing of storage is the user's."""
    given = ("--debug", "--default-gateway-v6")
    assert commands_of("docker:dind", *given) == [*given, "--storage-driver=overlay2"]


@pytest.mark.parametrize(
    "of_storage",
    [
        pytest.param(("-s", "vfs"), id="E05"),
        pytest.param(("--storage-driver=vfs",), id="E06"),
        pytest.param(
            ("-s", "devicemapper", "--storage-opt", "dm.thinpooldev=/dev/mapper/thin-pool"), id="E07"
        ),
    ],
)
def test_E05_E06_E07_flags_of_storage_go_with_their_values(of_storage: tuple[str, ...]) -> None:
    """And take no neighbour along."""
    assert commands_of("docker:dind", "--debug", *of_storage, "--default-gateway-v6") == [
        "--debug",
        "--default-gateway-v6",
        "--storage-driver=overlay2",
    ]


def test_E08_the_container_instance_names_its_driver() -> None:
    """Its attribute `pbc.dind.storage.driver` wins, through the whole service."""
    simulation = SimulationSettings(custom_attributes={"pbc.dind.storage.driver": "overlay"})
    assert commands_on(VirtualService(simulation=simulation)) == ["--storage-driver=overlay"]


def test_E08_without_the_attribute_the_setting_counts() -> None:
    """The operator's default is overlay2."""
    assert commands_on(VirtualService()) == ["--storage-driver=overlay2"]
