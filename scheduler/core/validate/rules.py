"""The rules: one table for each message, in the order of the protos' fields, with the protos' limits."""

from collections.abc import Mapping

from scheduler.core.agents.bamboo import RESERVED_NAMES
from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES
from scheduler.core.validate.checks import (
    between,
    lasting,
    matches,
    not_blank,
    one_of,
    payload,
    text,
    unset_or,
)
from scheduler.core.validate.rows import Entries, Messages, Table, Texts, field

LAST_MS = 253_402_300_799_999
"""The end of the year 9999, where a protobuf Timestamp ends too."""

_UUID = "-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12))
_URL = r"(?=.{1,2048}\Z)https?://[^\s/?#\x00-\x1f\x7f-\x9f][^\s\x00-\x1f\x7f-\x9f]*"

_IMAGE = not_blank(255)
_CONTAINER_NAME = matches(r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, `-` and `_`")
# Beyond this the overrides could not hold it (ECS API: StartTask, overrides).
_PAYLOAD = payload(8_192)

ENVIRONMENT_VARIABLE: Table = (
    field("name", matches(r"[A-Za-z_][A-Za-z0-9_]{0,254}", "[A-Za-z_][A-Za-z0-9_]*, at most 255 characters")),
    field("value", _PAYLOAD),
)

_ENVIRONMENT = Messages(name="environment", counts=(0, 100), table=ENVIRONMENT_VARIABLE)

EXTRA_CONTAINER: Table = (
    field("name", _CONTAINER_NAME),
    field("image", _IMAGE),
    field("size", one_of(EXTRA_SIZES, "a size from SMALL to LARGE_8X")),
    Texts(name="commands", at_most=100, check=_PAYLOAD),
    _ENVIRONMENT,
)

BAMBOO_AGENT: Table = (
    field("result_id", not_blank(255)),
    field("build_key", text(255)),
    field("server_url", matches(_URL, "an http:// or https:// URL of at most 2,048 characters")),
    field("sidekick_image", _IMAGE),
    field("image", _IMAGE),
    field("size", one_of(MAIN_SIZES, "a size from XSMALL to LARGE_8X")),
    Messages(name="extra_containers", counts=(0, 8), table=EXTRA_CONTAINER, reserved=RESERVED_NAMES),
    field("queue_time", unset_or(between(0, LAST_MS)), attribute="queue_time_ms"),
)

CONTAINER: Table = (
    field("name", _CONTAINER_NAME),
    field("image", _IMAGE),
    field("resources.cpu_units", between(0, 10_000_000), attribute="resources.cpu"),
    # ECS refuses a container below 4 MiB (ECS API: ContainerDefinition, memoryReservation).
    field("resources.memory_mib", between(4, 100_000_000)),
    field("resources.gpus", between(0, 64)),
    Texts(name="command", at_most=100, check=_PAYLOAD),
    _ENVIRONMENT,
)

CONTAINERS: Table = (Messages(name="containers", counts=(1, 10), table=CONTAINER),)

_REQUEST_ID = field("request_id", matches(_UUID, "a UUID, as 8-4-4-4-12 hexadecimal digits"))

REQUEST: Table = (
    _REQUEST_ID,
    field(
        "tenant",
        matches(
            "[a-z0-9][a-z0-9-]{0,62}",
            "1 to 63 lower-case letters, digits and hyphens, not starting with a hyphen",
        ),
    ),
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

SPECS: Mapping[str, Table] = {"bamboo_agent": BAMBOO_AGENT, "containers": CONTAINERS}
"""The table of each kind of spec, by its field in the request."""
