"""ScalingService's requests as nouns."""

from collections.abc import Iterator

from ecs_scheduler.v1.scaling_pb2 import ListContainerInstancesRequest, ScaleRequest
from scheduler.api.convert.enums import INSTANCE_HEALTH_OF
from scheduler.api.convert.parse import Violations, duration_ms, page_size_violations
from scheduler.core.model.errors import Violation
from scheduler.core.model.scaling import WishKind
from scheduler.services.autoscaling import InstanceFilter, ScaleOrder

MAX_EC2_INSTANCE_IDS = 500

_KINDS = {"floor": WishKind.FLOOR, "target": WishKind.TARGET, "clear": WishKind.CLEAR}


def scale_order(message: ScaleRequest) -> ScaleOrder:
    """What the client asks for, for the service to judge."""
    wish = message.WhichOneof("wish")
    return ScaleOrder(
        # As of tasks: a UUID's digits are read in either case.
        request_id=message.request_id.lower(),
        group=message.group,
        kind=_KINDS[wish] if wish else None,
        # Of a oneof only what is set is not 0.
        size=message.floor or message.target,
        expiry_ms=duration_ms(message.expiry) if message.HasField("expiry") else None,
        dry_run=message.dry_run,
    )


def instance_filter(message: ListContainerInstancesRequest) -> InstanceFilter | Violations:
    """Which container instances the client lists."""
    violations = tuple(_list_violations(message))
    return violations or InstanceFilter(
        health=INSTANCE_HEALTH_OF.get(message.health),
        ec2_instance_ids=frozenset(message.ec2_instance_ids),
    )


def _list_violations(message: ListContainerInstancesRequest) -> Iterator[Violation]:
    yield from page_size_violations(message.page_size)
    if message.health and message.health not in INSTANCE_HEALTH_OF:
        yield Violation(field_path="health", expected="not set, or a health that this server knows")
    if len(message.ec2_instance_ids) > MAX_EC2_INSTANCE_IDS:
        yield Violation(field_path="ec2_instance_ids", expected=f"at most {MAX_EC2_INSTANCE_IDS} ids")
