"""The fingerprint of a request: what makes two requests with one id the same."""

import hashlib

from pydantic import TypeAdapter
from pydantic_core import to_json

from scheduler.core.model.task import BambooAgentSpec, ContainersSpec, TaskRequest

VERSION = "2"
"""Of the way in which requests are written below; a change of it makes old requests differ."""

_BAMBOO_AGENT = TypeAdapter(BambooAgentSpec)
_CONTAINERS = TypeAdapter(ContainersSpec)


def fingerprint(request: TaskRequest) -> str:
    """sha256 over everything that the client set, in hexadecimal.

    Canonical JSON: the spec in the order of its fields, and labels by key, because a map has no order. What
    is not set is left out of the spec, so that a field which is added later changes no request of before. It
    is written in compiled code: every accepted request pays for it.
    """
    fields = (
        VERSION,
        request.tenant,
        request.request_id,
        request.priority,
        sorted(request.labels.items()),
        request.timeouts,
        request.may_run_again,
    )
    return hashlib.sha256(to_json(fields) + _spec(request)).hexdigest()


def _spec(request: TaskRequest) -> bytes:
    # The fields that a spec must have tell which kind it is.
    if isinstance(request.spec, BambooAgentSpec):
        return _BAMBOO_AGENT.dump_json(request.spec, exclude_defaults=True)
    return _CONTAINERS.dump_json(request.spec, exclude_defaults=True)
