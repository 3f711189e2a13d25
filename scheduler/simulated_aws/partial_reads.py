"""Partial reads: answers that leave out what is there.

ECS is eventually consistent by contract (ECS API: RunTask, "the DescribeTasks ... back-off"), and of a page
"it's possible the number of results to be fewer than maxResults" (ECS API: ListContainerInstances). Whether
what is long there can be left out, no source says: it is a fault, and a knob.
"""

from random import Random

from scheduler.simulated_aws.shapes import Shape

_LISTS = {"ListContainerInstances": "containerInstanceArns", "ListTasks": "taskArns"}
_DESCRIBES = {
    "DescribeContainerInstances": ("containerInstances", "containerInstanceArn"),
    "DescribeTasks": ("tasks", "taskArn"),
}
PARTIAL_READS = (*_LISTS, *_DESCRIBES)
"""The operations whose answers can be partial."""


def thinned(operation: str, answer: Shape, share: float, random: Random) -> Shape:
    """The answer with about this share left out of a list, or MISSING in a description."""
    if operation in _LISTS:
        name = _LISTS[operation]
        return {**answer, name: [arn for arn in answer[name] if random.random() >= share]}
    name, arn = _DESCRIBES[operation]
    marked = [(random.random() >= share, shape) for shape in answer[name]]
    missing = [{"arn": shape[arn], "reason": "MISSING"} for shown, shape in marked if not shown]
    return {
        **answer,
        name: [shape for shown, shape in marked if shown],
        "failures": [*answer["failures"], *missing],
    }
