"""Checks that several ECS operations share: clusters, tags, enumerations, page sizes."""

import re
from collections.abc import Collection

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.errors import ApiError, invalid_parameter
from scheduler.simulated_aws.ids import Arns
from scheduler.simulated_aws.paging import PageRequest
from scheduler.simulated_aws.shapes import Shape

# "Up to 128 / 256 letters, numbers, spaces representable in UTF-8, and: + - = . _ : / @" (ECS API: Tag).
_TAG_TEXT = re.compile(r"[\w\s+\-=.:/@]*")


def check_cluster(params: Shape, cluster: str, arns: Arns) -> None:
    """Refuse any other cluster; without a name ECS assumes the cluster `default` (ECS API: StartTask)."""
    if params.get("cluster", "default") not in (cluster, arns.cluster):
        raise ApiError("ClusterNotFoundException", "Cluster not found.")


def check_tags(tags: list[Shape]) -> None:
    """Refuse tags beyond the limits, repeated keys and the reserved prefix (ECS API: Tag)."""
    limits.refuse_above(limits.TAGS, len(tags), of="tags", refusal=invalid_parameter)
    keys = [tag.get("key", "") for tag in tags]
    if len(set(keys)) < len(keys):
        raise invalid_parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    for tag in tags:
        _check_tag(tag.get("key", ""), tag.get("value", ""))


def _check_tag(key: str, value: str) -> None:
    limits.refuse_above(limits.TAG_KEY, len(key), of="Tag key", refusal=invalid_parameter)
    limits.refuse_above(limits.TAG_VALUE, len(value), of="Tag value", refusal=invalid_parameter)
    if not key or key.lower().startswith("aws:"):
        raise invalid_parameter("Tag keys must not be empty nor start with 'aws:'.")
    if not (_TAG_TEXT.fullmatch(key) and _TAG_TEXT.fullmatch(value)):
        raise invalid_parameter(f"Tag {key} has characters that are not allowed.")


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Refuse a value outside an enumeration."""
    if value not in choices:
        raise invalid_parameter(f"{name} must be one of {', '.join(choices)}, not {value}.")


def wants_tags(params: Shape) -> bool:
    """Whether `include` asks for tags; what else it may ask of AWS, the simulated account does not have."""
    included = params.get("include", ())
    for choice in included:
        check_choice("include", choice, ("TAGS",))
    return "TAGS" in included


def check_ids(references: list[str], limit: limits.Limit, *, of: str) -> None:
    """Refuse an empty list of ids or one beyond the limit of a describe call."""
    if not references:
        raise invalid_parameter(f"{of} cannot be empty.")
    limits.refuse_above(limit, len(references), of=of, refusal=invalid_parameter)


def ecs_page(params: Shape, operation: str) -> PageRequest:
    """The page that a List operation of ECS asks for: 1 to 100 results, 100 by default."""
    size = params.get("maxResults") or limits.ECS_PAGE.value
    if not 1 <= size <= limits.ECS_PAGE.value:
        raise invalid_parameter(f"maxResults must be between 1 and {limits.ECS_PAGE.value}.")
    filters = sorted((k, v) for k, v in params.items() if k not in ("nextToken", "maxResults"))
    return PageRequest(
        size=size, token=params.get("nextToken"), scope=f"{operation}{filters}", refusal=invalid_parameter
    )


def list_answer(name: str, arns: list[str], next_token: str | None) -> Shape:
    """A List answer; the last page has no token."""
    return {name: arns, "nextToken": next_token} if next_token else {name: arns}
