"""The logs port on CloudWatch Logs: where a container logs, and a page of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from scheduler.adapters.aws.failures import cloud_errors, failure_of, is_denied
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.texts import scrubbed
from scheduler.core.model.answers import Failure
from scheduler.ports.logs import (
    LogLine,
    LogPage,
    LogPlace,
    LogPlaceGone,
    LogsDenied,
    LogsNotReadable,
    LogSource,
    LogStreamMissing,
)

DEFINITIONS_REMEMBERED = 1_000
"""Revisions never change; a CI server has some hundred of them in use."""

_MISSING = "ResourceNotFoundException"
# An InvalidParameterException stands for whatever else is wrong with a request too.
_TOKEN_REFUSED = "nextToken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where one container's log driver writes: region, group and stream."""

    region: str
    group: str
    stream: str


class AwsContainerLogs:
    """Reads through `clients`; any thread may call."""

    def __init__(self, clients: LogClients) -> None:
        self._clients = clients
        self._configurations: dict[str, Mapping[str, Shape]] = {}

    def read(self, source: LogSource, place: LogPlace, limit: int) -> LogPage:
        """`logs:GetLogEvents`, and before the first of a revision `ecs:DescribeTaskDefinition`."""
        to = self._destination(source)
        params: dict[str, Any] = {"nextToken": place.token} if place.token else {}
        with cloud_errors():
            try:
                answer = self._clients.logs_in(to.region).get_log_events(
                    logGroupName=to.group,
                    logStreamName=to.stream,
                    limit=limit if place.last is None else max(1, min(place.last, limit)),
                    startFromHead=place.last is None,
                    **params,
                )
            except ClientError as error:
                raise _meaning(error, failure_of(error), place) from error
            return _page(answer, place)

    def _destination(self, source: LogSource) -> Destination:
        configuration = self._configured(source.task_definition_arn).get(source.container)
        if configuration is None:
            raise LogsNotReadable(f"the task definition has no container {source.container}")
        return destination(configuration, source, self._clients.region)

    def _configured(self, definition_arn: str) -> Mapping[str, Shape]:
        """The log configuration of each container of a revision; none where it has none of its own."""
        known = self._configurations.get(definition_arn)
        if known is None:
            known = self._read_definition(definition_arn)
            # Another thread may clear at any time: what is returned is not looked up again.
            if len(self._configurations) >= DEFINITIONS_REMEMBERED:
                self._configurations.clear()
            self._configurations[definition_arn] = known
        return known

    def _read_definition(self, definition_arn: str) -> Mapping[str, Shape]:
        with cloud_errors():
            try:
                answer = self._clients.ecs.describe_task_definition(taskDefinition=definition_arn)
            except ClientError as error:
                if is_denied(failure_of(error)):
                    raise LogsDenied("ecs:DescribeTaskDefinition") from error
                raise
            containers = answer["taskDefinition"]["containerDefinitions"]
            return {each["name"]: each.get("logConfiguration", {}) for each in containers}


def destination(configuration: Shape, source: LogSource, region: str) -> Destination:
    """Where awslogs writes to: `prefix/container/task id` (ECS Developer Guide: Using the awslogs driver).

    The id is the last part of the ARN, which also names the cluster in between. Raises LogsNotReadable.
    """
    driver = configuration.get("logDriver")
    if driver != "awslogs":
        where = f"with the log driver {driver}" if driver else "where its container instance sends it"
        raise LogsNotReadable(f"container {source.container} logs {where}; only awslogs can be read")
    options = configuration.get("options", {})
    if not options.get("awslogs-stream-prefix"):
        raise LogsNotReadable("awslogs-stream-prefix is not set: the stream cannot be told from the task")
    task_id = source.ecs_task_arn.rpartition("/")[2]
    return Destination(
        region=options.get("awslogs-region") or region,
        group=options.get("awslogs-group", ""),
        stream=f"{options['awslogs-stream-prefix']}/{source.container}/{task_id}",
    )


def _meaning(error: ClientError, failure: Failure, place: LogPlace) -> Exception:
    if failure.code == _MISSING:
        return LogStreamMissing(failure.message)
    if is_denied(failure):
        return LogsDenied("logs:GetLogEvents")
    if place.token and failure.code == "InvalidParameterException" and _TOKEN_REFUSED in failure.message:
        return LogPlaceGone(failure.message)
    return error


def _page(answer: Shape, place: LogPlace) -> LogPage:
    # Zero events cannot be asked for: one was, for the place behind it.
    events = () if place.last == 0 else answer["events"]
    lines = (LogLine(time_ms=each["timestamp"], text=scrubbed(each["message"])) for each in events)
    return LogPage(lines=tuple(lines), token=answer["nextForwardToken"])
