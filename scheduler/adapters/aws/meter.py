"""The meter: how many requests a call has cost. AWS's buckets count these, and know nothing of our calls."""

from dataclasses import fields, replace
from threading import local
from typing import Any

from botocore.exceptions import ClientError

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.operations import Shape


class Meter(local):
    """Counts by itself for each thread: a thread carries out one call at a time."""

    requests: int = 0


class _MeteredClient:
    """A client whose requests are counted, those that the SDK repeats by itself included."""

    def __init__(self, client: object, meter: Meter) -> None:
        self._client = client
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def metered(**params: Any) -> Shape:
            self._meter.requests += 1
            try:
                answer: Shape = operation(**params)
            except ClientError as error:
                self._meter.requests += _repeats(error.response)
                raise
            self._meter.requests += _repeats(answer)
            return answer

        return metered


def metered(clients: AwsClients, meter: Meter) -> AwsClients:
    """The same clients, counted by `meter`."""
    names = [each.name for each in fields(clients) if each.name != "region"]
    counted: dict[str, Any] = {name: _MeteredClient(getattr(clients, name), meter) for name in names}
    return replace(clients, **counted)


def _repeats(answer: Any) -> int:
    """How often botocore sent it again, in its own words; a connection that broke leaves none."""
    return int(answer.get("ResponseMetadata", {}).get("RetryAttempts", 0))
