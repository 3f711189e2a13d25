"""The life of a task: admitted, pulled, RUNNING, stopping, STOPPED, forgotten.

Order of states: ECS Developer Guide, Amazon ECS task lifecycle. A task in bridge mode without load
balancers shows PENDING, RUNNING, DEACTIVATING and STOPPED; each step raises the version.
"""

from collections import defaultdict, deque
from functools import partial

from scheduler.simulated_aws.container_instances import ContainerInstance
from scheduler.simulated_aws.container_output import ContainerOutput
from scheduler.simulated_aws.ec2_instances import Ec2Instance
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.ordering import health_due_ms, is_due, never_due
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.tasks import Container, Task, Tasks
from scheduler.simulated_aws.timeline import Action

# Exit codes of a container that was stopped: 128 + the signal that ended it.
_SIGTERM_EXIT = 143
_SIGKILL_EXIT = 137

# What Docker 20.10 and later refuse to go below (awsdocs/amazon-ecs-developer-guide, pull request 185). A
# limit that is too low the ECS agent raises itself.
_LEAST_RESERVATION_MIB = 6
_TOO_LITTLE = (
    "CannotCreateContainerError: Error response from daemon: Minimum memory reservation allowed is 6MB"
)


class TaskLifecycle:
    """Moves tasks through their states. Everything an agent would report waits while it is disconnected."""

    def __init__(self, region: Region, tasks: Tasks, output: ContainerOutput) -> None:
        self._region = region
        self._tasks = tasks
        self._output = output
        self._waiting: defaultdict[str, deque[Task]] = defaultdict(deque)

    def begin(self, task: Task) -> None:
        """Accept a task: its resources are taken at once, the agent begins when they are really free."""
        task.gpu_ids = task.instance.remaining.take(task.ask)
        task.instance.pending_tasks += 1
        task.instance.version += 1
        self._tasks.add(task)
        self._waiting[task.instance.arn].append(task)
        self._admit_waiting(task.instance)

    def stop(self, task: Task, reason: str | None) -> None:
        """StopTask: SIGTERM now, SIGKILL after the container's stop timeout (ECS API: StopTask)."""
        self._begin_stopping(task, "UserInitiated", reason or "Task stopped by user")
        grace_ms = _stop_timeout_ms(task, self._region.settings.container_stop_timeout_ms)
        stop_ms = min(self._region.draw_ms(self._region.settings.stop_ms), grace_ms)
        exit_code = _SIGKILL_EXIT if stop_ms >= grace_ms else _SIGTERM_EXIT
        end = partial(self._finish, task, exit_code)
        self._after(stop_ms, task.instance, partial(_end_unless_stuck, task.instance, end))

    def instance_terminated(self, instance: ContainerInstance) -> None:
        """End every task of a terminated instance, without exit codes: nobody was left to report them."""
        stop_code, reason = self._termination(instance.ec2_instance)
        self._waiting.pop(instance.arn, None)
        for task in self._tasks.on(instance):
            if task.last_status == "STOPPED":
                continue
            if task.desired_status == "RUNNING":
                self._begin_stopping(task, stop_code, reason)
            if not self._region.settings.terminated_task_keeps_started_at:
                task.started_ms = None
            self._finish(task, None)

    def _termination(self, ec2_instance: Ec2Instance) -> tuple[str, str]:
        """stopCode and stoppedReason of what ran on it.

        The text of a Spot interruption is documented for Fargate Spot (ECS Developer Guide: Fargate
        termination notices); of container instances no source tells.
        """
        if ec2_instance.spot_interrupted:
            return self._region.settings.spot_stop_code, "Your Spot Task was interrupted."
        return "TerminationNotice", f"Host EC2 (instance {ec2_instance.instance_id}) terminated."

    def lose_sight(self, task: Task, reason: str, stop_code: str | None) -> None:
        """ECS stops following a task: STOPPED in its books, without exit codes."""
        if task.desired_status == "RUNNING":
            self._begin_stopping(task, stop_code, reason)
        self._finish(task, None)

    def _admit_waiting(self, instance: ContainerInstance) -> None:
        """Let the agent begin with waiting tasks, first come first served, as far as there is really room."""
        waiting = self._waiting[instance.arn]
        while waiting and instance.occupied.lacking(waiting[0].ask) is None:
            self._admit(waiting.popleft())

    def _admit(self, task: Task) -> None:
        task.agent_gpu_ids = task.instance.occupied.take(task.ask)
        task.admitted = True
        task.pull_started_ms = self._region.now_ms
        self._after(self._draw_pull_ms(task), task.instance, partial(self._pulled, task))

    def _draw_pull_ms(self, task: Task) -> int:
        """An image is pulled once per container instance; later tasks find its layers there."""
        images = {container.definition["image"] for container in task.containers}
        missing = images - task.instance.pulled_images
        task.instance.pulled_images |= missing
        return self._region.draw_ms(self._region.settings.pull_ms) if missing else 0

    def _pulled(self, task: Task) -> None:
        if task.desired_status == "STOPPED":
            return
        failure = task.instance.start_failure or task.work.start_failure or self._output.start_failure(task)
        failure = failure or _creation_failure(task)
        if failure is not None:
            self._fail_to_start(task, failure)
            return
        task.pull_stopped_ms = self._region.now_ms
        create_ms = self._region.draw_ms(self._region.settings.create_ms)
        self._after(create_ms, task.instance, partial(self._start_due, task))

    def _fail_to_start(self, task: Task, reason: str) -> None:
        """No container ran: no exit codes, no startedAt (ECS Developer Guide: Stopped tasks)."""
        task.main.reason = reason
        self._begin_stopping(task, "TaskFailedToStart", "Task failed to start")
        self._finish(task, None)

    def _start_due(self, task: Task) -> None:
        """Containers start once all that they depend on is so; when all have started, the task is RUNNING."""
        if task.last_status != "PENDING" or task.desired_status == "STOPPED":
            return
        while due := [container for container in task.containers if is_due(container, task)]:
            for container in due:
                self._start(container, task)
        for container in task.containers:
            if (reason := never_due(container, task)) is not None:
                self._give_up(container, task, reason)
                return
        if all(container.last_status != "PENDING" for container in task.containers):
            self._run(task)

    def _start(self, container: Container, task: Task) -> None:
        if container.awaited and container.work.start_failure:
            container.last_status, container.reason = "STOPPED", container.work.start_failure
            return
        container.last_status = "RUNNING"
        container.runtime_id = self._region.ids.hexadecimal(64)
        self._output.started(container, task)
        if "healthCheck" in container.definition:
            healthy = container.work.healthy
            due_ms = health_due_ms(container, healthy=healthy)
            self._after(due_ms, task.instance, partial(self._health_known, container, task, healthy))
        if container.awaited:
            ends = partial(self._awaited_exited, container, task)
            self._after(container.work.run_ms, task.instance, ends)
        elif container is task.main:
            self._after(task.work.run_ms, task.instance, partial(self._main_exited, task))

    def _health_known(self, container: Container, task: Task, healthy: bool) -> None:
        if container.last_status == "RUNNING":
            container.health_status = "HEALTHY" if healthy else "UNHEALTHY"
            self._start_due(task)

    def _awaited_exited(self, container: Container, task: Task) -> None:
        if container.last_status == "RUNNING":
            self._exit(container, task, container.work.exit_code)
            self._start_due(task)

    def _give_up(self, container: Container, task: Task, reason: str) -> None:
        """A container that can never start takes an essential one's task along."""
        container.last_status, container.reason, container.exit_code = "STOPPED", reason, _SIGTERM_EXIT
        if container.essential:
            self._begin_stopping(task, "TaskFailedToStart", "Task failed to start")
            self._finish(task, _SIGTERM_EXIT)
        else:
            self._start_due(task)

    def _run(self, task: Task) -> None:
        task.started_ms = self._region.now_ms
        task.instance.pending_tasks -= 1
        task.instance.running_tasks += 1
        self._changed(task, "RUNNING")

    def _main_exited(self, task: Task) -> None:
        """An exit that came before the stop signal took effect keeps its own exit code."""
        if task.last_status == "STOPPED":
            return
        self._exit(task.main, task, task.work.exit_code)
        if task.desired_status == "STOPPED":
            return
        self._begin_stopping(task, "EssentialContainerExited", "Essential container in task exited")
        stop_ms = self._region.draw_ms(self._region.settings.stop_ms)
        self._after(stop_ms, task.instance, partial(self._finish, task, _SIGTERM_EXIT))

    def _begin_stopping(self, task: Task, stop_code: str | None, reason: str) -> None:
        """ECS counts a stopping task's resources as free at once (AWS What's New, 2023-07-02)."""
        self._tasks.mark_stopping(task)
        task.stop_code, task.stopped_reason = stop_code, reason
        task.stopping_ms = self._region.now_ms
        task.instance.remaining.give_back(task.ask, task.gpu_ids)
        self._changed(task, "DEACTIVATING" if task.last_status == "RUNNING" else task.last_status)

    def _finish(self, task: Task, exit_code: int | None) -> None:
        """Everything of the task ended: STOPPED, its resources are really free."""
        if task.last_status == "STOPPED":
            return
        for container in task.containers:
            self._exit(container, task, exit_code)
        self._leave_instance(task)
        task.execution_stopped_ms = task.stopped_ms = self._region.now_ms
        self._changed(task, "STOPPED")
        visible_ms = self._region.settings.stopped_task_visible_ms
        self._region.after(visible_ms, partial(self._forget, task))

    def _exit(self, container: Container, task: Task, exit_code: int | None) -> None:
        self._output.exits(container, task, exit_code)
        if container.last_status == "RUNNING":
            container.exit_code = exit_code
        container.last_status = "STOPPED"

    def _leave_instance(self, task: Task) -> None:
        instance = task.instance
        if task.last_status == "PENDING":
            instance.pending_tasks -= 1
        else:
            instance.running_tasks -= 1
        if task.admitted:
            instance.occupied.give_back(task.ask, task.agent_gpu_ids)
        elif task in self._waiting[instance.arn]:
            self._waiting[instance.arn].remove(task)
        if instance.status != "INACTIVE":
            self._admit_waiting(instance)

    def _forget(self, task: Task) -> None:
        self._tasks.forget(task)
        self._region.record(Effect.TASK_FORGOTTEN, taskArn=task.arn)

    def _changed(self, task: Task, last_status: str) -> None:
        task.last_status = last_status
        task.version += 1
        task.instance.version += 1
        self._region.record(
            Effect.TASK_STATE_CHANGE,
            taskArn=task.arn,
            startedBy=task.started_by,
            lastStatus=last_status,
            desiredStatus=task.desired_status,
            exitCode=task.main.exit_code,
            stopCode=task.stop_code,
            reason=task.main.reason,
        )

    def _after(self, delay_ms: int, instance: ContainerInstance, action: Action) -> None:
        self._region.after(delay_ms, partial(_report, instance, action))


def _creation_failure(task: Task) -> str | None:
    reserved = (container.definition.get("memoryReservation") for container in task.containers)
    return _TOO_LITTLE if any(mib is not None and mib < _LEAST_RESERVATION_MIB for mib in reserved) else None


def _report(instance: ContainerInstance, action: Action) -> None:
    """Nothing of a disconnected agent reaches ECS, and nothing of ECS reaches it, until it is back."""
    if instance.agent_connected:
        action()
    elif instance.status != "INACTIVE":
        instance.unreported.append(action)


def _end_unless_stuck(instance: ContainerInstance, end: Action) -> None:
    """Even SIGKILL ends nothing while the instance's Docker daemon hangs."""
    if instance.stops_hang:
        instance.hanging.append(end)
    else:
        end()


def _stop_timeout_ms(task: Task, default_ms: int) -> int:
    """The longest stopTimeout of its containers (ECS API: ContainerDefinition, stopTimeout, seconds)."""
    timeouts_s = [container.definition.get("stopTimeout") for container in task.containers]
    return max(default_ms if timeout_s is None else timeout_s * 1_000 for timeout_s in timeouts_s)
