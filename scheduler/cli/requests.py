"""Requests: from options or from a file of proto-JSON to ScheduleRequest messages."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from google.protobuf import json_format

from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from ecs_scheduler.v1.task_spec_pb2 import BambooAgentSpec, Container, ContainersSpec

# The image is greedy: it may hold a port and a tag of its own, so CPU and memory are what comes last.
_CONTAINER = re.compile(r"(?P<name>[^=]+)=(?P<image>.+):(?P<cpu>\d+):(?P<memory>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A request and where it was read, as complaints name it."""

    place: str
    request: ScheduleRequest


def read_requests(path: str) -> list[Numbered]:
    """One ScheduleRequest as proto-JSON on each line that is not blank; `-` is stdin.

    Raises typer.BadParameter, naming the line.
    """
    try:
        lines = sys.stdin.readlines() if path == "-" else Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--file: {error}") from error
    return list(_parsed(lines))


def containers_spec(containers: Iterable[str], environment: dict[str, str]) -> ContainersSpec:
    """The spec of `name=image:cpu:mem` texts; the environment is the main container's."""
    spec = ContainersSpec(containers=[_container(text) for text in containers])
    for name, value in environment.items():
        spec.containers[0].environment.add(name=name, value=value)
    return spec


def bamboo_spec(text: str) -> BambooAgentSpec:
    """The spec in proto-JSON."""
    try:
        return json_format.Parse(text, BambooAgentSpec())
    except json_format.ParseError as error:
        raise typer.BadParameter(f"--bamboo: {error}") from error


def _parsed(lines: Iterable[str]) -> Iterator[Numbered]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            request = json_format.Parse(line, ScheduleRequest())
        except json_format.ParseError as error:
            raise typer.BadParameter(f"--file, line {number}: {error}") from error
        yield Numbered(place=f"line {number}", request=request)


def _container(text: str) -> Container:
    match = _CONTAINER.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"--container: expected NAME=IMAGE:CPU_UNITS:MEMORY_MIB, not {text!r}")
    amount = Resources(cpu_units=int(match["cpu"]), memory_mib=int(match["memory"]))
    return Container(name=match["name"], image=match["image"], resources=amount)
