"""A slice of the fuzz, and the judge of it: `make fuzz` sends a hundred thousand."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_scheduler.v1.scheduler_pb2 import GetTaskRequest, ScheduleRequest
from scheduler.api.convert import parse
from scheduler.api.server import MESSAGE_BYTES_MAX
from scheduler.core.agents import AgentSettings, expand
from scheduler.core.validate import oversized, validate
from scheduler.core.validate.overrides_size import ALLOWED_CHARACTERS, overrides_characters
from scheduler.services.fingerprint import fingerprint
from scheduler.simulated_aws.task_definition_checks import check_registration
from tests.fuzz.arbitrary import CANARY, Arbitrary
from tests.fuzz.bodies import damaged, readable
from tests.fuzz.calling import Answer
from tests.fuzz.campaign import Campaign
from tests.fuzz.cases import Case, Cases, case_of
from tests.fuzz.judge import complaints_of
from tests.fuzz.requests import Requests, Seen
from tests.fuzz.rpcs import every_rpc
from tests.fuzz.service import fuzzed_service
from tests.strategies import MODEST

SLICE = 4_000
AGENTS = AgentSettings(
    family="agents", cluster="ci", execution_role_arn="arn:aws:iam::123456789012:role/start"
)
RPCS = {rpc.path: rpc for rpc in every_rpc()}
GET_TASK = RPCS["/ecs_scheduler.v1.SchedulerService/GetTask"]
ASKED = Case(path=GET_TASK.path, bodies=(GetTaskRequest(tenant="a", task_id="b").SerializeToString(),))

randoms = st.integers(0, 2**32).map(Random)


@pytest.mark.asyncio
@pytest.mark.timeout(600)  # 15 s on two cores of its own
async def test_no_message_breaks_the_service(tmp_path: Path) -> None:
    """Whatever comes, each RPC answers as it promises, and the next task is placed and comes to its end."""
    async with fuzzed_service(tmp_path) as service:
        account = await Campaign(service, seed=20).run(SLICE, batch=SLICE // 2)
    assert account.findings + service.complaints == []
    assert {path for path, _ in account.calls} >= set(RPCS)


@MODEST
@given(randoms)
def test_message_is_refused_or_can_run(random: Random) -> None:
    """A request that validation lets through becomes a task definition, and overrides that ECS takes."""
    arbitrary, requests = Arbitrary(random), Requests(random, Seen())
    request = parse.task_request(arbitrary.changed(requests.schedule()))
    if isinstance(request, tuple) or validate(request):
        return
    expansion = expand(request.spec, AGENTS)
    assert expansion.ask.memory_mib > 0
    if not oversized(request.spec, expansion.definition_bytes):
        check_registration(expansion.definition)
    assert overrides_characters(request.spec) <= ALLOWED_CHARACTERS
    assert len(fingerprint(request)) > 0


@MODEST
@given(randoms)
def test_any_bytes_are_a_message_or_none(random: Random) -> None:
    """Bytes that can be read as a request are judged like one, without an error of another kind."""
    body = damaged(random, Requests(random, Seen()).schedule().SerializeToString())
    if readable(ScheduleRequest, body):
        request = parse.task_request(ScheduleRequest.FromString(body))
        assert isinstance(request, tuple) or validate(request) is not None


@MODEST
@given(randoms)
def test_case_is_its_line(random: Random) -> None:
    """A finding is played again from its line."""
    cases = Cases(random, Seen(), tuple(RPCS.values()))
    for case in (cases.draw(), cases.draw_connection()):
        assert case_of(case.line()) == case


@pytest.mark.parametrize(
    "code", ["UNKNOWN", "INTERNAL", "UNAVAILABLE", "OUT_OF_RANGE", "SILENT", "CANCELLED"]
)
def test_code_that_is_not_promised_is_found(code: str) -> None:
    """The judge objects to what the proto's comment does not name."""
    assert complaints_of(GET_TASK, ASKED, Answer(code=code), ())


def test_promised_code_is_fine() -> None:
    """The judge lets pass what the proto's comment names."""
    assert complaints_of(GET_TASK, ASKED, Answer(code="NOT_FOUND", details="no task b"), ()) == []


def test_unreadable_message_must_be_called_so() -> None:
    """Bytes that are no message may not pass for one."""
    case = Case(path=GET_TASK.path, bodies=(b"\xff",))
    assert complaints_of(GET_TASK, case, Answer(code="OK"), ())
    assert complaints_of(GET_TASK, case, Answer(code="INVALID_ARGUMENT"), ()) == []


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"])
def test_either_fault_of_two_messages_may_be_told(code: str) -> None:
    """One is unreadable, one too long: which of them is met first is gRPC's business."""
    case = Case(path=GET_TASK.path, bodies=(b"\xff", bytes(MESSAGE_BYTES_MAX + 1)))
    assert complaints_of(GET_TASK, case, Answer(code=code), ()) == []


@pytest.mark.parametrize(
    "details",
    ["KeyError: 'x'", "Traceback (most recent call last)", "/x/server.py", "sqlite3", CANARY, "/var/x"],
)
def test_words_from_inside_are_found(details: str) -> None:
    """The judge objects to a status that tells of Python, SQL, files or secrets."""
    assert complaints_of(GET_TASK, ASKED, Answer(code="NOT_FOUND", details=details), ("/var/x",))
