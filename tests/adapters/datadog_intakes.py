"""Datadog's ends of the wire on the loopback: an agent's socket, and an API that answers as told."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from scheduler.config import DatadogAgent, DatadogSettings

KEY = "0123456789abcdef0123456789abcdef"
TAGS = ("env:test", "service:agents")
WAIT_S = 10.0


def datadog_settings(agent: DatadogAgent | None = None, api_url: str = "") -> DatadogSettings:
    return DatadogSettings(agent=agent, api_key=KEY, api_url=api_url, tags=TAGS)


class AgentSocket:
    """An agent that only listens."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._listener.settimeout(WAIT_S)
        self._heard: list[str] = []

    def line(self, beginning: str) -> str:
        """The first line that begins so."""
        while True:
            found = [line for line in self._heard if line.startswith(beginning)]
            if found:
                return found[0]
            self._heard += self.datagram()

    def datagram(self) -> list[str]:
        """The lines of one datagram."""
        return self._listener.recv(65_536).decode().splitlines()


@contextmanager
def udp_agent() -> Iterator[tuple[AgentSocket, DatadogAgent]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
        yield AgentSocket(listener), DatadogAgent(host=host, port=port)


@contextmanager
def unix_agent(directory: Path) -> Iterator[tuple[AgentSocket, DatadogAgent]]:
    path = directory / "dsd.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        yield AgentSocket(listener), DatadogAgent(socket=f"unix://{path}")


@dataclass
class Posted:
    path: str
    key: str
    body: dict[str, Any]


@dataclass
class FakeApi:
    """An API that answers with `status`, or hangs until it is released."""

    status: int = 202
    hangs: bool = False
    url: str = ""
    posted: SimpleQueue[Posted] = field(default_factory=SimpleQueue)
    released: Event = field(default_factory=Event)

    def next_to(self, resource: str) -> dict[str, Any]:
        """The body of the next request for this resource."""
        while True:
            posted = self.posted.get(timeout=WAIT_S)
            if posted.path == f"/api/v1/{resource}":
                return posted.body


@contextmanager
def fake_api() -> Iterator[FakeApi]:
    api = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.posted.put(Posted(self.path, self.headers["DD-API-KEY"], body))
            if api.hangs:
                api.released.wait(WAIT_S)
                return
            refusals = {403: {"errors": ["Forbidden"]}, 429: {}, 500: {}}
            answer = json.dumps(refusals.get(api.status, {"status": "ok"})).encode()
            self.send_response(api.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing is worth a line on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield api
        finally:
            api.released.set()
            server.shutdown()
            thread.join()
