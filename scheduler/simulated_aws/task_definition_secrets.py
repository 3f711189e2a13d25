"""What RegisterTaskDefinition refuses of a container's secrets and limits (ECS API: Secret, Ulimit)."""

from collections import Counter

from scheduler.simulated_aws.errors import client_exception
from scheduler.simulated_aws.shapes import Shape

# ECS API: Ulimit, name.
_ULIMITS = (
    *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss"),
    *("rtprio", "rttime", "sigpending", "stack"),
)


def check_what_is_fetched(container: Shape, params: Shape) -> None:
    """Secrets, secret options of the log driver and registry credentials need an execution role.

    A secret's name is no other one's and no variable's (ECS Developer Guide: Specifying sensitive data).
    """
    secrets = container.get("secrets", [])
    options = container.get("logConfiguration", {}).get("secretOptions", [])
    fetched = (*secrets, *options, *filter(None, [container.get("repositoryCredentials")]))
    if fetched and not params.get("executionRoleArn"):
        raise client_exception(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )
    names = Counter([*(each["name"] for each in secrets), *_variables(container)])
    for secret in secrets:
        if not secret.get("valueFrom"):
            raise client_exception(f"Secret '{secret['name']}' has no valueFrom.")
        if names[secret["name"]] > 1:
            raise client_exception(
                "The secret name must be unique and not shared with any new or existing environment "
                f"variables set on the container, such as '{secret['name']}'."
            )


def check_ulimits(name: str, ulimits: list[Shape]) -> None:
    """Each limit is known, is there once, and is not above its own hard limit."""
    names = Counter(limit.get("name") for limit in ulimits)
    for limit in ulimits:
        if limit.get("name") not in _ULIMITS or names[limit["name"]] > 1:
            raise client_exception(f"Invalid ulimit for container '{name}': {limit.get('name')}")
        soft, hard = limit.get("softLimit", 0), limit.get("hardLimit", 0)
        if hard != -1 and not 0 <= soft <= hard:
            raise client_exception(
                f"Invalid ulimit for container '{name}': softLimit is above hardLimit: {soft} > {hard}"
            )


def _variables(container: Shape) -> set[str]:
    return {variable["name"] for variable in container.get("environment", ())}
