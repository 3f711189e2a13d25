"""The page about agents: its example is a request that the service would take."""

import re
from pathlib import Path

from google.protobuf import json_format

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from scheduler.api.convert import parse
from scheduler.core.agents import AgentSettings
from scheduler.core.model.allow_lists import AllowLists, HostFolder
from scheduler.core.model.task import TaskRequest
from scheduler.core.validate import forbidden, validate

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "agents.md"
AGENTS = AgentSettings("agents", "ci")
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def the_example() -> TaskRequest:
    [text] = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    message = json_format.Parse(text, ScheduleRequest(request_id=UUID, tenant="acme"))
    request = parse.task_request(message)
    assert isinstance(request, TaskRequest)
    return request


def test_the_example_is_valid() -> None:
    """Whoever copies it is not refused for its form."""
    assert validate(the_example()) == ()


def test_the_example_needs_what_the_page_says() -> None:
    """The shared volume and the folder must be on the operator's list, and nothing else."""
    request = the_example()
    allowed = AllowLists(
        host_folders=(HostFolder("m2", "/cache/m2"), HostFolder("/etc/pki", "/certs", "acme"))
    )
    assert len(forbidden(request, AGENTS, AllowLists())) == 2
    assert forbidden(request, AGENTS, allowed) == ()
