"""Container instances as the control loop tells of them."""

from dataclasses import replace
from typing import Any

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import InstanceDigest
from scheduler.core.model.resources import NOTHING
from scheduler.core.model.scaling import ScalePlan
from tests.builders import an_instance


def an_instance_digest(number: int = 1, **changes: Any) -> InstanceDigest:
    """Container instance `number`: schedulable and empty."""
    instance = replace(an_instance(number), availability_zone="eu-west-1a")
    fields: dict[str, Any] = {
        "instance": instance,
        "group": "ci",
        "health": InstanceHealth.SCHEDULABLE,
        "free": instance.registered,
        "foreign": NOTHING,
        "tasks": 0,
        "starting": 0,
        "stale": False,
    }
    return InstanceDigest(**(fields | changes))


def a_plan(**changes: Any) -> ScalePlan:
    """Three instances are enough."""
    fields: dict[str, Any] = {
        "group": "ci",
        "desired": 3,
        "desired_after": 3,
        "floor": 0,
        "ceiling": 50,
        "in_flight": 0,
    }
    return ScalePlan(**(fields | changes))
