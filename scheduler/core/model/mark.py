"""Marks: the tags by which this service knows its tasks and revisions, and a second scheduler's, apart."""

from collections.abc import Mapping
from dataclasses import dataclass

TAG_PREFIX = "ecs-scheduler:"
"""How every tag of ours begins. ECS reserves `aws:` for itself (ECS API: Tag)."""

_SERVICE, _EPOCH, _SINCE = TAG_PREFIX + "service", TAG_PREFIX + "epoch", TAG_PREFIX + "since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Whose task it is: the scheduler that started it, the epoch of its store, and since when it has led."""

    service_id: str
    store_epoch: str
    since_ms: int

    def tags(self) -> dict[str, str]:
        """The mark as tags."""
        return {_SERVICE: self.service_id, _EPOCH: self.store_epoch, _SINCE: str(self.since_ms)}


def mark_of(tags: Mapping[str, str]) -> Mark | None:
    """The mark in a task's tags; None for a task that no scheduler of ours started.

    A mark without a readable time is older than every other one.
    """
    if _SERVICE not in tags:
        return None
    since = tags.get(_SINCE, "")
    return Mark(
        service_id=tags[_SERVICE],
        store_epoch=tags.get(_EPOCH, ""),
        since_ms=int(since) if since.isascii() and since.isdecimal() else 0,
    )
