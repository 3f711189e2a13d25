"""Docker-in-docker: which images are it, and what its daemon is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.agents.docker_in_docker import command, image_to_run, is_docker_in_docker

WORDS = st.sampled_from(["dockerd", "--debug", "-D", "--host=tcp://0.0.0.0:2375", "--", "value"])
STORAGE = st.sampled_from(
    [
        ("-s", "vfs"),
        ("-s=vfs",),
        ("-svfs",),
        ("--storage-driver", "vfs"),
        ("--storage-driver=vfs",),
        ("--storage-opt", "a=b"),
        ("--storage-opt=a=b",),
    ]
)


@pytest.mark.parametrize(
    "image",
    [
        "docker:dind",
        " docker:20-dind\n",
        "docker:20.10.7-dind",
        "library/docker:dind",
        "registry.example:5000/team/docker:23-dind",
        "docker:dind@sha256:" + "0" * 64,
    ],
)
def test_it_is_told_by_repository_and_tag(image: str) -> None:
    """In whichever registry, pinned to a digest or not."""
    assert is_docker_in_docker(image)


@pytest.mark.parametrize(
    "image",
    [
        "docker",
        "docker:1.12",
        "dockery:dind",
        "mydocker:dind",
        "docker/other:dind",
        "dind",
        "docker:dind-x",
        "",
    ],
)
def test_other_images_are_not(image: str) -> None:
    """A name that only looks like it has no privileges."""
    assert not is_docker_in_docker(image)


@given(st.lists(st.tuples(st.booleans(), WORDS, STORAGE), max_size=6))
def test_flags_of_storage_go_and_nothing_else(parts: list[tuple[bool, str, tuple[str, ...]]]) -> None:
    """However they are written and wherever they stand, in order, and the right driver comes last."""
    given_ = [word for of_storage, other, flag in parts for word in (flag if of_storage else (other,))]
    kept = tuple(other for of_storage, other, _ in parts if not of_storage)
    assert command(given_, "overlay2") == (*kept, "--storage-driver=overlay2")


@pytest.mark.parametrize("flag", ["-s", "--storage-driver", "--storage-opt"])
def test_a_flag_without_its_value_takes_no_neighbour(flag: str) -> None:
    """What follows is a flag of its own, or nothing."""
    assert command([flag, "--debug"], "x") == ("--debug", "--storage-driver=x")
    assert command(["--debug", flag], "x") == ("--debug", "--storage-driver=x")


def test_old_images_are_replaced() -> None:
    """By the operator's list, and only docker-in-docker."""
    overrides = {"docker:1.11-dind": "docker:23-dind", "other:1": "other:2"}
    assert image_to_run(" docker:1.11-dind ", overrides) == "docker:23-dind"
    assert image_to_run("docker:20-dind", overrides) == "docker:20-dind"
    assert image_to_run("other:1", overrides) == "other:1"
