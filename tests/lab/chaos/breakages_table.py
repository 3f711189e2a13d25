"""All breakages, by name."""

from collections.abc import Mapping

from tests.lab.chaos import (
    breakages_of_builds,
    breakages_of_capacity,
    breakages_of_memory,
    breakages_of_tasks,
)
from tests.lab.chaos.breakages import Breakage

BREAKAGES: Mapping[str, Breakage] = {
    each.name: each
    for each in (
        *breakages_of_tasks.TABLE,
        *breakages_of_capacity.TABLE,
        *breakages_of_memory.TABLE,
        *breakages_of_builds.TABLE,
    )
}
