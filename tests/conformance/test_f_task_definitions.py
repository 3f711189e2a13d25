"""Cases F: which configurations share a revision of the task definition."""

from typing import Any

from scheduler.core.agents import expand
from scheduler.core.model.task import BambooAgentSpec, ContainerSize, ExtraContainer
from tests.conformance.agents import SETTINGS, agent, registered, schedule
from tests.lab.worlds import FAMILY, VirtualService

FIRST_REVISION_OF_OURS = 4


def plain(**changes: Any) -> BambooAgentSpec:
    """The agent of the cases."""
    extra = ExtraContainer(name="extra", image="extra", size=ContainerSize.SMALL)
    fields: dict[str, Any] = {
        "image": "aaa",
        "extra_containers": (extra,),
        "host_folder_mappings": (),
        "task_role_arn": "",
    }
    return agent(**(fields | changes))


def a_service() -> VirtualService:
    """A service in an account where somebody else has registered three revisions of the family."""
    service = VirtualService()
    other = {"name": "other", "image": "other:1", "memory": 128}
    for _ in range(FIRST_REVISION_OF_OURS - 1):
        registration = {"family": FAMILY, "containerDefinitions": [other]}
        service.account.call("ecs", "RegisterTaskDefinition", registration)
    return service


def run(service: VirtualService, *specs: BambooAgentSpec) -> list[int]:
    """Runs one task of each, one after the other; the revisions that they ran under."""
    for spec in specs:
        schedule(service, spec)
        assert service.finish()
    arns = [each.attempts[0].task_definition_arn for each in service.tasks()]
    return [int(arn.rpartition(":")[2]) for arn in arns]


def test_F01_a_configuration_is_registered_once() -> None:
    """Three builds of one configuration run under one revision, and AWS was asked for it once."""
    service = a_service()
    again = plain(result_id="AAA-BBB-CCC-2", build_key="OTHER")
    assert run(service, plain(), plain(), again) == [FIRST_REVISION_OF_OURS] * 3
    assert len(registered(service)) == FIRST_REVISION_OF_OURS


def test_F02_another_configuration_is_another_revision() -> None:
    """A size is part of it."""
    service = a_service()
    specs = plain(size=ContainerSize.REGULAR), plain(size=ContainerSize.SMALL)
    assert run(service, specs[0], *specs) == [4, 4, 5]


def test_F03_an_image_is_trimmed() -> None:
    """White space around it is a slip, not another image."""
    definition = expand(plain(image="\t\n\f\r image:tag\t\n\f\r "), SETTINGS).definition
    assert definition["containerDefinitions"][0]["image"] == "image:tag"
