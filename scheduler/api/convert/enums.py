"""The enums of both worlds, side by side: a state without its counterpart fails the import, not a call."""

from typing import cast

from ecs_scheduler.v1 import task_pb2, task_spec_pb2
from scheduler.core.model.attempt import AttemptState, StopCategory
from scheduler.core.model.task import ContainerSize, TaskState

# The casts: `Value` is typed as int, a message's constructor wants the enum's own type.
TASK_STATES = {
    state: cast("task_pb2.TaskState", task_pb2.TaskState.Value(f"TASK_STATE_{state}")) for state in TaskState
}
ATTEMPT_STATES = {
    state: cast("task_pb2.AttemptState", task_pb2.AttemptState.Value(f"ATTEMPT_STATE_{state}"))
    for state in AttemptState
}
STOP_CATEGORIES = {
    cause: cast("task_pb2.StopCategory", task_pb2.StopCategory.Value(f"STOP_CATEGORY_{cause}"))
    for cause in StopCategory
}
CONTAINER_SIZES = {
    size: cast("task_spec_pb2.ContainerSize", task_spec_pb2.ContainerSize.Value(f"CONTAINER_SIZE_{size}"))
    for size in ContainerSize
}

# The way back. A number that is not set, or a newer client's, is in neither.
TASK_STATE_OF = {number: state for state, number in TASK_STATES.items()}
CONTAINER_SIZE_OF = {number: size for size, number in CONTAINER_SIZES.items()}
