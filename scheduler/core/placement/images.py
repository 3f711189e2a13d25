"""Images: which container instances have an image's layers, because a task of it started there."""

from typing import NamedTuple

MOST_IMAGES = 1_000
"""Images that are remembered; the one that was started longest ago is forgotten first."""

MOST_INSTANCES = 8
"""Instances that are remembered of an image, the latest: each is looked up when there is a tie."""


class Holder(NamedTuple):
    """An instance by what orders it among equals."""

    launched_ms: int
    arn: str


class Images:
    """The instances that each image was started on lately. A hint: where layers are gone, they are pulled."""

    __slots__ = ("_holders",)

    def __init__(self) -> None:
        """None is known."""
        self._holders: dict[str, tuple[Holder, ...]] = {}

    def of(self, image: str) -> tuple[Holder, ...]:
        """Where it was started lately."""
        return self._holders.get(image, ())

    def note(self, image: str, holder: Holder) -> None:
        """It was started there."""
        others = (each for each in self._holders.pop(image, ()) if each.arn != holder.arn)
        self._holders[image] = (*others, holder)[-MOST_INSTANCES:]
        if len(self._holders) > MOST_IMAGES:
            del self._holders[next(iter(self._holders))]

    def forget(self, arn: str) -> None:
        """The instance is gone."""
        others = (
            (image, tuple(each for each in holders if each.arn != arn))
            for image, holders in self._holders.items()
        )
        self._holders = {image: holders for image, holders in others if holders}
