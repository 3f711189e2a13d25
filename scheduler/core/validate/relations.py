"""Relations: what must hold between several fields, or inside of one text."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduler.core.agents.docker_in_docker import is_docker_in_docker
from scheduler.core.agents.pbc import EXTRA_LINKS, ULIMIT_OVERRIDE, ulimit
from scheduler.core.model.errors import Violation
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainersSpec,
    ExtraContainer,
    Ulimit,
)

Broken = Iterable[tuple[str, str]]
"""The path of a field inside the message, and what was expected of it."""

HOLDS: Broken = ()
"""Said at once where there is nothing to look at, as in nearly every request: each of them pays for it."""

ULIMITS = frozenset(
    {
        *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc"),
        *("rss", "rtprio", "rttime", "sigpending", "stack"),
    }
)
"""Limits that ECS knows (ECS API: Ulimit, name)."""

MOST = 2**31 - 1
"""A limit is an integer of 32 bits (ECS API: Ulimit)."""

_ALIAS = re.compile("[A-Za-z0-9_-]{1,255}")
_ULIMIT_EXPECTED = f"`name=soft` or `name=soft:hard` with a limit that ECS knows, -1 to {MOST}, soft <= hard"
_LINK_EXPECTED = "`name` or `name:alias` of another container beside it, each once"


@dataclass(frozen=True, slots=True)
class Relation:
    """A row that looks at more than one field; `broken` is given the message."""

    broken: Callable[[Any], Broken]

    def judge(self, message: Any, path: str, found: list[Violation]) -> None:
        """Appends a violation for each place where it does not hold."""
        if broken := self.broken(message):
            found += [Violation(field_path=path + inner, expected=expected) for inner, expected in broken]


def shared_names(container: Container | ExtraContainer) -> Broken:
    """ECS refuses a secret with the name of a variable (ECS API: Secret, name)."""
    if not container.secrets:
        return HOLDS
    taken = {variable.name for variable in container.environment}
    return [
        (f"secrets[{index}].name", "a name that no environment variable has")
        for index, secret in enumerate(container.secrets)
        if secret.name in taken
    ]


def repeated_container_paths(spec: BambooAgentSpec) -> Broken:
    """Of two volumes on one path only one would be seen."""
    if not spec.host_folder_mappings:
        return HOLDS
    paths = [each.container_path for each in spec.host_folder_mappings]
    return [
        (f"host_folder_mappings[{index}].container_path", "a path that is not taken")
        for index, path in enumerate(paths)
        if path in paths[:index]
    ]


def needless_privileges(container: Container) -> Broken:
    """Privileges are for docker-in-docker alone: whoever has them is root on the container instance."""
    if not container.privileged or is_docker_in_docker(container.image):
        return HOLDS
    return (("privileged", "false, or an image of repository `docker` with a tag that ends in `dind`"),)


def disordered_ulimit(limit: Ulimit) -> Broken:
    """The soft limit is what a process has, the hard one how far it may raise it."""
    return HOLDS if _is_ordered(limit) else (("soft", "at most the hard limit"),)


def malformed_variables(extra: ExtraContainer) -> Broken:
    """The variable that tells an extra container's limits."""
    return [
        (f"environment[{index}].value", f"{_ULIMIT_EXPECTED}, separated by spaces, each limit once")
        for index, variable in enumerate(extra.environment)
        if variable.name == ULIMIT_OVERRIDE and not _are_ulimits(variable.value.split())
    ]


def extra_links(spec: BambooAgentSpec) -> Broken:
    """Links between extra containers. None may lead to the agent, which is linked to all of them."""
    told = {
        extra.name: (f"extra_containers[{index}].environment[{at}].value", variable.value.split())
        for index, extra in enumerate(spec.extra_containers)
        for at, variable in enumerate(extra.environment)
        if variable.name == EXTRA_LINKS
    }
    return _bad_links({each.name for each in spec.extra_containers}, told) if told else HOLDS


def container_links(spec: ContainersSpec) -> Broken:
    """Links between the containers of a plain list."""
    told = {
        each.name: (f"containers[{index}].links", each.links)
        for index, each in enumerate(spec.containers)
        if each.links
    }
    return _bad_links({each.name for each in spec.containers}, told) if told else HOLDS


def _bad_links(names: set[str], told: Mapping[str, tuple[str, Sequence[str]]]) -> Iterator[tuple[str, str]]:
    """Docker starts a container after those that it is linked to: a circle can never start."""
    targets = {name: [link.partition(":")[0] for link in links] for name, (_, links) in told.items()}
    for name, (path, links) in told.items():
        if not _are_links(name, links, names):
            yield path, _LINK_EXPECTED
        elif name in reached_from(name, targets):
            yield path, "links that do not lead back to the container"


def _are_links(name: str, links: Sequence[str], names: set[str]) -> bool:
    parts = [link.partition(":") for link in links]
    known = all(target in names and target != name for target, _, _ in parts)
    aliases = [alias or target for target, _, alias in parts]
    well_formed = all(_ALIAS.fullmatch(alias) if colon else True for _, colon, alias in parts)
    return known and well_formed and len(set(aliases)) == len(aliases)


def reached_from(start: str, targets: Mapping[str, Sequence[str]]) -> set[str]:
    """Whatever links lead to, over however many containers; `start` itself if they lead back to it."""
    reached: set[str] = set()
    ahead = list(targets.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += targets.get(name, ())
    return reached


def _are_ulimits(words: Sequence[str]) -> bool:
    limits = [limit for word in words if (limit := ulimit(word)) and _is_known(limit)]
    return len({limit.name for limit in limits}) == len(words)


def _is_known(limit: Ulimit) -> bool:
    return limit.name in ULIMITS and max(limit.soft, limit.hard) <= MOST and _is_ordered(limit)


def _is_ordered(limit: Ulimit) -> bool:
    return limit.hard == -1 or -1 < limit.soft <= limit.hard
