"""`doctor`: each thing that can be wrong is told with what to do, and nothing is changed by looking."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from scheduler.adapters.sqlite.lock import FileLock
from scheduler.cli.app import app
from scheduler.cli.doctor.examination import examine
from scheduler.cli.doctor.findings import Finding, Verdict
from scheduler.cli.doctor.local_checks import check_datadog, check_store
from scheduler.cli.doctor.permissions import Probe, check_permissions, probes, proposed_actions
from scheduler.cli.simulation import default_environment
from scheduler.config import DatadogAgent, DatadogSettings, load_settings
from scheduler.lab.stand_ins import in_process_clients
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.callers import Caller
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.http import HttpFront, ThreadedFront
from scheduler.simulated_aws.settings import SimulationSettings
from tests.clocks import VirtualClock
from tests.policies import deployed, log_clients_of

KEY = "0123456789abcdef0123456789abcdef"
AWSLOGS = {"ECS_LOGDRIVER": "awslogs", "ECS_LOGOPTIONS": "awslogs-group", "awslogs-group": "ci-agents"}

Examine = Callable[..., list[Finding]]


@pytest.fixture
def examined(tmp_path: Path) -> Iterator[Examine]:
    """Findings about an account that is made as a test says."""

    def run(
        readable: str = "ci-agents",
        faults: tuple[Fault, ...] = (),
        environment: dict[str, str] | None = None,
        **simulation: object,
    ) -> list[Finding]:
        settings = SimulationSettings(**simulation)  # type: ignore[arg-type]  # each test's own
        account = SimulatedAws(VirtualClock(), settings, faults=faults)
        policy = deployed(replace(settings, log_groups=(readable,)), family="ci-agent")
        before = len(account.journal.entries)
        store = {"ECS_SCHEDULER_STORE": str(tmp_path / "store.sqlite3")}
        with ThreadedFront(HttpFront(Caller(account, policy))) as url:
            found = list(examine({**default_environment(), **store, **(environment or {})}, url))
        effects = {each["effect"] for each in account.journal.entries[before:]}
        assert effects <= {"AccessDenied", "FaultInjected"}
        return found

    yield run
    assert list(tmp_path.iterdir()) == []


def of(found: list[Finding], check: str) -> list[tuple[Verdict, str]]:
    """Verdicts and texts of one check."""
    return [(each.verdict, each.text) for each in found if each.check == check]


def bad(found: list[Finding]) -> dict[str, Verdict]:
    """What is not as it should be, by the check."""
    return {each.check: each.verdict for each in found if each.verdict in (Verdict.WARNING, Verdict.PROBLEM)}


def test_a_healthy_account_has_no_problem(examined: Examine) -> None:
    """Every check is there once, and what no harmless call shows is said."""
    found = examined(environment=AWSLOGS)
    assert bad(found) == {}
    assert [each.check for each in found if each.verdict is Verdict.OK] == [
        "settings", "store", "datadog", "region", "credentials", "permissions",
        "cluster", "group", "pairing", "hazards", "types", "logs",
    ]  # fmt: skip
    (unchecked,) = [each for each in found if each.verdict is Verdict.NOT_CHECKED]
    assert "ecs:StartTask" in unchecked.text
    assert "ecs:ListTasks" not in unchecked.text


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        (action, Verdict.PROBLEM if sid.startswith("Required") else Verdict.WARNING)
        for action, sid in sorted(proposed_actions().items())
        if ":Describe" in action
        or ":List" in action
        or action in ("ec2:TerminateInstances", "logs:GetLogEvents")
    ],
)
def test_a_missing_permission_is_named_with_its_statement(action: str, verdict: Verdict) -> None:
    """A problem for what the service cannot do without, a warning for the rest."""
    found = list(check_permissions(asked(without=action)))
    told = [each for each in found if each.text.startswith(f"{action} is not allowed")]
    assert [each.verdict for each in told] == [verdict]
    assert proposed_actions()[action] in told[0].remedy


def asked(without: str) -> dict[str, Probe]:
    """Every probe, on an account that does not allow one action."""
    account = SimulatedAws(VirtualClock())
    caller = Caller(account, deployed(family="ci-agent", without=without))
    return probes(
        in_process_clients(caller, "eu-west-1"),
        log_clients_of(caller),
        load_settings({**default_environment(), **AWSLOGS}),
        str(account.instances()[0]["ec2InstanceId"]),
    )


def test_wrong_settings_end_the_examination(examined: Examine) -> None:
    """Nothing else can be looked at; each variable concerned is named."""
    found = examined(environment={"ECS_SCHEDULER_AWS_SHARE": "2", "ECS_SCHEDULER_LISTEN": "nowhere"})
    assert bad(found) == {"settings": Verdict.PROBLEM}
    assert len(found) == 1
    assert "ECS_SCHEDULER_AWS_SHARE" in found[0].text


def test_refused_credentials_end_the_examination(examined: Examine) -> None:
    """AWS would say the same to every other call."""
    fault = Fault(
        operation="GetCallerIdentity",
        kind="error_before",
        code="InvalidClientTokenId",
        http_status=403,
        count=9,
    )
    found = examined(faults=(fault,))
    assert bad(found) == {"credentials": Verdict.PROBLEM}
    assert found[-1].check == "credentials"


def test_a_group_that_is_not_there(examined: Examine) -> None:
    """What hangs on it is not looked at."""
    found = examined(environment={"ECS_ASG": "other"})
    assert bad(found)["group"] is Verdict.PROBLEM
    assert of(found, "pairing") == []


def test_a_cluster_that_is_not_there(examined: Examine) -> None:
    """By its name; IAM would let us look at this one."""
    found = examined(environment={"ECS_CLUSTER": "arn:aws:ecs:eu-west-1:999999999999:cluster/ci"})
    assert of(found, "cluster") == [
        (Verdict.PROBLEM, "no ECS cluster arn:aws:ecs:eu-west-1:999999999999:cluster/ci in eu-west-1")
    ]


def test_a_group_of_another_cluster(examined: Examine) -> None:
    """None of its members is a container instance here: the service would do nothing at all."""
    never = 10**9
    found = examined(booted_at_start=False, agent_registration_ms=(never, never), scaling_reaction_ms=(0, 0))
    assert bad(found)["pairing"] is Verdict.PROBLEM


def test_an_empty_group_shows_nothing(examined: Examine) -> None:
    """That is no mistake, and no proof either."""
    assert bad(examined(desired_capacity=0)) == {"pairing": Verdict.WARNING}


def test_hazards_are_told_by_how_bad_they_are(examined: Examine) -> None:
    """What stops scaling is a problem; what may end busy instances is a warning."""
    found = examined(
        capacity_rebalance=True,
        instance_types=("m5.large", "m5.xlarge"),
        launch_source="mixed_instances",
        weighted_capacities=(1, 2),
    )
    assert [verdict for verdict, _ in of(found, "hazards")] == [Verdict.WARNING, Verdict.PROBLEM]


BY_REQUIREMENTS = {"launch_source": "requirements_in_overrides", "instance_types": ("m5.large", "m5.xlarge")}
TYPES = "ECS_SCHEDULER_INSTANCE_TYPES"


@pytest.mark.parametrize(
    ("said", "verdict", "text"),
    [
        ("m5.large,m5.xlarge", Verdict.OK, "the group launches m5.large, m5.xlarge"),
        ("", Verdict.PROBLEM, f"by requirements: name them in {TYPES}"),
        ("m5.large,x9.huge", Verdict.PROBLEM, "x9.huge"),
        ("m4.4xlarge", Verdict.WARNING, f"members are of types that {TYPES} lacks: m5."),
    ],
)
def test_a_group_that_names_no_types_needs_an_operators_word(
    examined: Examine, said: str, verdict: Verdict, text: str
) -> None:
    """None, a wrong one, and one that the group's own members contradict are told with the setting's name."""
    found = examined(environment={TYPES: said}, **BY_REQUIREMENTS)
    ((told, words),) = of(found, "types")
    assert told is verdict
    assert text in words
    assert all(TYPES in each.remedy for each in found if each.check == "types" and told is not Verdict.OK)


def test_types_of_a_group_that_names_its_own_are_said_in_vain(examined: Examine) -> None:
    """What somebody wrote of it once is not heeded."""
    found = examined(environment={TYPES: "m5.large"})
    assert bad(found) == {"types": Verdict.WARNING}
    assert "the group launches m4.4xlarge by its own word" in of(found, "types")[0][1]


def test_a_log_group_that_is_not_there(examined: Examine) -> None:
    """No container would start."""
    found = examined(environment={**AWSLOGS, "awslogs-group": "gone"}, readable="gone")
    assert of(found, "logs") == [(Verdict.PROBLEM, "there is no log group gone")]


def test_a_log_group_that_may_not_be_read(examined: Examine) -> None:
    """Whether it is there, IAM does not let us see."""
    found = examined(environment=AWSLOGS, readable="gone")
    assert of(found, "logs") == [(Verdict.NOT_CHECKED, "IAM does not let us look")]
    assert bad(found) == {"permissions": Verdict.WARNING}


def test_a_store_without_a_directory(tmp_path: Path) -> None:
    """It is not made by looking."""
    found = check_store(tmp_path / "missing" / "store.sqlite3")
    assert found.verdict is Verdict.PROBLEM
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("directory", ["/", ".", ".."])
def test_a_store_that_is_a_directory(directory: str) -> None:
    """A file is expected, and nothing is written beside a directory."""
    found = check_store(Path(directory))
    assert (found.verdict, found.text) == (Verdict.PROBLEM, f"{directory} is a directory")


def test_a_store_that_somebody_has(tmp_path: Path) -> None:
    """It may well be the service itself; its process is named."""
    store = tmp_path / "store.sqlite3"
    lock = FileLock(store)
    try:
        found = check_store(store)
    finally:
        lock.release()
    assert found.verdict is Verdict.WARNING
    assert check_store(store).verdict is Verdict.OK


class _Datadog(BaseHTTPRequestHandler):
    """Takes one key."""

    def do_GET(self) -> None:
        """Validates."""
        good = self.headers["DD-API-KEY"] == KEY
        self.send_response(200 if good else 403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def datadog() -> Iterator[str]:
    """The URL of an API that takes KEY alone."""
    with HTTPServer(("127.0.0.1", 0), _Datadog) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def by_api(url: str, key: str) -> DatadogSettings:
    return DatadogSettings(agent=None, api_key=key, api_url=url, tags=())


@pytest.mark.parametrize(("key", "verdict"), [(KEY, Verdict.OK), ("wrongkey", Verdict.PROBLEM)])
def test_the_key_is_tried_and_never_shown(datadog: str, key: str, verdict: Verdict) -> None:
    """Datadog says whether it takes it."""
    found = check_datadog(by_api(datadog, key))
    assert found.verdict is verdict
    assert key not in found.line() + found.json_line()


def test_datadog_that_cannot_be_reached_is_a_warning() -> None:
    """Builds go on without it."""
    found = check_datadog(by_api("http://127.0.0.1:1", KEY))
    assert found.verdict is Verdict.WARNING
    assert KEY not in found.line()


def test_an_agents_socket_is_looked_for(tmp_path: Path) -> None:
    """A path that is none is told."""
    path = tmp_path / "dsd.socket"
    settings = DatadogSettings(agent=DatadogAgent(socket=f"unix://{path}"), api_key="", api_url="", tags=())
    assert check_datadog(settings).verdict is Verdict.WARNING
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        assert check_datadog(settings).verdict is Verdict.OK


def test_an_agent_on_udp_cannot_be_checked() -> None:
    """Nobody answers a datagram."""
    settings = DatadogSettings(agent=DatadogAgent(host="127.0.0.1"), api_key="", api_url="", tags=())
    assert check_datadog(settings).verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_problem_is_exit_code_1(output: str, tmp_path: Path) -> None:
    """One line a finding, for people or for programs."""
    store = {"ECS_SCHEDULER_STORE": str(tmp_path / "none" / "store")}
    options = ["doctor", "--simulated-aws", "http://127.0.0.1:1", "--output", output]
    ended = CliRunner().invoke(app, options, env=store)
    lines = ended.output.splitlines()
    assert ended.exit_code == 1
    if output == "json":
        assert [json.loads(line)["check"] for line in lines][:2] == ["settings", "store"]
    else:
        assert lines[1].startswith("problem      store        there is no directory")
        assert " -> make it" in lines[1]


def test_a_bad_option_is_exit_code_2() -> None:
    """As with every command."""
    assert CliRunner().invoke(app, ["doctor", "--simulated-aws", "127.0.0.1:1"]).exit_code == 2
