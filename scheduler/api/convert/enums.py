"""The enums of both worlds, side by side: a state without its counterpart fails the import, not a call."""

from typing import cast

from ecs_scheduler.v1 import capacity_pb2, container_instance_pb2, resources_pb2, task_pb2, task_spec_pb2
from scheduler.core.model.attempt import AttemptState, StopCategory
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.container_parts import ContainerCondition
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.resources import Architecture
from scheduler.core.model.scaling import ScalingKind
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
CONTAINER_CONDITIONS = {
    condition: cast(
        "task_spec_pb2.ContainerCondition",
        task_spec_pb2.ContainerCondition.Value(f"CONTAINER_CONDITION_{condition}"),
    )
    for condition in ContainerCondition
}
ARCHITECTURES = {
    architecture: cast(
        "resources_pb2.Architecture",
        resources_pb2.Architecture.Value(f"ARCHITECTURE_{architecture or 'UNSPECIFIED'}"),
    )
    for architecture in Architecture
}
INSTANCE_HEALTHS = {
    # By name: the values are words for people.
    health: cast(
        "container_instance_pb2.ContainerInstanceHealth",
        container_instance_pb2.ContainerInstanceHealth.Value(f"CONTAINER_INSTANCE_HEALTH_{health.name}"),
    )
    for health in InstanceHealth
}
REMOVAL_CAUSES = {
    cause: cast(
        "container_instance_pb2.RemovalCause",
        container_instance_pb2.RemovalCause.Value(f"REMOVAL_CAUSE_{cause}"),
    )
    for cause in RemovalCause
}
REMOVAL_STEPS = {
    step: cast(
        "container_instance_pb2.RemovalStep", container_instance_pb2.RemovalStep.Value(f"REMOVAL_STEP_{step}")
    )
    for step in RemovalStep
}
SCALING_KINDS = {
    kind: cast("capacity_pb2.ScalingKind", capacity_pb2.ScalingKind.Value(f"SCALING_KIND_{kind}"))
    for kind in ScalingKind
}

# The way back. A number that is not set, or a newer client's, is in neither.
TASK_STATE_OF = {number: state for state, number in TASK_STATES.items()}
ARCHITECTURE_OF = {number: architecture for architecture, number in ARCHITECTURES.items()}
CONTAINER_SIZE_OF = {number: size for size, number in CONTAINER_SIZES.items()}
CONTAINER_CONDITION_OF = {number: condition for condition, number in CONTAINER_CONDITIONS.items()}
INSTANCE_HEALTH_OF = {number: health for health, number in INSTANCE_HEALTHS.items()}
