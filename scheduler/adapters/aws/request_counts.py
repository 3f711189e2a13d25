"""Counts of what is really sent to AWS: every attempt by its operation, the SDK's own retries included."""

from typing import Any

import boto3
from botocore.exceptions import ClientError

from scheduler.adapters.aws.failures import failure_of
from scheduler.ports.telemetry import Metric, Sample, Telemetry

_ATTEMPT_ENDED = "response-received"
"""botocore emits it once an attempt, with an answer or with what went wrong (botocore.endpoint)."""


def count_requests(session: boto3.Session, telemetry: Telemetry) -> None:
    """Tells `telemetry` of every attempt of every client that the session makes from now on."""

    def ended(event_name: str, **result: Any) -> None:
        operation = event_name.rpartition(".")[2]
        telemetry.offer(Sample(Metric.AWS_CALLS, 1, operation))
        error = _error(result, operation)
        if error is not None:
            metric = Metric.AWS_THROTTLES if failure_of(error).throttled else Metric.AWS_ERRORS
            telemetry.offer(Sample(metric, 1, operation))

    session.events.register(_ATTEMPT_ENDED, ended)


def _error(result: dict[str, Any], operation: str) -> Exception | None:
    exception = result.get("exception")
    if isinstance(exception, Exception):
        return exception
    parsed: Any = result.get("parsed_response")
    return ClientError(parsed, operation) if parsed and "Error" in parsed else None
