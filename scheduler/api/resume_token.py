"""Resume tokens: a watch's position in one store's history, as an opaque and url-safe string."""

import re

from scheduler.api.opaque import opened, sealed
from scheduler.services.errors import ResumeTokenForeign, ResumeTokenInvalid
from scheduler.services.task_watch import WatchPosition

# epoch : revision : border [: last task listed]. 18 digits stay within a signed 64-bit integer.
_TOKEN = re.compile(
    r"(?P<epoch>[0-9a-f]{16}):(?P<revision>[0-9]{1,18}):(?P<border>[0-9]{1,18})(?::(?P<after>[!-~]{0,64}))?"
)


def encode(epoch: str, position: WatchPosition) -> str:
    """The token that resumes at `position` of the store `epoch`."""
    # A border that is passed says nothing any more; without it, one position has one token.
    border = 0 if position.synced else position.border
    text = f"{epoch}:{position.revision}:{border}"
    if position.after_task_id is not None:
        text += f":{position.after_task_id}"
    return sealed(text)


def decode(token: str, epoch: str) -> WatchPosition | None:
    """The position that a client's token names, None without a token. Raises what is wrong with it."""
    if not token:
        return None
    found = _TOKEN.fullmatch(opened(token) or "")
    if found is None:
        raise ResumeTokenInvalid
    if found["epoch"] != epoch:
        raise ResumeTokenForeign
    return WatchPosition(
        revision=int(found["revision"]), border=int(found["border"]), after_task_id=found["after"]
    )
