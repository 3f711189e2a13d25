"""What simulated containers do: what their environment says, else drawn from the seed."""

import re
from collections.abc import Iterable, Iterator
from random import Random

from scheduler.simulated_aws.settings import RangeMs, SimulationSettings
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.tasks import Work

_DIGITS = re.compile(r"[0-9]{1,12}")
_LONGEST_RUN_MS = 31_536_000_000  # a year
_LAST_EXIT_CODE = 255  # POSIX: wait, eight bits


def work_of(
    environment: dict[str, str], settings: SimulationSettings, *, range_ms: RangeMs, drawn_for: str
) -> Work:
    """What a container with this environment does; drawn for the same, it is the same in every replay."""
    run_ms = _number(environment.get("SIMULATED_RUN_MS"), _LONGEST_RUN_MS)
    if run_ms is None:
        run_ms = Random(f"{settings.seed}/{drawn_for}").randint(*range_ms)
    exit_code = _number(environment.get("SIMULATED_EXIT_CODE"), _LAST_EXIT_CODE)
    return Work(
        run_ms=run_ms,
        exit_code=settings.exit_code if exit_code is None else exit_code,
        start_failure=environment.get("SIMULATED_START_FAILURE"),
        healthy=environment.get("SIMULATED_HEALTH") != "UNHEALTHY",
    )


def environment_of(containers: Iterable[Shape]) -> dict[str, str]:
    """The variables of these containers, or overrides; of two with one name the last one's."""
    return dict(_pairs(containers))


def _pairs(containers: Iterable[Shape]) -> Iterator[tuple[str, str]]:
    for container in containers:
        for variable in container.get("environment", ()):
            yield variable["name"], variable["value"]


def _number(text: str | None, most: int) -> int | None:
    """A number from 0 to `most`. Anything else is none: AWS would not refuse a task for its environment."""
    if text is None or not _DIGITS.fullmatch(text) or int(text) > most:
        return None
    return int(text)
