"""What the environment of an extra container tells of its own definition, in the Bamboo plugin's variables.

The variables are environment too: the container gets them like any other.
"""

import re
from collections.abc import Iterable

from scheduler.core.model.task import EnvironmentVariable, Ulimit

ULIMIT_OVERRIDE = "PBC_ULIMIT_OVERRIDE"
"""`name=soft` or `name=soft:hard`, separated by spaces."""

EXTRA_LINKS = "PBC_EXTRA_LINKS"
"""Names of containers beside it, each with `:alias` if wanted, separated by spaces."""

_ULIMIT = re.compile(r"(?P<name>[a-z]+)=(?P<soft>-1|[0-9]{1,10})(?::(?P<hard>-1|[0-9]{1,10}))?")


def ulimits(environment: Iterable[EnvironmentVariable]) -> tuple[Ulimit, ...]:
    """The limits that are told; validation has seen that all of them can be read."""
    return tuple([limit for word in words(environment, ULIMIT_OVERRIDE) if (limit := ulimit(word))])


def links(environment: Iterable[EnvironmentVariable]) -> tuple[str, ...]:
    """The links that are told."""
    return tuple(words(environment, EXTRA_LINKS))


def words(environment: Iterable[EnvironmentVariable], name: str) -> list[str]:
    """What a variable says, word by word; nothing if it is not set."""
    return [word for variable in environment if variable.name == name for word in variable.value.split()]


def ulimit(word: str) -> Ulimit | None:
    """`name=soft[:hard]` as a limit; None if it is none. Without a hard one the soft one is both."""
    match = _ULIMIT.fullmatch(word)
    if match is None:
        return None
    soft = int(match["soft"])
    return Ulimit(name=match["name"], soft=soft, hard=soft if match["hard"] is None else int(match["hard"]))
