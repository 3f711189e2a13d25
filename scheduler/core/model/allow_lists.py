"""Allow-lists: what of its surroundings the service gives to requests that ask for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

METRICS_FOLDER = ("/var/lib/docker/buildeng-metrics", "/buildeng-metrics")
"""Where agents of the system that this one replaces leave what they measure, outside and inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowLists:
    """What requests may name. Roles and tenants are patterns, in which `*` stands for anything.

    `host_folders` are pairs of a path on the container instance and one in the container. The service's own
    roles are always allowed. Of `privileged_tenants` everybody is the default: until somebody vouches for a
    tenant it is only a claim, and a list of claims would promise what it cannot keep.
    """

    host_folders: tuple[tuple[str, str], ...] = (METRICS_FOLDER,)
    task_roles: tuple[str, ...] = ()
    execution_roles: tuple[str, ...] = ()
    privileged_tenants: tuple[str, ...] = ("*",)


DEFAULT_ALLOW_LISTS = AllowLists()
"""What is allowed where nobody has said otherwise."""


def is_among(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is the name's."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
