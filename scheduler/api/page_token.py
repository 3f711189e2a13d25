"""Page tokens: where a listing goes on, in one store and under one filter."""

import json
import re
from hashlib import sha256

from scheduler.api.opaque import opened, sealed
from scheduler.core.model.errors import Violation
from scheduler.ports.store import TaskFilter
from scheduler.services.autoscaling import InstanceFilter
from scheduler.services.errors import InvalidRequest

Filter = TaskFilter | InstanceFilter

# epoch : filter : last one listed. Keyset, not offset: what comes meanwhile moves nothing. An ARN holds the
# cluster's name of at most 255 characters.
_TOKEN = re.compile(r"(?P<epoch>[0-9a-f]{16}):(?P<filter>[0-9a-f]{16}):(?P<after>[!-~]{1,512})")


def encode(epoch: str, wanted: Filter, after: str) -> str:
    """The token of the page behind the task id or the ARN `after`."""
    return sealed(f"{epoch}:{_fingerprint(wanted)}:{after}")


def decode(token: str, epoch: str, wanted: Filter) -> str:
    """The id or ARN behind which the page begins, empty without a token. Raises InvalidRequest."""
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


def _fingerprint(wanted: Filter) -> str:
    """16 characters that differ when the filters do, whatever order a client or protobuf gives them in."""
    return sha256(json.dumps(_canonical(wanted)).encode()).hexdigest()[:16]


def _canonical(wanted: Filter) -> list[object]:
    """Lists of both kinds differ in length: a token of tasks is none of container instances."""
    if isinstance(wanted, TaskFilter):
        return [wanted.tenant, wanted.build_key, sorted(wanted.labels), sorted(wanted.states)]
    return [wanted.health, sorted(wanted.ec2_instance_ids)]


def _invalid(expected: str) -> InvalidRequest:
    return InvalidRequest((Violation(field_path="page_token", expected=expected),))
