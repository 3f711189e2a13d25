"""Docker-in-docker: an extra container in which a build runs containers of its own.

It needs privileges, the agent needs its address, and its daemon needs the storage driver that suits the
container instance underneath: a user's own choice works on some instances and breaks builds on others.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

PORT = 2375
"""Where its daemon listens without TLS (Docker docs: dockerd, daemon socket option)."""

_STORAGE_DRIVER = "--storage-driver"
_FLAGS = ("-s", _STORAGE_DRIVER, "--storage-opt")


@lru_cache(maxsize=1_000)  # images are few, and each request asks several times
def is_docker_in_docker(image: str) -> bool:
    """Whether the repository's name is `docker` and the tag ends in `dind`, in whichever registry."""
    reference, _, _ = image.strip().partition("@")
    repository, _, tag = reference.rpartition(":")
    return repository.rpartition("/")[2] == "docker" and tag.endswith("dind")


def image_to_run(image: str, overrides: Mapping[str, str]) -> str:
    """The image that stands in for an old one, else the image itself."""
    bare = image.strip()
    return overrides.get(bare, bare) if is_docker_in_docker(bare) else bare


def command(given: Iterable[str], storage_driver: str) -> tuple[str, ...]:
    """The daemon's arguments with this storage driver in the place of the user's choice."""
    return (*_without_storage(given), f"{_STORAGE_DRIVER}={storage_driver}")


def _without_storage(given: Iterable[str]) -> Iterable[str]:
    value_follows = False
    for argument in given:
        # A flag is never a value: one that lacks its own must not take its neighbour along.
        is_value = value_follows and not argument.startswith("-")
        value_follows = not is_value and argument in _FLAGS
        if not (is_value or value_follows or _is_whole(argument)):
            yield argument


def _is_whole(argument: str) -> bool:
    """Flag and value in one argument: `--storage-driver=vfs`, `-s=vfs`, `-svfs`."""
    name, has_value, _ = argument.partition("=")
    return (bool(has_value) and name in _FLAGS) or argument.startswith("-s")
