"""The cast: as many agents as are asked for, from the file that comes with the program."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import count, islice

from google.protobuf import json_format

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest


def agents(number: int) -> list[ScheduleRequest]:
    """The file's agents, again and again, each time under ids of their own."""
    return list(islice(_endless(), number))


def _endless() -> Iterator[ScheduleRequest]:
    lines = files("scheduler.cli").joinpath("examples", "agents.jsonl").read_text("utf-8").splitlines()
    for turn in count():
        for line in lines:
            yield _of_turn(json_format.Parse(line, ScheduleRequest()), turn, len(lines))


def _of_turn(request: ScheduleRequest, turn: int, agents_a_turn: int) -> ScheduleRequest:
    """The same job, built once more: Bamboo counts its builds, and each result has an id of its own."""
    request.request_id = f"5eed{turn:04x}{request.request_id[8:]}"
    job, _, build = request.bamboo_agent.result_id.rpartition("-")
    request.bamboo_agent.result_id = f"{job}-{int(build) + turn * agents_a_turn}"
    return request
