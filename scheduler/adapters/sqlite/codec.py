"""The JSON of nouns, as the store keeps it.

pydantic's TypeAdapter reads and writes the frozen dataclasses in compiled code: 9 us for a spec with two
extra containers, 2 us for an attempt. What has its default is left out: nearly all of a spec is not set, and
each byte is written twice. Keys that a newer version added are ignored when read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic_core import from_json, to_json

from scheduler.core.model.attempt import Attempt, StopReason
from scheduler.core.model.scaling import ScaleWish, ScalingEvent
from scheduler.core.model.task import TaskSpec, TaskState, TaskStatus

MASK = "***"
"""What stands for an environment value where the value itself must not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an event keeps: the task's status as of then, and its attempt as of then."""

    previous_state: TaskState | None
    status: TaskStatus
    attempt: Attempt | None


_SPEC: TypeAdapter[TaskSpec] = TypeAdapter(Annotated[TaskSpec, Field(discriminator="kind")])
_ATTEMPT = TypeAdapter(Attempt)
_ATTEMPTS = TypeAdapter(tuple[Attempt, ...])
_STOP_REASON = TypeAdapter(StopReason)
_CHANGE = TypeAdapter(Change)
_SCALING_EVENT = TypeAdapter(ScalingEvent)
_WISH = TypeAdapter(ScaleWish)


def text(value: Any) -> str:
    """JSON of plain lists, tuples, mappings, strings and numbers."""
    return to_json(value).decode()


def plain(json: str) -> Any:
    """The plain value behind JSON that `text` or SQLite wrote."""
    return from_json(json)


def attempt_text(attempt: Attempt) -> str:
    """JSON of an attempt."""
    return _ATTEMPT.dump_json(attempt, exclude_defaults=True).decode()


def attempt_of(json: str) -> Attempt:
    """The attempt behind its JSON."""
    return _ATTEMPT.validate_json(json)


def attempts_of(json: str) -> tuple[Attempt, ...]:
    """The attempts behind a JSON array."""
    return _ATTEMPTS.validate_json(json)


def stop_reason_text(reason: StopReason | None) -> str | None:
    """JSON of a stop reason, None for none."""
    return None if reason is None else _STOP_REASON.dump_json(reason).decode()


def stop_reason_of(json: str | None) -> StopReason | None:
    """The stop reason behind its JSON."""
    return None if json is None else _STOP_REASON.validate_json(json)


def change_text(change: Change) -> str:
    """JSON of what an event keeps."""
    return _CHANGE.dump_json(change, exclude_defaults=True).decode()


def change_of(json: str) -> Change:
    """What an event keeps, from its JSON."""
    return _CHANGE.validate_json(json)


def scaling_event_text(event: ScalingEvent) -> str:
    """JSON of a scaling event."""
    return _SCALING_EVENT.dump_json(event).decode()


def scaling_event_of(json: str) -> ScalingEvent:
    """The scaling event behind its JSON."""
    return _SCALING_EVENT.validate_json(json)


def wish_text(wish: ScaleWish) -> str:
    """JSON of an operator's wish."""
    return _WISH.dump_json(wish).decode()


def wish_of(json: str) -> ScaleWish:
    """The wish behind its JSON."""
    return _WISH.validate_json(json)


def spec_text(spec: TaskSpec) -> tuple[str, list[str]]:
    """JSON of a spec without its secrets, and the secrets in their order."""
    fields = _SPEC.dump_python(spec, mode="json", exclude_defaults=True)
    fields["kind"] = spec.kind  # by which it is read
    variables = list(_environment(fields))
    secrets = [variable["value"] for variable in variables]
    for variable in variables:
        variable["value"] = MASK
    return text(fields), secrets


def spec_of(json: str, secrets: list[str] | None) -> TaskSpec:
    """The spec behind its JSON, with its secrets put back; masked if they are gone."""
    if secrets is None:
        return _SPEC.validate_json(json)
    fields = plain(json)
    for variable, value in zip(_environment(fields), secrets, strict=True):
        variable["value"] = value
    return _SPEC.validate_python(fields)


def _environment(spec_fields: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Every environment variable of a dumped spec, of whichever kind, in order."""
    for container in (*spec_fields.get("containers", ()), *spec_fields.get("extra_containers", ())):
        yield from container.get("environment", ())
