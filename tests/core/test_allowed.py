"""What an operator allows: folders, roles and privileges, each field by its name."""

from dataclasses import replace
from typing import Any

import pytest

from scheduler.core.agents import AgentSettings
from scheduler.core.model.allow_lists import DEFAULT_ALLOW_LISTS, AllowLists, HostFolder
from scheduler.core.model.container_parts import MountPoint, Volume
from scheduler.core.model.task import Container, ContainersSpec, ExtraContainer, Secret, TaskSpec
from scheduler.core.validate import forbidden, unfetchable
from tests.builders import REGULAR, request
from tests.conformance.agents import DIND, METRICS, ROLE, agent

AGENTS = AgentSettings(family="agents", cluster="ci")
SECRET = Secret(name="TOKEN", value_from="token")


def plain(**changes: Any) -> TaskSpec:
    """An agent that asks for nothing of its surroundings."""
    fields: dict[str, Any] = {"extra_containers": (), "host_folder_mappings": (), "task_role_arn": ""}
    return agent(**(fields | changes))


def containers(*given: Container, **changes: Any) -> ContainersSpec:
    return ContainersSpec(containers=given, **changes)


def a_container(**changes: Any) -> Container:
    return Container(name="main", image="docker:dind", resources=REGULAR, **changes)


def refused(
    spec: TaskSpec, allowed: AllowLists = DEFAULT_ALLOW_LISTS, agents: AgentSettings = AGENTS
) -> list[str]:
    return [each.field_path for each in forbidden(request(spec=spec, tenant="team"), agents, allowed)]


def test_nothing_asked_nothing_refused() -> None:
    """Even where nothing is allowed."""
    nothing = AllowLists(host_folders=(), privileged_tenants=())
    assert refused(plain(), nothing) == []


def test_the_metrics_folder_is_allowed_as_ever() -> None:
    """Agents of the system that this one replaces mount it."""
    assert refused(plain(host_folder_mappings=(METRICS,))) == []


@pytest.mark.parametrize(
    "folders",
    [
        (),
        (HostFolder("/var/lib/docker", "/buildeng-metrics"),),
        (HostFolder(METRICS.source_path, METRICS.container_path, "other"),),
    ],
)
def test_other_folders_are_not(folders: tuple[HostFolder, ...]) -> None:
    """Both paths must be those of the list, for this tenant: in another place it is another folder."""
    allowed = AllowLists(host_folders=folders)
    assert refused(plain(host_folder_mappings=(METRICS,)), allowed) == [
        "bamboo_agent.host_folder_mappings[0]"
    ]


def mounting(*volumes: Volume) -> ContainersSpec:
    """A container with each of these volumes at `/in`, one container for each."""
    mounts = [(MountPoint(source_volume=each.name, container_path="/in"),) for each in volumes]
    return containers(*[a_container(mount_points=each) for each in mounts], volumes=volumes)


FOLDER, SHARED, OWN = Volume(name="f", source_path="/out"), Volume(name="m2", shared=True), Volume(name="o")


def test_what_containers_mount_of_their_instance_needs_the_list() -> None:
    """A folder by its path and a shared volume by its name; a volume of the task's own is nobody else's."""
    assert refused(mounting(FOLDER, SHARED, OWN)) == [
        "containers.containers[0].mount_points[0]",
        "containers.containers[1].mount_points[0]",
    ]
    allowed = AllowLists(host_folders=(HostFolder("/out", "/in", "te*"), HostFolder("m2", "/in")))
    assert refused(mounting(FOLDER, SHARED, OWN), allowed) == []


@pytest.mark.parametrize(
    "folder",
    [
        HostFolder("/out", "/in", "other-*"),
        HostFolder("/out", "/elsewhere"),
        HostFolder("/out/deeper", "/in"),
        HostFolder("f", "/in"),
    ],
)
def test_a_folder_is_allowed_to_tenants_at_a_path(folder: HostFolder) -> None:
    """Not to others, not elsewhere, and a volume's name does not stand for its folder."""
    allowed = AllowLists(host_folders=(folder,))
    assert refused(mounting(FOLDER), allowed) == ["containers.containers[0].mount_points[0]"]


def test_the_services_own_roles_are_allowed() -> None:
    """Whoever names none would get them anyway."""
    spec = plain(task_role_arn=ROLE, execution_role_arn=ROLE)
    assert refused(spec, agents=replace(AGENTS, task_role_arn=ROLE, execution_role_arn=ROLE)) == []


def test_other_roles_need_the_list() -> None:
    """Each role has its own, with `*` for anything."""
    spec = plain(task_role_arn=ROLE, execution_role_arn=ROLE)
    assert refused(spec) == ["bamboo_agent.task_role_arn", "bamboo_agent.execution_role_arn"]
    assert refused(spec, AllowLists(task_roles=(ROLE,))) == ["bamboo_agent.execution_role_arn"]
    assert refused(spec, AllowLists(task_roles=("*:role/*",), execution_roles=(ROLE[:-1] + "*",))) == []


def test_privileges_are_for_the_tenants_of_the_list() -> None:
    """Of every tenant unless the operator says otherwise."""
    dind, bare = plain(extra_containers=(DIND,)), containers(a_container(privileged=True))
    others = AllowLists(privileged_tenants=("other", "mobile-*"))
    assert refused(dind) == refused(bare) == []
    assert refused(dind, others) == ["bamboo_agent.extra_containers[0].image"]
    assert refused(bare, others) == ["containers.containers[0].privileged"]
    assert refused(containers(a_container()), others) == []
    assert refused(dind, AllowLists(privileged_tenants=("te*",))) == []


@pytest.mark.parametrize(
    "spec",
    [
        plain(secrets=(SECRET,)),
        plain(registry_credentials="arn"),
        plain(extra_containers=(ExtraContainer(name="x", image="x", size=None, registry_credentials="arn"),)),
        containers(a_container(secrets=(SECRET,))),
    ],
)
def test_what_is_fetched_needs_a_role(spec: TaskSpec) -> None:
    """The request's or the service's; without one ECS would refuse the definition."""
    [violation] = unfetchable(spec, AGENTS)
    assert violation.field_path == f"{spec.kind}.execution_role_arn"
    assert unfetchable(spec, AgentSettings("agents", "ci", execution_role_arn=ROLE)) == ()
    assert unfetchable(plain(), AGENTS) == ()
