"""Shapes: structures as boto3 gives and takes them, and the few conversions they need."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

Shape = dict[str, Any]
"""Keys as in AWS's API: camelCase in ECS and CloudWatch Logs, PascalCase in Auto Scaling and EC2."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=10_000)
def utc(time_ms: int) -> datetime:
    """The aware datetime that boto3 gives for a timestamp."""
    return _EPOCH + timedelta(milliseconds=time_ms)


def present(**members: Any) -> Shape:
    """A shape without its absent members: AWS leaves out what it does not know, it never answers null."""
    return {name: value for name, value in members.items() if value is not None}
