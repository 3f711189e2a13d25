"""ECS's operations on tasks that already exist: list, describe, stop."""

from collections.abc import Iterable

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.checks import check_choice, check_ids, ecs_page, list_answer, wants_tags
from scheduler.simulated_aws.container_instances import ContainerInstances
from scheduler.simulated_aws.errors import invalid_parameter
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.paging import cut
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.task_lifecycle import TaskLifecycle
from scheduler.simulated_aws.tasks import Task, Tasks, task_shape

_LIST_PARAMETERS = (
    "cluster containerInstance family nextToken maxResults startedBy serviceName desiredStatus launchType"
)
_FILTERS = ("containerInstance", "family", "serviceName", "desiredStatus", "launchType")


class TaskOperations:
    """ListTasks, DescribeTasks and StopTask."""

    def __init__(
        self, region: Region, *, instances: ContainerInstances, tasks: Tasks, lifecycle: TaskLifecycle
    ) -> None:
        self._region = region
        self._instances = instances
        self._tasks = tasks
        self._lifecycle = lifecycle

    def operations(self) -> dict[str, Operation]:
        """The part of ECS's dispatch table that is about existing tasks."""
        return {
            "ListTasks": operation(self._list, _LIST_PARAMETERS),
            "DescribeTasks": operation(self._describe, "cluster tasks! include"),
            "StopTask": operation(self._stop, "cluster task! reason"),
        }

    def _list(self, params: Shape) -> Shape:
        self._check_filters(params)
        desired_status = params.get("desiredStatus", "RUNNING")
        chosen = [
            task
            for task in self._candidates(params, desired_status)
            if task.desired_status == desired_status and self._visible(task)
        ]
        if "family" in params:
            chosen = [task for task in chosen if task.definition.family == params["family"]]
        page = cut(chosen, lambda task: task.sequence, ecs_page(params, "ListTasks"))
        return list_answer("taskArns", [task.arn for task in page.items], page.next_token)

    def _check_filters(self, params: Shape) -> None:
        if "desiredStatus" in params:
            check_choice("desiredStatus", params["desiredStatus"], ("RUNNING", "PENDING", "STOPPED"))
        if "launchType" in params:
            check_choice("launchType", params["launchType"], ("EC2", "FARGATE", "EXTERNAL"))
        others = {name: params[name] for name in _FILTERS if name in params}
        if "startedBy" not in params or not others:
            return
        # "When you specify startedBy as the filter, it must be the only filter" (ECS API: ListTasks). That
        # desiredStatus=RUNNING, the default, is accepted beside it is seen in use, not documented.
        tolerated = self._region.settings.started_by_accepts_desired_status
        if not (tolerated and others == {"desiredStatus": "RUNNING"}):
            raise invalid_parameter("startedBy must be the only filter.")

    def _candidates(self, params: Shape, desired_status: str) -> Iterable[Task]:
        # No task ever has the desired status PENDING, none belongs to a service, and all run on EC2.
        if desired_status == "PENDING" or "serviceName" in params or params.get("launchType", "EC2") != "EC2":
            return []
        if "startedBy" in params:
            return self._tasks.started_by(params["startedBy"])
        if "containerInstance" in params:
            return self._on(params["containerInstance"])
        return self._tasks.running() if desired_status == "RUNNING" else self._tasks.all()

    def _on(self, reference: str) -> Iterable[Task]:
        instance = self._instances.find(reference)
        if instance is None:
            raise invalid_parameter("The referenced container instance was not found.")
        return self._tasks.on(instance)

    def _visible(self, task: Task) -> bool:
        """Reads are eventually consistent (ECS API: RunTask, "the DescribeTasks ... back-off")."""
        return self._region.now_ms >= task.created_ms + self._region.settings.read_visibility_lag_ms

    def _describe(self, params: Shape) -> Shape:
        references = params["tasks"]
        check_ids(references, limits.DESCRIBE_TASKS, of="Tasks")
        show_tags = wants_tags(params)
        answer: Shape = {"tasks": [], "failures": []}
        for reference in dict.fromkeys(references):
            task = self._tasks.find(reference)
            if task is None or not self._visible(task):
                arn = self._region.arns.task(resource_id(reference))
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
            else:
                answer["tasks"].append(task_shape(task, self._region.arns.cluster, with_tags=show_tags))
        return answer

    def _stop(self, params: Shape) -> Shape:
        task = self._tasks.find(params["task"])
        if task is None:
            raise invalid_parameter("The referenced task was not found.")
        if task.desired_status == "RUNNING":
            # "Any tags associated with the task will be deleted" (ECS API: StopTask).
            task.tags = []
            self._region.record(
                Effect.STOP_TASK, taskArn=task.arn, startedBy=task.started_by, reason=params.get("reason")
            )
            self._lifecycle.stop(task, params.get("reason"))
        return {"task": task_shape(task, self._region.arns.cluster, with_tags=False)}
