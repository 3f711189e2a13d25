"""The JSON that the store keeps: what an earlier version wrote is read."""

from scheduler.adapters.sqlite import codec
from scheduler.core.model.resources import Architecture
from scheduler.core.model.task import BambooAgentSpec, ContainersSpec
from tests.core.test_container_parts import SPEC

BEFORE_SURROUNDINGS = """{"kind":"bamboo_agent","result_id":"A-1","build_key":"A","server_url":"http://b",
"sidekick_image":"s:1","image":"i:1","size":"SMALL","extra_containers":[{"name":"db","image":"pg","size":"SMALL",
"commands":[],"environment":[{"name":"P","value":"***"}]}],"queue_time_ms":null}"""

PLAIN_BEFORE_SURROUNDINGS = """{"kind":"containers","containers":[{"name":"a","image":"i:1","resources":
{"cpu":1,"memory_mib":4,"gpus":0},"command":[],"environment":[],"essential":true}]}"""


def test_an_agent_without_surroundings_is_read() -> None:
    """It asks for nothing of them, and its secrets are put back as before."""
    spec = codec.spec_of(BEFORE_SURROUNDINGS, ["hunter2"])
    assert isinstance(spec, BambooAgentSpec)
    assert (spec.host_folder_mappings, spec.task_role_arn, spec.architecture) == ((), "", Architecture.ANY)
    assert not spec.exclusive
    assert spec.extra_containers[0].environment[0].value == "hunter2"


def test_containers_without_surroundings_are_read() -> None:
    """Nor do they."""
    spec = codec.spec_of(PLAIN_BEFORE_SURROUNDINGS, None)
    assert isinstance(spec, ContainersSpec)
    assert (spec.execution_role_arn, spec.architecture) == ("", Architecture.ANY)
    assert (spec.containers[0].privileged, spec.containers[0].secrets) == (False, ())
    assert spec.containers[0].resources.architecture is Architecture.ANY
    assert (spec.volumes, spec.containers[0].entry_point, spec.containers[0].health_check) == ((), (), None)


def test_what_only_some_containers_have_is_kept_whole() -> None:
    """Volumes, mounts, health checks and dependencies are read as they were written."""
    assert codec.spec_of(*codec.spec_text(SPEC)) == SPEC
