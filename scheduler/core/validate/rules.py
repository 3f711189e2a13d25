"""The rules: one table for each message, in the order of the protos' fields, with the protos' limits."""

from collections.abc import Mapping

from scheduler.core.agents.bamboo import BUILD_VOLUME, OWN_VARIABLES, RESERVED_NAMES, WORKING_DIRECTORY
from scheduler.core.agents.launch import ATTEMPT_ID
from scheduler.core.agents.sizes import EXTRA_SIZES, LEAST_MEMORY_MIB, MAIN_SIZES
from scheduler.core.validate.checks import (
    PATH,
    PATH_EXPECTED,
    PAYLOAD,
    Check,
    between,
    lasting,
    matches,
    not_blank,
    one_of,
    text,
    unset_or,
)
from scheduler.core.validate.container_relations import dependencies, mounts
from scheduler.core.validate.container_rules import PARTS, VOLUMES
from scheduler.core.validate.relations import (
    MOST,
    ULIMITS,
    Relation,
    container_links,
    disordered_ulimit,
    extra_links,
    malformed_variables,
    needless_privileges,
    repeated_container_paths,
    shared_names,
)
from scheduler.core.validate.rows import Entries, Field, Messages, Once, Table, Texts, field

LAST_MS = 253_402_300_799_999
"""The end of the year 9999, where a protobuf Timestamp ends too."""

_UUID = "-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12))
_URL = r"(?=.{1,2048}\Z)https?://[^\s/?#\x00-\x1f\x7f-\x9f][^\s\x00-\x1f\x7f-\x9f]*"

_IMAGE = not_blank(255)
_CONTAINER_NAME = matches(r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, `-` and `_`")

_VARIABLE_NAME = field(
    "name", matches(r"[A-Za-z_][A-Za-z0-9_]{0,254}", "[A-Za-z_][A-Za-z0-9_]*, at most 255 characters")
)

ENVIRONMENT_VARIABLE: Table = (_VARIABLE_NAME, field("value", PAYLOAD))

_ENVIRONMENT = Messages(name="environment", counts=(0, 100), table=ENVIRONMENT_VARIABLE)

# What ECS takes (ECS API: Secret, valueFrom): an ARN of Secrets Manager, with a key, stage and version of it
# if wanted, or one of Systems Manager, or a parameter's name in our region (SSM API: PutParameter, Name).
_ACCOUNT = r"arn:aws[a-z-]{0,20}:%s:[a-z0-9-]{1,30}:[0-9]{12}"
_SECRET_ARN = _ACCOUNT % "secretsmanager" + r":secret:[A-Za-z0-9/_+=.@!-]{1,519}"
_PARAMETER_ARN = _ACCOUNT % "ssm" + r":parameter/[A-Za-z0-9_./-]{1,1011}"

SECRET: Table = (
    _VARIABLE_NAME,
    field(
        "value_from",
        matches(
            rf"{_SECRET_ARN}(:[A-Za-z0-9/_+=.@-]{{0,256}}){{0,3}}|{_PARAMETER_ARN}|[A-Za-z0-9_./-]{{1,1011}}",
            "the ARN of a Secrets Manager secret or of a Systems Manager parameter, or a parameter's name",
        ),
    ),
)


def _secrets(reserved: frozenset[str]) -> Messages:
    return Messages(name="secrets", counts=(0, 100), table=SECRET, reserved=reserved)


_REGISTRY_CREDENTIALS = field(
    "registry_credentials", matches(f"({_SECRET_ARN})?", "not set, or the ARN of a Secrets Manager secret")
)


def _role(name: str) -> Field:
    """A role's path and name are up to 512 and 64 characters (IAM API: CreateRole)."""
    arn = r"(arn:aws[a-z-]{0,20}:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576})?"
    return field(name, matches(arn, "not set, or the ARN of an IAM role"))


_ARCHITECTURE = field("architecture", Check(lambda value: value is not None, "X86_64, ARM64 or not set"))

HOST_FOLDER_MAPPING: Table = (
    field("volume_name", matches(r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, `-` and `_`")),
    field("source_path", matches(PATH, PATH_EXPECTED)),
    field(
        "container_path",
        matches(rf"(?!{WORKING_DIRECTORY}(/|\Z)){PATH}", f"{PATH_EXPECTED}, outside of {WORKING_DIRECTORY}"),
    ),
)

EXTRA_CONTAINER: Table = (
    Once(
        field("name", _CONTAINER_NAME),
        field("image", _IMAGE),
        field("size", one_of(EXTRA_SIZES, "a size from SMALL to LARGE_8X")),
        Texts(name="commands", at_most=100, check=PAYLOAD),
        _ENVIRONMENT,
        Relation(malformed_variables),
        _secrets(frozenset()),
        Relation(shared_names),
        _REGISTRY_CREDENTIALS,
    ),
)

BAMBOO_AGENT: Table = (
    field("result_id", not_blank(255)),
    field("build_key", text(255)),
    field("server_url", matches(_URL, "an http:// or https:// URL of at most 2,048 characters")),
    field("sidekick_image", _IMAGE),
    field("image", _IMAGE),
    field("size", one_of(MAIN_SIZES, "a size from XSMALL to LARGE_8X")),
    Messages(name="extra_containers", counts=(0, 8), table=EXTRA_CONTAINER, reserved=RESERVED_NAMES),
    Relation(extra_links),
    field("queue_time", unset_or(between(0, LAST_MS)), attribute="queue_time_ms"),
    Messages(
        name="host_folder_mappings",
        counts=(0, 20),
        table=HOST_FOLDER_MAPPING,
        reserved=frozenset({BUILD_VOLUME}),
        key="volume_name",
    ),
    Relation(repeated_container_paths),
    _role("task_role_arn"),
    _role("execution_role_arn"),
    _ARCHITECTURE,
    _secrets(OWN_VARIABLES),
    _REGISTRY_CREDENTIALS,
)

_LIMIT = between(-1, MOST)

ULIMIT: Table = (
    field("name", one_of(ULIMITS, f"one of {', '.join(sorted(ULIMITS))}")),
    field("soft", _LIMIT),
    field("hard", _LIMIT),
    Relation(disordered_ulimit),
)

CONTAINER: Table = (
    field("name", _CONTAINER_NAME),
    field("image", _IMAGE),
    field("resources.cpu_units", between(0, 10_000_000), attribute="resources.cpu"),
    field("resources.memory_mib", between(LEAST_MEMORY_MIB, 100_000_000)),
    field("resources.gpus", between(0, 64)),
    Texts(name="command", at_most=100, check=PAYLOAD),
    _ENVIRONMENT,
    _secrets(frozenset({ATTEMPT_ID})),
    Relation(shared_names),
    _REGISTRY_CREDENTIALS,
    Relation(needless_privileges),
    Messages(name="ulimits", counts=(0, len(ULIMITS)), table=ULIMIT),
    PARTS,
)

CONTAINERS: Table = (
    Messages(name="containers", counts=(1, 10), table=CONTAINER),
    Relation(container_links),
    Relation(dependencies),
    _role("task_role_arn"),
    _role("execution_role_arn"),
    _ARCHITECTURE,
    VOLUMES,
    Relation(mounts),
)

_REQUEST_ID = field("request_id", matches(_UUID, "a UUID, as 8-4-4-4-12 hexadecimal digits"))

_TENANT = field(
    "tenant",
    matches(
        "[a-z0-9][a-z0-9-]{0,62}",
        "1 to 63 lower-case letters, digits and hyphens, not starting with a hyphen",
    ),
)

REQUEST: Table = (
    _REQUEST_ID,
    _TENANT,
    field("priority", between(-1_000, 1_000)),
    Entries(
        name="labels",
        at_most=32,
        key=matches("[A-Za-z0-9._/-]{1,63}", "1 to 63 letters, digits, `.`, `_`, `/` and `-`"),
        value=text(255),
    ),
)

TIMEOUTS: Table = (
    field("queue_timeout", unset_or(lasting(days=7)), attribute="timeouts.queue_ms"),
    field("start_timeout", unset_or(lasting(days=1)), attribute="timeouts.start_ms"),
    field("run_timeout", unset_or(lasting(days=30)), attribute="timeouts.run_ms"),
)
"""The request's fields behind its spec."""

SCALE: Table = (
    _REQUEST_ID,
    field("expiry", unset_or(lasting(days=30)), attribute="expiry_ms"),
)
"""What a client asks of `Scale`, apart from what depends on the group."""

RESERVED_RESOURCES: Table = (
    field("cpu_units", between(0, 10_000_000), attribute="cpu"),
    field("memory_mib", between(0, 100_000_000)),
    field("gpus", between(0, 64)),
)

RESERVE: Table = (
    _TENANT,
    field("build_key", not_blank(255)),
    Texts(name="result_ids", at_most=500, check=not_blank(255)),
    field("expiry", unset_or(lasting(days=1)), attribute="expiry_ms"),
)
"""What a client asks of `ReserveCapacity`, apart from the room itself."""

SPECS: Mapping[str, Table] = {"bamboo_agent": BAMBOO_AGENT, "containers": CONTAINERS}
"""The table of each kind of spec, by its field in the request."""
