"""Allow-lists: what of its surroundings the service gives to requests that ask for it."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple


class HostFolder(NamedTuple):
    """Something of the container instance that tenants may mount, at one path in the container.

    `source` is a folder's path, or the name of a shared Docker volume, as in Docker's own `-v source:path`.
    """

    source: str
    container_path: str
    tenants: str = "*"


METRICS_FOLDER = HostFolder("/var/lib/docker/buildeng-metrics", "/buildeng-metrics")
"""Where agents of the system that this one replaces leave what they measure, outside and inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowLists:
    """What requests may name. Roles and tenants are patterns, in which `*` stands for anything.

    The service's own roles are always allowed. Of `privileged_tenants` everybody is the default: until
    somebody vouches for a tenant it is only a claim, and a list of claims would promise what it cannot keep.
    """

    host_folders: tuple[HostFolder, ...] = (METRICS_FOLDER,)
    task_roles: tuple[str, ...] = ()
    execution_roles: tuple[str, ...] = ()
    privileged_tenants: tuple[str, ...] = ("*",)


DEFAULT_ALLOW_LISTS = AllowLists()
"""What is allowed where nobody has said otherwise."""


@lru_cache(maxsize=1_000)  # tenants and roles are few, and each request asks
def is_among(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns is the name's."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
