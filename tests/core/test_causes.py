"""What ECS's words about a stopped task mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.lifecycle.causes import classify_stop, judged_by, succeeded
from scheduler.core.model.attempt import ContainerExit, StopCategory, StopReason

EXITED = "EssentialContainerExited"
LOST_INSTANCE = "Host EC2 (instance i-0123456789abcdef0) terminated."
ESSENTIAL = "Essential container in task exited"
NEVER = "TaskFailedToStart"
DEPENDENCY = (
    "CannotStartContainerError:  dependency graph: failed to resolve container ordering dependency "
    "[fetch(fetch:1) (STOPPED->RUNNING) - Exit: 1] for target [agent(agent:1) (NONE->RUNNING)] "
)
FAILED = "as dependency did not exit successfully."
WILL_NEVER = "because dependency will never start"


def exit_of(name: str, exit_code: int | None = None, reason: str = "") -> ContainerExit:
    return ContainerExit(name=name, exit_code=exit_code, reason=reason)


def stop_of(*containers: ContainerExit, code: str = EXITED, message: str = ESSENTIAL) -> StopReason:
    category = classify_stop(code, message, containers)
    return StopReason(category=category, code=code, message=message, containers=containers)


CASES = [
    (StopCategory.INSTANCE_LOST, "TerminationNotice", LOST_INSTANCE, ""),
    (StopCategory.INSTANCE_LOST, "", LOST_INSTANCE.replace("terminated", "stopped"), ""),
    (StopCategory.INSTANCE_LOST, "SpotInterruption", "Your Spot Task was interrupted.", ""),
    (StopCategory.INSTANCE_LOST, "InfrastructureHealth", "", ""),
    (StopCategory.STOPPED_BY_OTHERS, "UserInitiated", "maintenance", ""),
    (StopCategory.STOPPED_BY_OTHERS, "UserInitiated", "", "OutOfMemoryError: killed"),
    (StopCategory.STOPPED_BY_OTHERS, "ServiceSchedulerInitiated", "Scaling activity", ""),
    (StopCategory.IMAGE, "TaskFailedToStart", "Task failed to start", "CannotPullContainerError: not found"),
    (StopCategory.IMAGE, "", "CannotPullImageManifestError: denied", ""),
    (StopCategory.OOM, EXITED, ESSENTIAL, "OutOfMemoryError: Container killed due to memory usage"),
    (StopCategory.CANNOT_START, "TaskFailedToStart", "Task failed to start", ""),
    (StopCategory.CANNOT_START, "", "Task failed to start", "CannotStartContainerError: no such device"),
    (StopCategory.CANNOT_START, EXITED, ESSENTIAL, "CannotCreateContainerError: name in use"),
    (StopCategory.CANNOT_START, EXITED, ESSENTIAL, "HostConfigError: missing volume"),
    (StopCategory.CANNOT_START, NEVER, "Task failed to start", DEPENDENCY + "has timed out."),
    (StopCategory.ESSENTIAL_EXITED, NEVER, "Task failed to start", DEPENDENCY + FAILED),
    (StopCategory.CANNOT_START, EXITED, ESSENTIAL, "DockerTimeoutError: Could not transition to created"),
    (StopCategory.CANNOT_START, "", "ResourceInitializationError: unable to pull secrets", ""),
]


@pytest.mark.parametrize(("category", "stop_code", "stopped_reason", "container_reason"), CASES)
def test_every_documented_end_has_its_category(
    category: StopCategory, stop_code: str, stopped_reason: str, container_reason: str
) -> None:
    """Stop codes, stopped reasons and containers' reasons are told apart by one table."""
    containers = (exit_of("agent", reason=container_reason),)
    assert classify_stop(stop_code, stopped_reason, containers) is category


@pytest.mark.parametrize("exit_code", [0, 1, 137])
def test_an_exit_of_the_main_container_is_its_own_doing(exit_code: int) -> None:
    """Whatever the code: EXIT says that it ended by itself."""
    stop = judged_by(stop_of(exit_of("agent", exit_code), exit_of("sidekick", 0)), "agent")
    assert stop.category is StopCategory.EXIT


def test_success_is_the_main_container_exiting_with_0() -> None:
    """Other containers' exit codes are of no account."""
    assert succeeded(stop_of(exit_of("database", 1), exit_of("agent", 0)), "agent")
    assert not succeeded(stop_of(exit_of("database", 0), exit_of("agent", 1)), "agent")


def test_a_missing_exit_code_is_never_0() -> None:
    """A main container without an exit code did not run, or its instance died with the answer."""
    stop = stop_of(exit_of("agent"), exit_of("sidekick", 0))
    assert not succeeded(stop, "agent")
    assert judged_by(stop, "agent").category is StopCategory.INSTANCE_LOST


def test_a_0_after_somebody_asked_for_the_stop_is_no_success() -> None:
    """It is an obeyed signal; an exit that came first has the stop code EssentialContainerExited."""
    assert not succeeded(stop_of(exit_of("agent", 0), code="UserInitiated", message="stop"), "agent")


def test_another_essential_container_may_end_the_task() -> None:
    """The main container then has no exit code, and another one a bad one."""
    stop = stop_of(exit_of("agent"), exit_of("database", 3))
    assert judged_by(stop, "agent").category is StopCategory.ESSENTIAL_EXITED


@pytest.mark.parametrize(
    "trouble", ["CannotPullContainerError: x", "OutOfMemoryError: x", "HostConfigError: x"]
)
def test_trouble_beside_an_exited_main_container_does_not_end_the_task(trouble: str) -> None:
    """A container that is not essential may fail to start while the task succeeds."""
    assert succeeded(stop_of(exit_of("browser", reason=trouble), exit_of("agent", 0)), "agent")


@pytest.mark.parametrize(
    ("fetch", "words", "category"),
    [
        (exit_of("fetch", 1), FAILED, StopCategory.ESSENTIAL_EXITED),
        (exit_of("fetch", 137, "OutOfMemoryError: x"), FAILED, StopCategory.OOM),
        (exit_of("fetch", reason="CannotPullContainerError: x"), WILL_NEVER, StopCategory.IMAGE),
        (exit_of("fetch", reason="HostConfigError: x"), WILL_NEVER, StopCategory.CANNOT_START),
    ],
)
def test_a_container_that_never_started_for_another_one_did_not_exit(
    fetch: ContainerExit, words: str, category: StopCategory
) -> None:
    """ECS's agent makes up its exit code: what became of the one that it waited for is the cause."""
    stop = stop_of(exit_of("agent", 143, DEPENDENCY + words), fetch, code=NEVER)
    assert judged_by(stop, "agent").category is category


def test_an_end_without_words_or_exit_codes_is_a_lost_instance() -> None:
    """Nothing was said and nothing exited: never a success, never the task's own doing."""
    assert classify_stop("", "", ()) is StopCategory.INSTANCE_LOST


texts = st.text(max_size=40)
exits = st.builds(
    ContainerExit,
    name=st.sampled_from(["agent", "database", "sidekick"]),
    exit_code=st.none() | st.integers(0, 255),
    reason=texts,
)


@given(code=texts, message=texts, containers=st.lists(exits, max_size=4), main=st.sampled_from(["", "agent"]))
def test_any_words_at_all_have_a_category(
    code: str, message: str, containers: list[ContainerExit], main: str
) -> None:
    """ECS's words grow; an unknown one never breaks the reading, nor makes a success of a failure."""
    category = classify_stop(code, message, containers, main=main)
    stop = StopReason(category=category, code=code, message=message, containers=tuple(containers))
    exit_codes = [each.exit_code for each in containers if each.name == "agent"]
    assert not (succeeded(stop, "agent") and exit_codes != [0])
