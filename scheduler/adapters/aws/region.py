"""The region: where the cluster is, found as AWS's own tools find it and in two more places."""

from collections.abc import Callable, Mapping

import boto3
from botocore.exceptions import BotoCoreError
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataRegionFetcher

_INSTANCE_METADATA_TIMEOUT_S = 1


class RegionUnknown(Exception):
    """Nothing names a region; the message is one line for an operator."""

    def __init__(self) -> None:
        super().__init__(
            "No AWS region: set AWS_REGION, or give ECS_CLUSTER as an ARN. "
            "AWS_DEFAULT_REGION, the profile, task metadata and instance metadata name none either."
        )


def resolve_region(environment: Mapping[str, str], session: boto3.Session, cluster: str) -> str:
    """The first region that anything names, cheapest source first; metadata is asked only if needed.

    boto3 alone ignores AWS_REGION, which is what ECS and Lambda set and what AWS's other SDKs read.
    """
    return locate_region(environment, session, cluster)[0]


def locate_region(environment: Mapping[str, str], session: boto3.Session, cluster: str) -> tuple[str, str]:
    """The same, and what names it. Raises RegionUnknown."""
    sources: dict[str, Callable[[], str | None]] = {
        "AWS_REGION": lambda: environment.get("AWS_REGION", "").strip(),
        "AWS_DEFAULT_REGION": lambda: environment.get("AWS_DEFAULT_REGION", "").strip(),
        "the profile": lambda: session.region_name,
        "task metadata": lambda: _task_metadata_region(environment),
        "instance metadata": lambda: _instance_metadata_region(environment),
        "the ARN in ECS_CLUSTER": lambda: arn_region(cluster),
    }
    for source, named in sources.items():
        if region := named():
            return region, source
    raise RegionUnknown


def arn_region(name_or_arn: str) -> str:
    """The region in an ARN (arn:partition:service:region:account:resource); empty for a plain name."""
    parts = name_or_arn.split(":", 5)
    return parts[3] if len(parts) == 6 and parts[0] == "arn" else ""


def _task_metadata_region(environment: Mapping[str, str]) -> str:
    """From the task we run in ourselves (ECS Developer Guide: task metadata endpoint version 4)."""
    uri = environment.get("ECS_CONTAINER_METADATA_URI_V4", "")
    if not uri:
        return ""
    try:
        task = ContainerMetadataFetcher().retrieve_full_uri(f"{uri}/task")
    except (BotoCoreError, ValueError):  # ValueError: a URI that is neither loopback nor link-local
        return ""
    return arn_region(str(task.get("TaskARN", "")))


def _instance_metadata_region(environment: Mapping[str, str]) -> str:
    """From the instance we run on; AWS_EC2_METADATA_DISABLED switches it off."""
    fetcher = InstanceMetadataRegionFetcher(
        timeout=_INSTANCE_METADATA_TIMEOUT_S, num_attempts=1, env=dict(environment)
    )
    return fetcher.retrieve_region() or ""
