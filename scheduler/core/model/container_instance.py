"""Container instances, as ECS and the Auto Scaling group describe them."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.resources import Resources

GONE = "gone"
"""The `ec2_state` of an instance that EC2 does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerInstance:
    """One container instance at one reading. Replaced as a whole, never changed.

    `version` grows with every event on it (ECS API, ContainerInstance): an older reading is dropped.
    `launched_ms` is EC2's launch time, by AWS's clock. `ec2_state` is EC2's word on an instance whose agent
    is disconnected: its state, or GONE when EC2 does not know it (any more); empty while nobody asked.
    `tasks` counts those that ECS has on it, whoever's, running or about to. `storage_driver` is what an
    operator says docker-in-docker is to use there; empty for nothing.
    """

    arn: str
    ec2_instance_id: str
    status: str
    agent_connected: bool
    registered: Resources
    remaining: Resources
    version: int
    launched_ms: int
    instance_type: str = ""
    availability_zone: str = ""
    ec2_state: str = ""
    tasks: int = 0
    storage_driver: str = ""


class InstanceHealth(StrEnum):
    """What the service makes of a container instance; only SCHEDULABLE ones get tasks.

    The values are the words in which rejects are counted and told.
    """

    SCHEDULABLE = "schedulable"
    NOT_IN_GROUP = "not in the group"
    NOT_IN_SERVICE = "not in service"
    NOT_ACTIVE = "not active"
    DRAINING = "draining"
    DISCONNECTED = "agent disconnected"
    LEAVING = "being removed"
    SUSPECT = "what starts there fails"
    STALE = "too old"
