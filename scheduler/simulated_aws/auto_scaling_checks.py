"""Checks that several Auto Scaling operations share: the group's name and page sizes."""

from scheduler.simulated_aws.errors import ApiError, validation_error
from scheduler.simulated_aws.limits import Limit
from scheduler.simulated_aws.paging import PageRequest
from scheduler.simulated_aws.shapes import Shape


def check_group(params: Shape, group: str) -> None:
    """Refuse any other group; without a name there is none to refuse."""
    name = params.get("AutoScalingGroupName", group)
    if name != group:
        raise validation_error(f"AutoScalingGroup name not found - no such group: {name}")


def auto_scaling_page(params: Shape, operation_name: str, limit: Limit, *, default: int) -> PageRequest:
    """The page that a Describe operation of Auto Scaling asks for."""
    size = params.get("MaxRecords", default)
    if not 1 <= size <= limit.value:
        raise validation_error(f"MaxRecords must be between 1 and {limit.value}.")
    filters = sorted((k, str(v)) for k, v in params.items() if k not in ("NextToken", "MaxRecords"))
    return PageRequest(
        size=size,
        token=params.get("NextToken"),
        scope=f"{operation_name}{filters}",
        refusal=lambda message: ApiError("InvalidNextToken", message),
    )
