"""Causes: what ECS's words about a stopped task mean for the scheduler.

ECS tells an end in three places: a `stopCode` (an enum that grows), a `stoppedReason` and a reason per
container (free text with a known prefix), and exit codes. One ordered table reads them; the first row that
matches wins. The prefixes are those of "Stopped tasks error codes" (ECS Developer Guide) and of the ECS
agent's own errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduler.core.model.attempt import ContainerExit, StopCategory, StopReason

# What ECS's agent says of a container that it never started, for what became of one that it depends on. The
# exit code that it tells, 143, is nobody's (amazon-ecs-agent: managedTask.handleTerminalDependencyError).
_UNRESOLVED = "dependency graph:"
_FAILED_DEPENDENCY = "as dependency did not exit successfully"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A row: it matches one of these stop codes, or a text with one of these beginnings or phrases in it."""

    category: StopCategory
    stop_codes: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    def matches(self, stop_code: str, texts: Sequence[str]) -> bool:
        """True when ECS's account of the end is one of this row's."""
        return stop_code in self.stop_codes or any(
            text.startswith(self.prefixes) or any(phrase in text for phrase in self.phrases) for text in texts
        )


CAUSES: tuple[Cause, ...] = (
    # "Host EC2 (instance i-...) terminated." (or "stopped.") comes with no exit codes at all.
    Cause(
        category=StopCategory.INSTANCE_LOST,
        stop_codes=frozenset({"SpotInterruption", "TerminationNotice", "InfrastructureHealth"}),
        prefixes=("Host EC2 (instance", "SpotInterruptionError"),
    ),
    # Before the containers' own troubles: a killed container also looks out of memory or exits with 137.
    Cause(
        category=StopCategory.STOPPED_BY_OTHERS,
        stop_codes=frozenset({"UserInitiated", "ServiceSchedulerInitiated"}),
    ),
    # Before CANNOT_START: a failed pull also has the stop code TaskFailedToStart.
    Cause(category=StopCategory.IMAGE, prefixes=("CannotPull",)),
    Cause(category=StopCategory.OOM, prefixes=("OutOfMemory",)),
    # Before CANNOT_START, with which the text begins: it is the build's own doing that a container which was
    # to exit with 0 did not.
    Cause(category=StopCategory.ESSENTIAL_EXITED, phrases=(_FAILED_DEPENDENCY,)),
    Cause(
        category=StopCategory.CANNOT_START,
        stop_codes=frozenset({"TaskFailedToStart"}),
        prefixes=(
            "CannotCreateContainerError",
            "CannotCreateVolumeError",
            "CannotInspectContainerError",
            "CannotStartContainerError",
            "ContainerRuntimeError",
            "ContainerRuntimeTimeoutError",
            "ContainerVanishedError",
            "DockerStateError",
            "DockerTimeoutError",
            "HostConfigError",
            "InternalError",
            "InvalidVolumeError",
            "ResourceInitializationError",
            "ResourceNotFoundException",
            "TaskDependencyError",
            "TaskFailedToStart",
        ),
    ),
)
"""In order: the first row that matches is the cause."""


def classify_stop(
    stop_code: str, stopped_reason: str, containers: Sequence[ContainerExit], *, main: str = ""
) -> StopCategory:
    """The category of a STOPPED task's end.

    With `main`, the name of the main container, only its own troubles count once it has exited: a container
    beside it that was never pulled or ran out of memory did not end the task. Without it all containers
    speak alike, which is as much as ECS itself tells.
    """
    witnesses = _witnesses(containers, main)
    texts = [stopped_reason, *(container.reason for container in witnesses)]
    for cause in CAUSES:
        if cause.matches(stop_code, texts):
            return cause.category
    if any(container.exit_code is not None for container in witnesses if main in ("", container.name)):
        return StopCategory.EXIT
    if any(container.exit_code for container in containers):
        return StopCategory.ESSENTIAL_EXITED
    # No exit code and no word why: the container instance took the answer with it. It is never a 0.
    return StopCategory.INSTANCE_LOST


def judged_by(stop: StopReason, main: str) -> StopReason:
    """The same end, with the category that it has once the main container is known."""
    return replace(stop, category=classify_stop(stop.code, stop.message, stop.containers, main=main))


def succeeded(stop: StopReason, main: str) -> bool:
    """True when the main container exited by itself, with 0.

    A 0 after somebody asked for the stop is an obeyed signal, not a finished job. An exit that came before
    the request has the stop code EssentialContainerExited and counts.
    """
    exits = [container.exit_code for container in stop.containers if container.name == main]
    return exits == [0] and judged_by(stop, main).category is StopCategory.EXIT


def _witnesses(containers: Sequence[ContainerExit], main: str) -> Sequence[ContainerExit]:
    exited = [
        each
        for each in containers
        if each.name == main and each.exit_code is not None and _UNRESOLVED not in each.reason
    ]
    return exited or containers
