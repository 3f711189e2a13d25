"""Page tokens: where a listing goes on, in one store and under one filter."""

import json
import re
from hashlib import sha256

from scheduler.api.opaque import opened, sealed
from scheduler.core.model.errors import Violation
from scheduler.ports.store import TaskFilter
from scheduler.services.errors import InvalidRequest

# epoch : filter : last task listed. Keyset, not offset: what is accepted meanwhile moves nothing.
_TOKEN = re.compile(r"(?P<epoch>[0-9a-f]{16}):(?P<filter>[0-9a-f]{16}):(?P<after>[!-~]{1,64})")


def encode(epoch: str, wanted: TaskFilter, after_task_id: str) -> str:
    """The token of the page behind `after_task_id`."""
    return sealed(f"{epoch}:{_fingerprint(wanted)}:{after_task_id}")


def decode(token: str, epoch: str, wanted: TaskFilter) -> str:
    """The id behind which the page begins, empty without a token. Raises InvalidRequest."""
    if not token:
        return ""
    found = _TOKEN.fullmatch(opened(token) or "")
    if found is None:
        raise _invalid("the next_page_token of an earlier page, or none")
    if found["epoch"] != epoch:
        raise _invalid("a token of this store; list again without one")
    if found["filter"] != _fingerprint(wanted):
        raise _invalid("the filters that the token was made for; list again without one")
    return found["after"]


def _fingerprint(wanted: TaskFilter) -> str:
    """16 characters that differ when the filters do, whatever order a client or protobuf gives them in."""
    canonical = [wanted.tenant, wanted.build_key, sorted(wanted.labels), sorted(wanted.states)]
    return sha256(json.dumps(canonical).encode()).hexdigest()[:16]


def _invalid(expected: str) -> InvalidRequest:
    return InvalidRequest((Violation(field_path="page_token", expected=expected),))
