"""Scaling activities: what the group did, and why."""

import json
from dataclasses import dataclass

from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present, utc


@dataclass(slots=True, eq=False, kw_only=True)
class Activity:
    """One launch or termination; InProgress until it ended."""

    activity_id: str
    sequence: int
    description: str
    cause: str
    availability_zone: str
    started_ms: int
    ended_ms: int | None = None


class ScalingActivities:
    """The group's activities, oldest first."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._group = region.settings.auto_scaling_group
        self.all: list[Activity] = []

    def begin(self, description: str, cause: str, availability_zone: str) -> Activity:
        """Note that something was begun; `cause` follows the time in AWS's form of the sentence."""
        activity = Activity(
            activity_id=self._region.ids.uuid(),
            sequence=len(self.all) + 1,
            description=description,
            cause=f"At {utc(self._region.now_ms):%Y-%m-%dT%H:%M:%SZ} {cause}",
            availability_zone=availability_zone,
            started_ms=self._region.now_ms,
        )
        self.all.append(activity)
        return activity

    def end(self, activity: Activity) -> None:
        """Note that it succeeded."""
        activity.ended_ms = self._region.now_ms

    def last_ended_ms(self) -> int | None:
        """When the last activity ended: a cooldown begins there. None while there was none."""
        return max((a.ended_ms for a in self.all if a.ended_ms is not None), default=None)

    def shape(self, activity: Activity) -> Shape:
        """Auto Scaling API: Activity."""
        ended_ms = activity.ended_ms
        return present(
            ActivityId=activity.activity_id,
            AutoScalingGroupName=self._group,
            Description=activity.description,
            Cause=activity.cause,
            StartTime=utc(activity.started_ms),
            EndTime=None if ended_ms is None else utc(ended_ms),
            StatusCode="InProgress" if ended_ms is None else "Successful",
            Progress=50 if ended_ms is None else 100,
            Details=json.dumps({"Availability Zone": activity.availability_zone}),
        )
