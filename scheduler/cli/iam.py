"""The IAM policy that the project proposes, and what its placeholders stand for in a simulated account."""

from importlib.resources import files
from pathlib import Path

from scheduler.cli.complaint import ExitCode, give_up
from scheduler.cli.simulation import default_environment
from scheduler.simulated_aws.iam_policy import IamPolicy, PolicyError, parse_policy
from scheduler.simulated_aws.settings import SimulationSettings

AGENT_ROLES = "ci-agent-*"
"""The simulation has no roles; these are what a task definition may name there."""


def proposed_policy() -> str:
    """`deploy/iam-policy.json`, which the package carries."""
    return (files("scheduler.cli") / "examples" / "iam-policy.json").read_text("utf-8")


def names_in(settings: SimulationSettings) -> dict[str, str]:
    """What the placeholders of a policy stand for in a simulated account."""
    return {
        "ACCOUNT": settings.account_id,
        "REGION": settings.region,
        "CLUSTER": settings.cluster,
        "GROUP": settings.auto_scaling_group,
        "FAMILY": default_environment()["ECS_TASK_DEF"],
        "AGENT_ROLES": AGENT_ROLES,
        "LOG_GROUP": next(iter(settings.log_groups), "none"),
    }


def read_policy(path: Path | None, settings: SimulationSettings) -> IamPolicy | None:
    """The policy in a file, if one is given; ends the program with one line if it is none."""
    if path is None:
        return None
    try:
        return parse_policy(path.read_text("utf-8"), names_in(settings))
    except (OSError, PolicyError, UnicodeDecodeError) as error:
        give_up(f"--iam-policy {path}: {error}", ExitCode.USAGE)
