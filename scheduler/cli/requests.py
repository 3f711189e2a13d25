"""Requests: from options or from a file of proto-JSON to ScheduleRequest messages."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer
from google.protobuf import json_format

from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from ecs_scheduler.v1.task_spec_pb2 import BambooAgentSpec, Container, ContainersSpec

# The image is greedy: it may hold a port and a tag of its own, so CPU and memory are what comes last.
_CONTAINER = re.compile(r"(?P<name>[^=]+)=(?P<image>.+):(?P<cpu>[0-9]+):(?P<memory>[0-9]+)")

_BYTE_ORDER_MARK = "\ufeff"

# json_format quotes what it finds where a list should be.
_FOUND = re.compile(r" which is .*(?= at )", re.DOTALL)


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
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        # Not splitlines(): a JSON string may hold what Unicode calls the end of a line (RFC 8259, section 7).
        lines = content.decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--file: {error}") from error
    return [
        Numbered(place=f"line {number}", request=_parsed(line, number))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


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
        raise typer.BadParameter(f"--bamboo: {_said_of(error)}") from error


def _parsed(line: str, number: int) -> ScheduleRequest:
    if line.startswith(_BYTE_ORDER_MARK):
        raise typer.BadParameter(
            f"--file, line {number}: begins with a byte order mark; save the file without"
        )
    if not line.lstrip().startswith("{"):
        raise typer.BadParameter(f"--file, line {number}: expected a JSON object")
    try:
        return json_format.Parse(line, ScheduleRequest())
    except json_format.ParseError as error:
        raise typer.BadParameter(f"--file, line {number}: {_said_of(error)}") from error


def _said_of(error: json_format.ParseError) -> str:
    """What is wrong, without what was found in a list's place: an environment written as a map, say."""
    return _FOUND.sub("", str(error))


def _container(text: str) -> Container:
    match = _CONTAINER.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"--container: expected NAME=IMAGE:CPU_UNITS:MEMORY_MIB, not {text!r}")
    try:
        amount = Resources(cpu_units=int(match["cpu"]), memory_mib=int(match["memory"]))
    except ValueError as error:  # more than 64 bits, or more digits than Python reads
        raise typer.BadParameter(f"--container: {error}") from error
    return Container(name=match["name"], image=match["image"], resources=amount)
