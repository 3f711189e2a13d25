"""Resume tokens: a watch's position in one store's history or in a log, as an opaque and url-safe string."""

import re

from scheduler.api.opaque import opened, sealed
from scheduler.services.errors import ResumeTokenForeign, ResumeTokenInvalid
from scheduler.services.logs.tail import LogPosition
from scheduler.services.task_watch import WatchPosition

# epoch : revision : border [: last task listed]. 18 digits stay within a signed 64-bit integer.
_TASKS = re.compile(
    r"(?P<epoch>[0-9a-f]{16}):(?P<revision>[0-9]{1,18}):(?P<border>[0-9]{1,18})(?::(?P<after>[!-~]{0,64}))?"
)
# epoch : the log's name : sequence. Revisions and sequences are two series, so neither token is the other.
_SCALING = re.compile(r"(?P<epoch>[0-9a-f]{16}):scaling:(?P<sequence>[0-9]{1,18})")

# the log's name : launch : CloudWatch Logs' token : task id : container. Of no epoch: it names no revision.
_LOGS = re.compile(r"logs:(?P<attempt>[0-9]{1,9}):(?P<token>[!-9;-~]{0,512}):(?P<of>.{0,1000})")


def encode(epoch: str, position: WatchPosition) -> str:
    """The token that resumes a watch of tasks at `position` of the store `epoch`."""
    # A border that is passed says nothing any more; without it, one position has one token.
    border = 0 if position.synced else position.border
    text = f"{epoch}:{position.revision}:{border}"
    if position.after_task_id is not None:
        text += f":{position.after_task_id}"
    return sealed(text)


def decode(token: str, epoch: str) -> WatchPosition | None:
    """The position that a client's token names, None without a token. Raises what is wrong with it."""
    found = _read(_TASKS, token, epoch)
    if found is None:
        return None
    return WatchPosition(
        revision=int(found["revision"]), border=int(found["border"]), after_task_id=found["after"]
    )


def encode_sequence(epoch: str, sequence: int) -> str:
    """The token that resumes a watch of the scaling log behind `sequence` of the store `epoch`."""
    return sealed(f"{epoch}:scaling:{sequence}")


def decode_sequence(token: str, epoch: str) -> int | None:
    """The sequence that a client's token names, None without a token. Raises what is wrong with it."""
    found = _read(_SCALING, token, epoch)
    return None if found is None else int(found["sequence"])


def encode_logs(position: LogPosition | None, task_id: str, container: str) -> str:
    """The token that resumes a tail of this container's log behind `position`; none before there is one."""
    if position is None:
        return ""
    return sealed(f"logs:{position.attempt}:{position.token}:{task_id}/{container}")


def decode_logs(token: str, task_id: str, container: str) -> LogPosition | None:
    """The position that a client's token names, None without a token. Raises what is wrong with it."""
    if not token:
        return None
    found = _LOGS.fullmatch(opened(token) or "")
    if found is None or found["of"] != f"{task_id}/{container}":
        raise ResumeTokenInvalid
    return LogPosition(attempt=int(found["attempt"]), token=found["token"])


def _read(pattern: re.Pattern[str], token: str, epoch: str) -> re.Match[str] | None:
    if not token:
        return None
    found = pattern.fullmatch(opened(token) or "")
    if found is None:
        raise ResumeTokenInvalid
    if found["epoch"] != epoch:
        raise ResumeTokenForeign
    return found
