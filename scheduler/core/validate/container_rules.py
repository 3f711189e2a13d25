"""Rules for what only some plain containers have, within the limits of ECS's RegisterTaskDefinition."""

from operator import attrgetter

from scheduler.core.agents.container_parts import NO_PARTS, Parts
from scheduler.core.model.container_parts import ContainerCondition
from scheduler.core.validate.checks import (
    PATH,
    PATH_EXPECTED,
    PAYLOAD,
    Check,
    matches,
    one_of,
    seconds,
    unset_or,
)
from scheduler.core.validate.container_relations import disordered_check, two_kinds
from scheduler.core.validate.relations import Relation
from scheduler.core.validate.rows import Messages, Part, Rare, Table, Texts, field

# Docker refuses a relative one. Unlike a mount it may be the root (Docker docs: docker run, --workdir).
_WORKING_DIRECTORY = matches(f"(/|{PATH})?", f"not set, `/`, or {PATH_EXPECTED}")

# Names or ids, the group's if wanted (ECS API: ContainerDefinition, user).
_USER = matches(
    r"(?=.{0,255}\Z)([A-Za-z0-9_.][A-Za-z0-9_.-]*(:[A-Za-z0-9_.][A-Za-z0-9_.-]*)?)?",
    "not set, `user` or `user:group`, names or numbers, at most 255 characters",
)

MOUNT_POINT: Table = (field("container_path", matches(PATH, PATH_EXPECTED)),)

# ECS API: HealthCheck has the ranges.
HEALTH_CHECK: Table = (
    Texts(name="command", at_most=100, check=PAYLOAD),
    Relation(disordered_check),
    field("interval", unset_or(seconds(5, 300)), attribute="interval_s"),
    field("timeout", unset_or(seconds(2, 60)), attribute="timeout_s"),
    field("retries", Check(lambda number: 0 <= number <= 10, "1 to 10, or not set")),
    field("start_period", unset_or(seconds(0, 300)), attribute="start_period_s"),
)

DEPENDENCY: Table = (
    field("condition", one_of(frozenset(ContainerCondition), "START, COMPLETE, SUCCESS or HEALTHY")),
)

PARTS = Rare(
    read=attrgetter(*Parts._fields),
    unset=NO_PARTS,
    table=(
        Texts(name="entry_point", at_most=100, check=PAYLOAD),
        field("working_directory", _WORKING_DIRECTORY),
        field("user", _USER),
        Messages(name="mount_points", counts=(0, 40), table=MOUNT_POINT, key="container_path"),
        Part(name="health_check", table=HEALTH_CHECK),
        Messages(name="depends_on", counts=(0, 9), table=DEPENDENCY, key="container_name"),
        # The range that ECS takes wherever a task runs (ECS API: ContainerDefinition, stopTimeout).
        field("stop_timeout", unset_or(seconds(2, 120)), attribute="stop_timeout_s"),
    ),
)
"""What a container may have of parts that most have none of."""

VOLUME: Table = (
    # ECS API: Volume, name.
    field("name", matches(r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, `-` and `_`")),
    field("source_path", matches(f"({PATH})?", f"not set, or {PATH_EXPECTED}")),
    Relation(two_kinds),
)

VOLUMES = Rare(
    read=attrgetter("volumes"), unset=(), table=(Messages(name="volumes", counts=(0, 20), table=VOLUME),)
)
"""The volumes that a spec's containers mount."""
