"""The fingerprint of a request: what makes two requests with one id the same."""

import hashlib
import json
from dataclasses import asdict

from scheduler.core.model.task import TaskRequest

VERSION = "1"
"""Of the way in which requests are written below; a change of it makes old requests differ."""


def fingerprint(request: TaskRequest) -> str:
    """sha256 over everything that the client set, in hexadecimal."""
    text = json.dumps(asdict(request), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((VERSION + text).encode()).hexdigest()
