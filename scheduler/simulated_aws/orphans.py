"""Orphans: tasks that go on running on their EC2 instance although ECS follows them no longer."""

from functools import partial

from scheduler.simulated_aws.container_instances import ContainerInstance
from scheduler.simulated_aws.ec2_instances import Ec2Instance
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.task_lifecycle import TaskLifecycle
from scheduler.simulated_aws.tasks import Task, Tasks


class Orphans:
    """Which orphans still run, and where. No API shows them; the journal does."""

    def __init__(self, region: Region, tasks: Tasks, lifecycle: TaskLifecycle) -> None:
        self._region = region
        self._tasks = tasks
        self._lifecycle = lifecycle
        self._running: dict[str, Task] = {}

    def of_ec2(self, ec2_instance_id: str) -> list[Task]:
        """The orphans that still run on an EC2 instance."""
        return [t for t in self._running.values() if t.instance.ec2_instance.instance_id == ec2_instance_id]

    def abandon(self, instance: ContainerInstance) -> None:
        """Deregistration by force: ECS shows the tasks as STOPPED, their containers know nothing of it.

        "These tasks remain running until you terminate the instance or the tasks stop through some other
        means, but they're orphaned" (ECS API: DeregisterContainerInstance, force); ECS moves them to STOPPED
        (amazon-ecs-agent issue 125) for this reason (ECS Developer Guide: Checking stopped tasks
        for errors).
        """
        for task in self._tasks.on(instance):
            if task.last_status == "STOPPED":
                continue
            begun = task.admitted and task.desired_status == "RUNNING"
            self._lifecycle.lose_sight(
                task,
                "Container instance deregistration forced by user",
                self._region.settings.orphaned_task_stop_code,
            )
            if begun and instance.ec2_instance.state == "running":
                self._orphan(task)

    def instance_gone(self, ec2_instance: Ec2Instance) -> None:
        """The end of the EC2 instance is the end of its orphans."""
        for task in self.of_ec2(ec2_instance.instance_id):
            self._ended(task)

    def _orphan(self, task: Task) -> None:
        self._running[resource_id(task.arn)] = task
        self._region.record(
            Effect.TASK_ORPHANED,
            taskArn=task.arn,
            startedBy=task.started_by,
            ec2InstanceId=task.instance.ec2_instance.instance_id,
        )
        begun_ms = self._region.now_ms if task.started_ms is None else task.started_ms
        left_ms = max(begun_ms + task.work.run_ms - self._region.now_ms, 0)
        self._region.after(left_ms, partial(self._ended, task))

    def _ended(self, task: Task) -> None:
        if self._running.pop(resource_id(task.arn), None) is not None:
            self._region.record(Effect.ORPHANED_TASK_ENDED, taskArn=task.arn, startedBy=task.started_by)
