"""The end of the service: drained, not dropped."""

import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from tests.e2e.programs import READY_WITHIN_S, command, environment, simulated_account, start_service

SETTINGS = {
    "ECS_CLUSTER": "ci",
    "ECS_ASG": "ci-agents",
    "ECS_TASK_DEF": "ci-agent",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}


def test_stop_with_open_watch(tmp_path: Path) -> None:
    """SIGTERM ends an open watch with UNAVAILABLE, which a client resumes after, and the exit code is 0."""
    with simulated_account(tmp_path) as account:
        program = start_service(tmp_path, account.url)
        with grpc.insecure_channel(program.ready) as channel:
            watch = SchedulerServiceStub(channel).WatchTasks(WatchTasksRequest())
            assert next(watch).synced
            assert program.terminate() == 0
            with pytest.raises(grpc.RpcError) as ended:
                next(watch)
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert '"stopped"' in program.output.read_text()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_aws_does_not_answer(tmp_path: Path, told: signal.Signals) -> None:
    """A start that waits for AWS ends at once: nothing was begun that would have to be ended in order."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(READY_WITHIN_S)
        variables = SETTINGS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        starting = subprocess.Popen(
            command("serve", "--listen", "127.0.0.1:0"), cwd=tmp_path, env=environment(variables)
        )
        try:
            with closing(silent.accept()[0]):
                starting.send_signal(told)
                assert starting.wait(5) == 130
        finally:
            starting.kill()
            starting.wait()
