"""The policy that the project proposes, as tests give it to callers of a simulated account: whole or less."""

import json
from collections.abc import Iterator
from typing import Any

from scheduler.adapters.aws.log_clients import LogClients
from scheduler.cli.iam import names_in, proposed_policy
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.codec_base import Backend
from scheduler.simulated_aws.iam_policy import IamPolicy, parse_policy
from scheduler.simulated_aws.settings import SimulationSettings

DEFAULT_SIMULATION = SimulationSettings()


def deployed(
    simulation: SimulationSettings = DEFAULT_SIMULATION, *, family: str = "agents", without: str = ""
) -> IamPolicy:
    """`deploy/iam-policy.json` with its placeholders filled, less the action `without`."""
    document = json.loads(proposed_policy())
    for statement in document["Statement"]:
        statement["Action"] = [each for each in actions_of(statement) if each != without]
    document["Statement"] = [each for each in document["Statement"] if each["Action"]]
    return parse_policy(json.dumps(document), {**names_in(simulation), "FAMILY": family})


def actions_of(statement: dict[str, Any]) -> list[str]:
    """One action may stand without its list."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else list(actions)


def proposed() -> Iterator[tuple[str, str]]:
    """Each action of the proposed policy, with the name of its statement."""
    for statement in json.loads(proposed_policy())["Statement"]:
        for action in actions_of(statement):
            yield action, statement["Sid"]


def log_clients_of(backend: Backend) -> LogClients:
    """In-process clients for logs and consoles."""
    ecs, ec2, logs = (InProcessClient(backend, each) for each in ("ecs", "ec2", "logs"))
    return LogClients(region=DEFAULT_SIMULATION.region, ecs=ecs, ec2=ec2, logs_in=lambda _: logs)
