"""The fingerprint of a request: what makes two requests with one id the same."""

import hashlib

from pydantic_core import to_json

from scheduler.core.model.task import TaskRequest

VERSION = "1"
"""Of the way in which requests are written below; a change of it makes old requests differ."""


def fingerprint(request: TaskRequest) -> str:
    """sha256 over everything that the client set, in hexadecimal.

    Canonical JSON: the spec in the order of its fields, and labels by key, because a map has no order. It is
    written in compiled code: every accepted request pays for it.
    """
    labels = sorted(request.labels.items())
    fields = (
        VERSION,
        request.tenant,
        request.request_id,
        request.priority,
        labels,
        request.spec,
        request.timeouts,
        request.may_run_again,
    )
    return hashlib.sha256(to_json(fields)).hexdigest()
