"""The verb: every violation of a request, in the order of its fields."""

from scheduler.core.model.errors import Violation
from scheduler.core.model.task import TaskRequest
from scheduler.core.validate.overrides_size import (
    ALLOWED_CHARACTERS,
    characters_at_most,
    overrides_characters,
)
from scheduler.core.validate.rows import judge_all
from scheduler.core.validate.rules import REQUEST, SPECS, TIMEOUTS


def validate(request: TaskRequest) -> tuple[Violation, ...]:
    """All that is wrong with the request: nothing if it is valid. A whole spec comes after its fields."""
    found: list[Violation] = []
    judge_all(REQUEST, request, "", found)
    spec = request.spec
    judge_all(SPECS[spec.kind], spec, f"{spec.kind}.", found)
    if characters_at_most(spec) > ALLOWED_CHARACTERS:
        _judge_overrides(request, found)
    judge_all(TIMEOUTS, request, "", found)
    return tuple(found)


def _judge_overrides(request: TaskRequest, found: list[Violation]) -> None:
    measured = overrides_characters(request.spec)
    if measured > ALLOWED_CHARACTERS:
        expected = (
            f"commands and environment of at most {ALLOWED_CHARACTERS:,} characters as JSON "
            f"(ECS's limit on overrides), not {measured:,}"
        )
        found.append(Violation(field_path=request.spec.kind, expected=expected))
