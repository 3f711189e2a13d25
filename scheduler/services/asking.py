"""Asking: questions to the control loop, which answers them on its own view, between two messages.

They change nothing. Who asks waits for the loop, never for AWS.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.core.model.digest import InstanceDigest
from scheduler.core.model.reservation import Reservation
from scheduler.core.model.scaling import ScalePlan, ScaleWish
from scheduler.services.errors import ServiceError
from scheduler.services.granting import ReserveOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPlan:
    """What would be done about capacity, if `wish` (None: the present one) were the operator's?

    `answer` is called on the loop's thread and must not wait; with None before AWS was read completely.
    """

    wish: ScaleWish | None
    answer: Callable[[ScalePlan | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskInstances:
    """Which container instances are there, in the order of their ARNs?

    `answer` is called on the loop's thread and must not wait.
    """

    answer: Callable[[tuple[InstanceDigest, ...]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskGrant:
    """What would the order become, if it were accepted at `at_ms`, or why is it refused?

    `answer` is called on the loop's thread and must not wait.
    """

    order: ReserveOrder
    at_ms: int
    answer: Callable[[Reservation | ServiceError], None]


Ask = AskPlan | AskInstances | AskGrant
