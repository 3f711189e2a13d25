"""Scaling activities: what the group did, and why."""

import json
from dataclasses import dataclass

from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present, utc


@dataclass(slots=True, eq=False, kw_only=True)
class Activity:
    """One launch, detaching or termination, in progress or ended."""

    activity_id: str
    sequence: int
    description: str
    cause: str
    availability_zone: str
    started_ms: int
    ended_ms: int | None = None
    status_code: str = "InProgress"
    status_message: str | None = None


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
        self._end(activity, "Successful")

    def fail(self, activity: Activity, reason: str) -> None:
        """Note that EC2 refused it."""
        self._end(activity, "Failed", reason)

    def cancel(self, activity: Activity, reason: str) -> None:
        """Note that it could not be finished, unless it is already."""
        if activity.ended_ms is None:
            self._end(activity, "Cancelled", reason)

    def _end(self, activity: Activity, status_code: str, reason: str | None = None) -> None:
        activity.ended_ms = self._region.now_ms
        activity.status_code, activity.status_message = status_code, reason
        if reason is not None:
            activity.description += f".  Status Reason: {reason}"

    def last_ended_ms(self) -> int | None:
        """When the last activity succeeded: a cooldown begins there. None while there was none."""
        ended = (a.ended_ms for a in self.all if a.status_code == "Successful")
        return max((ended_ms for ended_ms in ended if ended_ms is not None), default=None)

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
            StatusCode=activity.status_code,
            StatusMessage=activity.status_message,
            Progress=50 if ended_ms is None else 100,
            Details=json.dumps({"Availability Zone": activity.availability_zone}),
        )
