"""Pages of container instances for ListContainerInstances."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice

from ecs_scheduler.v1.scaling_pb2 import ListContainerInstancesResponse
from scheduler.api import page_token
from scheduler.api.convert.capacity import container_instance
from scheduler.api.task_pages import limit_of
from scheduler.core.model.digest import InstanceDigest
from scheduler.services.autoscaling import InstanceFilter


def page_of(
    instances: Sequence[InstanceDigest], wanted: InstanceFilter, after_arn: str, *, page_size: int, epoch: str
) -> ListContainerInstancesResponse:
    """The page behind `after_arn` of instances in the order of their ARNs.

    No page comes near 1 MiB: a container instance takes less than 1 KiB, for AWS bounds all its texts.
    """
    limit = limit_of(page_size)
    behind = bisect_right(instances, after_arn, key=_arn)
    matching = (each for each in islice(instances, behind, None) if wanted.matches(each))
    # One more than asked for: that there is a next page is known only from an instance that is on it.
    found = list(islice(matching, limit + 1))
    page = ListContainerInstancesResponse(
        container_instances=[container_instance(each) for each in found[:limit]]
    )
    if len(found) > limit:
        page.next_page_token = page_token.encode(epoch, wanted, _arn(found[limit - 1]))
    return page


def _arn(digest: InstanceDigest) -> str:
    return digest.instance.arn
