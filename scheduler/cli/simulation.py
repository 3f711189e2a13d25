"""What the service must know of a simulated AWS: how its time runs, and the names in it."""

import json
from collections.abc import Mapping
from urllib.error import URLError
from urllib.request import urlopen

import boto3

from scheduler.adapters.system import ScaledClock, SystemClock
from scheduler.simulated_aws.settings import SimulationSettings

_ANSWER_TIMEOUT_S = 5.0


class SimulationUnreachable(Exception):
    """No simulated AWS answers there; the message is one line for an operator."""


def shared_clock(url: str) -> ScaledClock:
    """The simulation's own time, so that the service and its AWS agree on it.

    It is read once: the reading is as old as its way back, some milliseconds of real time.
    """
    try:
        with urlopen(url.rstrip("/") + "/_simulation/clock", timeout=_ANSWER_TIMEOUT_S) as answer:
            reading = json.load(answer)
        return ScaledClock(SystemClock().now_ms(), int(reading["now_ms"]), float(reading["rate"]))
    except (URLError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", error)
        raise SimulationUnreachable(f"no simulated AWS answers at {url} ({reason})") from error


def default_environment() -> Mapping[str, str]:
    """The mandatory settings as `aws-sim` names things unless it is told otherwise."""
    simulated = SimulationSettings()
    return {
        "ECS_ASG": simulated.auto_scaling_group,
        "ECS_CLUSTER": simulated.cluster,
        "ECS_TASK_DEF": "ci-agent",
        "AWS_REGION": simulated.region,
    }


def dummy_session() -> boto3.Session:
    """boto3 signs every request; the simulation does not look."""
    return boto3.Session(
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
        region_name=SimulationSettings().region,
    )
