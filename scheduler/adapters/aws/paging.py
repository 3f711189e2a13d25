"""Pages and batches: whole lists from answers that carry parts of them.

boto3's paginators would do for boto3 alone; in-process clients have none.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import PaginationError

from scheduler.adapters.aws.operations import Shape

BATCH = 100
"""Most ids of one call (ECS API: DescribeTasks, DescribeContainerInstances; EC2: DescribeInstanceTypes)."""


def pages(operation: Callable[..., Shape], *, token: str = "nextToken", **params: Any) -> Iterator[Shape]:
    """Every answer until one has no token. An answer may well be empty and still have one."""
    while True:
        answer = operation(**params)
        yield answer
        following = answer.get(token)
        if not following:
            return
        if following == params.get(token):
            raise PaginationError(message=f"the same {token} was answered twice")
        params[token] = following


def batches(ids: Sequence[str], size: int = BATCH) -> Iterator[list[str]]:
    """The ids in lists of at most `size`; none for no ids, since an empty list would ask for everything."""
    rest = iter(ids)
    while batch := list(islice(rest, size)):
        yield batch
