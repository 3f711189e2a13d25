"""The way to a simulated AWS, whatever the caller's own AWS and proxies are."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.adapters.aws.access import check_access
from scheduler.bootstrap import aws_clients
from scheduler.cli.simulation import SimulationUnreachable, dummy_session, shared_clock
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.http import ClockReading, HttpFront, ThreadedFront
from tests.clocks import VirtualClock

FOREIGN = {
    "AWS_PROFILE": "somebody-elses",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_DEFAULT_REGION": "us-west-2",
    **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:1"),
}


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[", "http://", "http://127.0.0.1:1"])
def test_nobody_at_a_url(url: str) -> None:
    """Wherever no simulation answers, whether the URL is one or not, the URL is named."""
    with pytest.raises(SimulationUnreachable, match=re.escape(url)):
        shared_clock(url)


def test_no_simulation_answers() -> None:
    """Something that speaks no HTTP, the service's own port for one, is no simulation."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        speaking = thread.submit(_say_nonsense, listener)
        with pytest.raises(SimulationUnreachable):
            shared_clock(f"http://127.0.0.1:{listener.getsockname()[1]}")
        speaking.result()


def _say_nonsense(listener: socket.socket) -> None:
    with listener.accept()[0] as caller:
        caller.recv(4_096)
        caller.sendall(b"nonsense\r\n\r\n")


def test_callers_surroundings_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles, endpoints, regions and proxies of the caller's are not for the simulation."""
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    reading = ClockReading(epoch_ms=0, rate=1.0, now_ms=0)
    with ThreadedFront(HttpFront(SimulatedAws(VirtualClock()), read_clock=lambda: reading)) as url:
        assert shared_clock(url).now_ms() >= 0
        session = dummy_session()
        assert session.region_name == "eu-west-1"
        clients = aws_clients(session.region_name, endpoint_url=url, session=session)
        assert "arn:aws" in check_access(clients, "ci")
        clients.close()
