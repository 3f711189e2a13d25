"""ECS's limit on the overrides of a task, measured when a request comes instead of when its task starts.

The measured text is the one that the AWS SDK sends: JSON with a space after each comma and colon and with
characters outside ASCII escaped. However ECS counts, its count is not above that.
"""

from collections.abc import Sequence
from json import dumps

from scheduler.core.agents import Launch, overrides
from scheduler.core.agents.docker_in_docker import is_docker_in_docker
from scheduler.core.model.task import BambooAgentSpec, EnvironmentVariable, TaskSpec
from scheduler.core.validate.rules import LAST_MS

ALLOWED_CHARACTERS = 8_192
"""Including the JSON formatting (ECS API: StartTask, overrides)."""

# The longest parts that AWS documents or uses: a partition of 10 characters (aws-us-gov), a region of 14
# (ap-northeast-1), an account id of 12 digits, a cluster name of 255 (ECS API: CreateCluster), and an id of
# 32 that ECS chooses.
_LONGEST_ARN = f"arn:aws-us-gov:ecs:ap-northeast-1:{'0' * 12}:container-instance/{'c' * 255}/{'0' * 32}"

WORST_LAUNCH = Launch(
    # An attempt id is `startedBy`, hence at most 36 characters (ECS API: StartTask); a request id is a UUID.
    attempt_id="a" * 36,
    request_id="r" * 36,
    container_instance_arn=_LONGEST_ARN,
    submit_ms=LAST_MS,
    # An attribute's value is at most 128 characters (ECS API: Attribute, value); JSON doubles a backslash.
    storage_driver="\\" * 128,
)
"""The launch with the longest values."""


def overrides_characters(spec: TaskSpec) -> int:
    """The longest that the overrides of a launch of this spec can be."""
    return len(dumps(overrides(spec, WORST_LAUNCH)))


# JSON escapes a character with at most 12: a pair of surrogates, six characters each.
_ESCAPED = 12
_SEPARATOR = len(", ")
_ARGUMENT = len(dumps("")) + _SEPARATOR
_VARIABLE = len(dumps({"name": "", "value": ""})) + _SEPARATOR
_STORAGE_DRIVER = len(dumps(f"--storage-driver={WORST_LAUNCH.storage_driver}")) + _SEPARATOR
_OVERRIDE = len(dumps({"name": "", "command": [], "environment": []})) + _SEPARATOR
_AGENT = overrides_characters(
    BambooAgentSpec(
        result_id="",
        build_key="",
        server_url="",
        sidekick_image="",
        image="",
        size=None,
        queue_time_ms=LAST_MS,
    )
)


def characters_at_most(spec: TaskSpec) -> int:
    """A bound that is cheap to have and never below `overrides_characters` of a valid spec.

    It spares nearly every request the measurement: about 500 characters of names, values and arguments pass.
    What a Bamboo agent is always given stands in for the little that other main containers are.
    """
    if isinstance(spec, BambooAgentSpec):
        parts = [
            _part(each.name, each.commands, each.environment)
            + is_docker_in_docker(each.image) * _STORAGE_DRIVER
            for each in spec.extra_containers
        ]
        return _AGENT + _ESCAPED * len(spec.result_id) + sum(parts)
    parts = [
        _part(each.name, each.command, each.environment) + each.privileged * _STORAGE_DRIVER
        for each in spec.containers
    ]
    return _AGENT + sum(parts)


def _part(name: str, command: Sequence[str], environment: Sequence[EnvironmentVariable]) -> int:
    texts = [name, *command]
    for variable in environment:
        texts += (variable.name, variable.value)
    formatting = _OVERRIDE + _ARGUMENT * len(command) + _VARIABLE * len(environment)
    return formatting + _ESCAPED * len("".join(texts))
