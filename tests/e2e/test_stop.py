"""The end of the service: drained, not dropped."""

from pathlib import Path

import grpc
import pytest

from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from tests.e2e.programs import simulated_account, start_service


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
