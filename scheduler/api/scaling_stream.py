"""The messages of one WatchScaling call."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ecs_scheduler.v1.scaling_pb2 import WatchScalingResponse
from scheduler.api import resume_token
from scheduler.api.convert.capacity import scaling_event
from scheduler.api.pace import Pace
from scheduler.core.model.scaling import StoredScalingEvent
from scheduler.services.scaling_watch import ScalingWatch, ScalingWatches


class ScalingStreams:
    """Makes the streams of one server; what they share."""

    def __init__(self, watches: ScalingWatches, epoch: str, progress_interval_s: float) -> None:
        self._watches = watches
        self._epoch = epoch
        self._progress_interval_s = progress_interval_s

    async def responses(self, sequence: int | None) -> AsyncGenerator[WatchScalingResponse, None]:
        """What comes after `sequence`, or from now on, until the client goes away or an error ends it."""
        pace = Pace(self._progress_interval_s)
        watch = self._watches.open(sequence, pace.ring)
        try:
            told_synced = False
            while True:
                pace.listen()
                events = watch.read()
                if events or pace.silent_too_long or watch.synced is not told_synced:
                    told_synced = watch.synced
                    yield self._message(events, watch)
                    pace.said()
                # At least once round the loop: others are served between two reads of a long history.
                await asyncio.sleep(0)
                if watch.waits:
                    await pace.rest()
        finally:
            self._watches.close(watch)

    def _message(self, events: Sequence[StoredScalingEvent], watch: ScalingWatch) -> WatchScalingResponse:
        return WatchScalingResponse(
            events=[scaling_event(stored.event, stored.sequence) for stored in events],
            resume_token=resume_token.encode_sequence(self._epoch, watch.sequence),
            synced=watch.synced,
        )
