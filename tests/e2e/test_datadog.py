"""The service as a process, with somebody to tell."""

from pathlib import Path
from time import perf_counter

from tests.adapters.datadog_intakes import KEY, fake_api, udp_agent
from tests.e2e.programs import simulated_account, start_service


def test_what_has_gathered_is_told_before_the_process_ends(tmp_path: Path) -> None:
    """To the agent that the environment names, with the unified tags, from the loop and from boto3."""
    with udp_agent() as (socket, agent), simulated_account(tmp_path) as account:
        variables = {"DD_DOGSTATSD_URL": f"udp://{agent.host}:{agent.port}", "DD_ENV": "test"}
        program = start_service(tmp_path, account.url, variables=variables)
        assert program.terminate() == 0
        calls = socket.line("ecs_scheduler.aws.calls:1|c|#operation:GetCallerIdentity,")
        assert calls.endswith(",env:test,ecs_cluster:ci,autoscaling_group:ci-agents")
        assert socket.line("ecs_scheduler.decision.time:")


def test_an_api_that_hangs_delays_neither_the_start_nor_the_end(tmp_path: Path) -> None:
    """The service stops in seconds, leaves the rest unsent, and keeps the key to itself."""
    with fake_api() as api, simulated_account(tmp_path) as account:
        api.hangs = True
        variables = {"DATADOG_API_KEY": KEY, "DATADOG_HOST": api.url}
        program = start_service(tmp_path, account.url, variables=variables)
        began = perf_counter()
        assert program.terminate() == 0
        assert perf_counter() - began < 15
        assert api.posted.get(timeout=1).key == KEY
    output = program.output.read_text()
    assert '"datadog.' in output
    assert KEY not in output
