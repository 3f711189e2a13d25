"""One secret that goes in by every way that secrets have, looked for wherever the service says anything."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any

import grpc
import pytest

from ecs_scheduler.v1.logs_pb2 import TailLogsRequest
from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest, ListContainerInstancesRequest
from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceStub
from ecs_scheduler.v1.scheduler_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ScheduleRequest,
    WatchTasksRequest,
)
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from ecs_scheduler.v1.task_pb2 import TaskState
from ecs_scheduler.v1.task_spec_pb2 import (
    BambooAgentSpec,
    BambooExtraContainer,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    Secret,
)
from scheduler.cli.simulation import dummy_session
from tests.e2e.programs import Program, SimulatedAccount, run, simulated_account, start_service

CANARY = token_hex(16)
"""Digits and letters alone: no way of writing it down makes it look different."""

KEY = token_hex(16)
"""Datadog's, which has the same form."""

TENANT = "team"
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:licence"

# Thirty times as fast: agents work for a second or two, and what has ended is scrubbed as soon.
SIMULATION = ("--rate", "30", "--min", "1", "--desired", "1", "--max", "2", "--run-s", "30:60")

TALKATIVE = {
    "PYTHONDEVMODE": "1",  # asyncio shows what it waits for
    "GRPC_VERBOSITY": "DEBUG",
    "DATADOG_API_KEY": KEY,
    "ECS_SCHEDULER_EXECUTION_ROLE_ARN": "arn:aws:iam::000000000000:role/fetches",
}

RESTS_S = 0.05
PATIENCE_S = 60.0

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})


def until(condition: Callable[[], object]) -> None:
    deadline_s = time.perf_counter() + PATIENCE_S
    while not condition():
        assert time.perf_counter() < deadline_s
        time.sleep(RESTS_S)


# --- requests ---------------------------------------------------------------------------------------


def variables(**values: str) -> list[EnvironmentVariable]:
    return [EnvironmentVariable(name=name, value=value) for name, value in values.items()]


def request(number: int, **values: str) -> ScheduleRequest:
    """A list of containers with the canary in the environments of both, and what else is asked for."""
    resources = Resources(cpu_units=256, memory_mib=500)
    main = Container(
        name="agent",
        image="registry.example.com/agent:1",
        resources=resources,
        environment=variables(TOKEN=f"-{CANARY}-", **values),
        secrets=[Secret(name="LICENCE", value_from=SECRET_ARN)],
        registry_credentials=SECRET_ARN,
    )
    database = Container(name="db", image="db:1", resources=resources, environment=variables(PW=CANARY))
    return numbered(number, containers=ContainersSpec(containers=[main, database]))


def bamboo_request(number: int) -> ScheduleRequest:
    """A Bamboo agent whose extra container has the canary."""
    extra = BambooExtraContainer(
        name="db", image="db:1", size=ContainerSize.CONTAINER_SIZE_SMALL, environment=variables(PW=CANARY)
    )
    spec = BambooAgentSpec(
        result_id="PROJ-PLAN-JOB-7",
        build_key="PROJ-PLAN-JOB",
        server_url="https://bamboo.example.com",
        sidekick_image="sidekick:1",
        image="agent:1",
        size=ContainerSize.CONTAINER_SIZE_XSMALL,
        extra_containers=[extra],
    )
    return numbered(number, bamboo_agent=spec)


def numbered(number: int, **spec: Any) -> ScheduleRequest:
    return ScheduleRequest(request_id=f"00000000-0000-4000-8000-{number:012}", tenant=TENANT, **spec)


def bad_requests() -> Iterator[ScheduleRequest]:
    """What is wrong is the canary, or something beside it."""
    for values in ({"A": CANARY * 300}, {"A": f"{CANARY}\0"}, {"LICENCE": CANARY}, {"1": CANARY}):
        yield request(90, **values)
    yield request(90, A=CANARY * 150, B=CANARY * 150)
    twice = request(90)
    twice.containers.containers[0].environment.extend(variables(TOKEN=CANARY))
    yield twice
    nameless = request(90)
    nameless.containers.containers[1].name = ""
    yield nameless
    refused = request(90)
    refused.containers.task_role_arn = "arn:aws:iam::000000000000:role/others"
    yield refused
    too_large = request(90)
    too_large.containers.containers[0].resources.memory_mib = 1_000_000
    yield too_large


# --- what is lived through --------------------------------------------------------------------------


class Client:
    """Calls a service, and keeps all that it says: answers, statuses, details and metadata."""

    def __init__(self, address: str, said: list[str]) -> None:
        self._channel = grpc.insecure_channel(address)
        self._said = said
        self.tasks = SchedulerServiceStub(self._channel)
        self.scaling = ScalingServiceStub(self._channel)
        self._watch = self.tasks.WatchTasks(WatchTasksRequest(), wait_for_ready=True)
        self._watcher = Thread(target=self._hear_all, args=(self._watch,))
        self._watcher.start()

    def call(self, method: Any, message: Any) -> Any:
        """The answer, or None for a refusal."""
        try:
            answer, call = method.with_call(message, timeout=10.0)
        except grpc.RpcError as refusal:
            self._keep(refusal)
            return None
        self._said.append(str(answer))
        self._keep(call)
        return answer

    def send_garbage(self, body: bytes) -> None:
        """A request that is no message."""
        method = "/ecs_scheduler.v1.SchedulerService/Schedule"
        assert self.call(self._channel.unary_unary(method), body) is None

    def schedule(self, message: ScheduleRequest) -> str:
        """The id of the accepted task."""
        task_id: str = self.call(self.tasks.Schedule, message).task.task_id
        return task_id

    def cancel(self, task_id: str) -> None:
        self.call(self.tasks.CancelTask, CancelTaskRequest(tenant=TENANT, task_id=task_id))

    def state(self, task_id: str) -> str:
        answer = self.call(self.tasks.GetTask, GetTaskRequest(tenant=TENANT, task_id=task_id))
        return TaskState.Name(answer.task.state).removeprefix("TASK_STATE_")

    def look_at_everything(self, task_id: str) -> None:
        """Every answer that tells of tasks or of what they run on."""
        self.call(self.tasks.ListTasks, ListTasksRequest(tenant=TENANT))
        self.call(self.scaling.GetCluster, GetClusterRequest())
        self.call(self.scaling.ListContainerInstances, ListContainerInstancesRequest())
        logs = self.tasks.TailLogs(TailLogsRequest(tenant=TENANT, task_id=task_id), timeout=1.0)
        self._hear_all(logs)

    def close(self) -> None:
        self._watch.cancel()
        self._watcher.join()
        self._channel.close()

    def _hear_all(self, stream: Any) -> None:
        try:
            self._said.extend(str(message) for message in stream)
        except grpc.RpcError:
            self._keep(stream)

    def _keep(self, call: Any) -> None:
        # Metadata that is binary prints as bytes, in which letters and digits stand for themselves.
        self._said.append(f"{call.details()} {call.initial_metadata()} {call.trailing_metadata()}")


class Life:
    """A service from its start to the end of its tasks, with a kill in between."""

    def __init__(self, directory: Path, account: SimulatedAccount) -> None:
        self.directory = directory
        self.account = account
        self.said: list[str] = []
        self.printed: list[str] = []
        self.told: list[str] = []
        self.on_disk_while_alive = 0
        self.forgotten_while_open = False

    @property
    def log(self) -> str:
        """Both processes' stdout and stderr."""
        return (self.directory / "serve.log").read_text()

    def on_disk(self) -> int:
        """How often the canary is in any file of the store."""
        return sum(file.read_bytes().count(CANARY.encode()) for file in self.directory.glob("store.sqlite3*"))

    def before_the_kill(self, service: Program, client: Client) -> list[str]:
        """Tasks of every fate, and every refusal. The ids of the tasks."""
        ids = [client.schedule(request(1)), client.schedule(bamboo_request(2))]
        until(lambda: client.state(ids[0]) == "RUNNING")
        client.look_at_everything(ids[0])
        assert client.schedule(request(1)) == ids[0]
        assert client.call(client.tasks.Schedule, request(1, CHANGED=CANARY)) is None
        for bad in bad_requests():
            assert client.call(client.tasks.Schedule, bad) is None
        client.send_garbage(request(90).SerializeToString()[:-1])
        self.account.show_fault({"operation": "StartTask", "kind": "error_before"})
        ids += [client.schedule(request(number)) for number in (3, 4)]
        ids.append(client.schedule(request(5, SIMULATED_START_FAILURE="CannotPullContainerError")))
        ids.append(client.schedule(request(6, SIMULATED_EXIT_CODE="1")))
        client.cancel(ids[2])
        self.on_disk_while_alive = self.on_disk()
        service.kill()
        return ids

    def after_the_kill(self, service: Program, client: Client, ids: list[str]) -> None:
        """One more is cancelled while it runs, and all end."""
        ids.append(client.schedule(request(7, SIMULATED_RUN_MS="3600000")))
        until(lambda: client.state(ids[-1]) == "RUNNING")
        client.cancel(ids[-1])
        for output in ("json", "text"):
            self._print(service, "tasks", "--tenant", TENANT, "--output", output)
        env = ("--env", f"TOKEN={CANARY}", "--env", "SIMULATED_RUN_MS=1000")
        self._print(service, "submit", "--container", "agent=agent:1:256:500", *env, "--output", "json")
        until(lambda: all(client.state(task_id) in ENDED for task_id in ids))
        client.look_at_everything(ids[0])
        until(lambda: not self.on_disk())
        self.forgotten_while_open = (self.directory / "store.sqlite3-wal").exists()

    def _print(self, service: Program, *arguments: str) -> None:
        ended = run(*arguments, "--address", service.ready, directory=self.directory)
        assert ended.returncode == 0, ended.stderr
        self.printed += [ended.stdout, ended.stderr]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Lived through once. What is to be told to Datadog is sent when the process ends."""
    directory = tmp_path_factory.mktemp("canary")
    with udp_listener() as agent, simulated_account(directory, *SIMULATION) as account:
        lived = Life(directory, account)
        with talkative_service(lived, agent) as (first, client):
            ids = lived.before_the_kill(first, client)
        with talkative_service(lived, agent) as (second, client):
            lived.after_the_kill(second, client, ids)
        lived.told += datagrams(agent)
        yield lived


@contextmanager
def talkative_service(life: Life, agent: socket.socket) -> Iterator[tuple[Program, Client]]:
    to_agent = {"DD_DOGSTATSD_URL": "udp://{}:{}".format(*agent.getsockname())}
    program = start_service(life.directory, life.account.url, variables=TALKATIVE | to_agent)
    client = Client(program.ready, life.said)
    try:
        yield program, client
    finally:
        client.close()
        program.end()


@contextmanager
def udp_listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        yield listener


def datagrams(listener: socket.socket) -> Iterator[str]:
    """What has come so far."""
    with suppress(BlockingIOError):
        while True:
            yield listener.recv(65_536).decode()


def test_answers_and_streams_have_no_canary(life: Life) -> None:
    """Answers, refusals with details, metadata, watches: the variable's name is told, its value never."""
    said = "\n".join(life.said)
    assert "TOKEN" in said
    assert CANARY not in said
    assert KEY not in said


def test_the_log_has_no_canary(life: Life) -> None:
    """At the most that the process can be made to say."""
    assert "REQUEST_ID_TAKEN" in life.log
    assert CANARY not in life.log
    assert KEY not in life.log


def test_commands_print_no_canary(life: Life) -> None:
    """Neither lists of tasks nor the one that was given it."""
    printed = "\n".join(life.printed)
    assert TENANT in printed
    assert CANARY not in printed


def test_datadog_is_told_no_canary(life: Life) -> None:
    """Metrics and events alike."""
    told = "\n".join(life.told)
    assert "ecs_scheduler.decision.time:" in told
    assert CANARY not in told
    assert KEY not in told


def test_the_store_forgets_it_while_it_is_open(life: Life) -> None:
    """It is on the disk while a task may need it, and across a kill, and soon after the end no more."""
    assert life.on_disk_while_alive
    assert life.forgotten_while_open
    assert not life.on_disk()


def test_aws_is_given_it(life: Life) -> None:
    """Else the other tests would find nothing for the wrong reason."""
    arns = [entry["taskArn"] for entry in life.account.journal("StartTask")]
    ecs = dummy_session().client("ecs", endpoint_url=life.account.url)
    assert CANARY in str(ecs.describe_tasks(cluster="ci", tasks=arns)["tasks"])
