"""The stage: a simulated AWS and the service, as two processes on loopback."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from scheduler.cli.demo.children import Children
from scheduler.cli.iam import proposed_policy
from scheduler.cli.simulation import SimulationUnreachable

MIN_SIZE = 1
MAX_SIZE = 12
RUN_S = "60:150"

DISCONNECTED_AFTER_MS = 180_000
"""The service waits for 20 minutes by itself, for most agents come back; nobody would look on for so long."""

NEVER_JOINED_AFTER_MS = 200_000
"""And for 5 minutes for a member to register. EC2 posts its console 3 minutes after the launch here."""

LOGS = {
    "ECS_LOGDRIVER": "awslogs",
    "ECS_LOGOPTIONS": "awslogs-group,awslogs-stream-prefix",
    "awslogs-group": "ci-agents",
    "awslogs-stream-prefix": "agents",
}
"""Where containers log to, and the consoles of sick instances are kept."""

_ANSWER_TIMEOUT_S = 5.0
# A proxy for the web is no way to a process on loopback.
_DIRECTLY = build_opener(ProxyHandler({}))


class Simulation:
    """The simulated AWS's own pages: what befalls an account without anybody's call."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def fault(self, **fault: object) -> None:
        """From now on a call goes wrong, as the fault says."""
        await self._open("faults", fault)

    async def act(self, act: str, **parameters: object) -> None:
        """Something happens now."""
        await self._open("act", {"act": act, **parameters})

    async def tasks_on(self, ec2_instance_id: str) -> int:
        """How many tasks an instance has in truth, whatever anybody has read."""
        rows: list[dict[str, Any]] = await self._open("instances")
        mine = [row for row in rows if row["ec2InstanceId"] == ec2_instance_id]
        return sum(len(each["tasks"]) for row in mine for each in row["containerInstances"])

    async def _open(self, page: str, body: Mapping[str, object] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        return await asyncio.to_thread(self._answer, f"{self.url}/_simulation/{page}", data)

    @staticmethod
    def _answer(url: str, data: bytes | None) -> Any:
        try:
            with _DIRECTLY.open(url, data, timeout=_ANSWER_TIMEOUT_S) as answer:
                return json.load(answer)
        except OSError as error:
            raise SimulationUnreachable(f"{url}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where everything is."""

    simulation: Simulation
    address: str
    journal: Path


def set_stage(children: Children, directory: Path, rate: float) -> Stage:
    """Starts both, and waits until they are ready. Raises ChildFailed."""
    journal, policy = directory / "journal.jsonl", directory / "iam-policy.json"
    policy.write_text(proposed_policy(), "utf-8")
    url = children.start(
        "aws-sim", "--listen", "127.0.0.1:0", "--rate", str(rate), "--journal", str(journal),
        "--min", str(MIN_SIZE), "--desired", str(MIN_SIZE), "--max", str(MAX_SIZE), "--run-s", RUN_S,
        "--iam-policy", str(policy),
        ready=r"http://\S+",
    )  # fmt: skip
    address = children.start(
        "serve", "--listen", "127.0.0.1:0", "--store", str(directory / "store.sqlite3"),
        "--simulated-aws", url,
        ready=r"(?<=listening on )\S+",
        environment={
            "ECS_SCHEDULER_DRAIN_DELAY_S": "0",
            "ECS_SCHEDULER_DISCONNECTED_AFTER_MS": str(DISCONNECTED_AFTER_MS),
            "ECS_SCHEDULER_NEVER_JOINED_AFTER_MS": str(NEVER_JOINED_AFTER_MS),
            **LOGS,
        },
    )  # fmt: skip
    return Stage(simulation=Simulation(url), address=address, journal=journal)
