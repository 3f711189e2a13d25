"""Removals: a container instance on its way out, by name and step by step."""

from dataclasses import dataclass
from enum import StrEnum


class RemovalCause(StrEnum):
    """Why an instance goes."""

    IDLE = "IDLE"
    SURPLUS = "SURPLUS"
    STALE = "STALE"
    DISCONNECTED = "DISCONNECTED"
    NEVER_JOINED = "NEVER_JOINED"
    NOT_IN_GROUP = "NOT_IN_GROUP"
    BLACK_HOLE = "BLACK_HOLE"


class RemovalStep(StrEnum):
    """How far a removal is. Each step is durable before its act is sent, and is gone on with after a crash.

    DRAINING: no task is placed on it, ECS is told, and its tasks are read again once ECS shows it so.
    DETACHING: the group is told to let it go. TERMINATING: EC2 is. LEAVING: it is to be seen gone, and what
    is left of it in ECS deregistered. RETURNING: it is taken back, and ECS told that it is ACTIVE again.
    """

    DRAINING = "DRAINING"
    DETACHING = "DETACHING"
    TERMINATING = "TERMINATING"
    LEAVING = "LEAVING"
    RETURNING = "RETURNING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One instance's removal; at most one an EC2 instance.

    `decrement`: the group is to be one smaller afterwards. `since_ms` is when the removal began. `arn` is
    empty for an instance that never joined the cluster.
    """

    ec2_instance_id: str
    arn: str
    cause: RemovalCause
    step: RemovalStep
    decrement: bool
    since_ms: int

    @property
    def replaced(self) -> bool:
        """True if the group launches another one in its place: it keeps its size, and this was of it."""
        return not self.decrement and self.cause is not RemovalCause.NOT_IN_GROUP

    @property
    def returnable(self) -> bool:
        """True while it may still be taken back when its room is wanted."""
        wanted = self.cause in (RemovalCause.IDLE, RemovalCause.SURPLUS)
        return wanted and self.step is RemovalStep.DRAINING


REMOVE = "remove"
"""The kind of a removal's intent; its key is the EC2 instance id."""


def removal_text(removal: Removal) -> str:
    """A removal as its intent's payload: everything but the EC2 instance id, which is the intent's key."""
    words = (removal.step, removal.cause, int(removal.decrement), removal.since_ms, removal.arn)
    return " ".join(map(str, words))


def read_removal(ec2_instance_id: str, text: str) -> Removal:
    """The removal that `removal_text` wrote."""
    step, cause, decrement, since_ms, arn = text.split(" ", 4)
    return Removal(
        ec2_instance_id=ec2_instance_id,
        arn=arn,
        cause=RemovalCause(cause),
        step=RemovalStep(step),
        decrement=decrement == "1",
        since_ms=int(since_ms),
    )
