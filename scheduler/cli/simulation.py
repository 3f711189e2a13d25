"""What the service must know of a simulated AWS: how its time runs, and the names in it."""

import json
import os
from collections.abc import Mapping
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

import boto3
import typer
from botocore.config import Config
from botocore.session import Session as BotocoreSession

from scheduler.adapters.system import ScaledClock, SystemClock
from scheduler.simulated_aws.settings import SimulationSettings

_ANSWER_TIMEOUT_S = 5.0
# Proxies and profiles of the caller's lead to the web and to AWS; the simulation is neither.
_DIRECTLY = build_opener(ProxyHandler({}))
_NO_PROXIES = Config(proxies={})
# As botocore has them: name in the configuration file, environment variables, default, conversion.
_FROM_NOWHERE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "use_fips_endpoint": (None, None, False, None),
    "use_dualstack_endpoint": (None, None, False, None),
}


class SimulationUnreachable(Exception):
    """No simulated AWS answers there; the message is one line for an operator."""


def check_url(option: str, url: str) -> None:
    """Whether it has a scheme. Raises typer.BadParameter."""
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{option}: give http://{url if ':' in url else 'HOST:PORT'}")


def shared_clock(url: str) -> ScaledClock:
    """The simulation's own time, so that the service and its AWS agree on it.

    It is read once: the reading is as old as its way back, some milliseconds of real time.
    """
    try:
        with _DIRECTLY.open(url.rstrip("/") + "/_simulation/clock", timeout=_ANSWER_TIMEOUT_S) as answer:
            reading = json.load(answer)
        return ScaledClock(SystemClock().now_ms(), int(reading["now_ms"]), float(reading["rate"]))
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", error)
        raise SimulationUnreachable(f"no simulated AWS answers at {url} ({reason})") from error


def default_environment() -> Mapping[str, str]:
    """The mandatory settings as `aws-sim` names things unless it is told otherwise."""
    simulated = SimulationSettings()
    return {
        "ECS_ASG": simulated.auto_scaling_group,
        "ECS_CLUSTER": simulated.cluster,
        "ECS_TASK_DEF": "ci-agent",
    }


def dummy_session() -> boto3.Session:
    """boto3 signs every request; the simulation does not look. Nothing of the caller's own AWS is read."""
    session = BotocoreSession(session_vars=_FROM_NOWHERE)
    session.set_default_client_config(_NO_PROXIES)
    return boto3.Session(
        botocore_session=session,
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
        region_name=SimulationSettings().region,
    )
