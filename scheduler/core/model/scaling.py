"""Scaling: what an operator wishes, what was done to capacity and why."""

from dataclasses import dataclass
from enum import StrEnum


class WishKind(StrEnum):
    """FLOOR: never fewer than so many. TARGET: as many, apart from busy ones. CLEAR: no wish any more."""

    FLOOR = "FLOOR"
    TARGET = "TARGET"
    CLEAR = "CLEAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleWish:
    """An operator's wish for desired capacity; the latest one counts, until `expires_ms` (None: for good).

    `request_id` is the client's idempotency key.
    """

    request_id: str
    group: str
    kind: WishKind
    size: int
    at_ms: int
    expires_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why the service does not act. `everything`: it only looks; else it leaves capacity alone.

    `passing`: it holds for a moment at the start, and is not worth telling.
    """

    reason: str
    message: str
    everything: bool = True
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Between which sizes the service keeps the group: its own, narrowed by an operator's wish."""

    floor: int
    ceiling: int


class ScalingKind(StrEnum):
    """What was done, or would be."""

    GROW = "GROW"
    DRAIN = "DRAIN"
    TAKE_BACK = "TAKE_BACK"
    DETACH = "DETACH"
    TERMINATE = "TERMINATE"
    DEREGISTER = "DEREGISTER"
    REMOVED = "REMOVED"
    EVIDENCE = "EVIDENCE"
    LAUNCH_FAILED = "LAUNCH_FAILED"
    WISHED = "WISHED"
    CONDITION_BEGAN = "CONDITION_BEGAN"
    CONDITION_ENDED = "CONDITION_ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingEvent:
    """One thing that was done to capacity, or that stands in its way, with its reason as a sentence.

    `code` is a cause in upper snake case: a RemovalCause, or the reason of a condition. `desired_before` and
    `desired_after` are the group's, where they change. `held`: it was not done, only found right; its value
    names what holds it (OBSERVE_ONLY, or the reason of a condition), and is empty for what was done.
    """

    kind: ScalingKind
    group: str
    at_ms: int
    code: str
    message: str
    ec2_instance_id: str = ""
    container_instance_arn: str = ""
    desired_before: int | None = None
    desired_after: int | None = None
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScalingEvent:
    """A committed scaling event; `sequence` is dense from 1, in a series of its own beside task revisions."""

    sequence: int
    event: ScalingEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptInstance:
    """An idle instance that stays, and why."""

    ec2_instance_id: str
    container_instance_arn: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePlan:
    """What the service would do next about capacity, and why not more.

    `held` names what keeps it from acting at all, and is empty when nothing does. `floor` and `ceiling` are
    the sizes that it keeps to: the group's, narrowed by the wish.
    """

    group: str
    desired: int
    desired_after: int
    floor: int
    ceiling: int
    in_flight: int
    held: str = ""
    actions: tuple[ScalingEvent, ...] = ()
    kept: tuple[KeptInstance, ...] = ()
