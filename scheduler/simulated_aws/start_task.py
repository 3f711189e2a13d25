"""StartTask: what it refuses, where it fails, and the task it makes."""

import json
import re
from copy import deepcopy
from dataclasses import replace

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.attributes import satisfied
from scheduler.simulated_aws.checks import check_choice, check_ids, check_tags
from scheduler.simulated_aws.container_instances import ContainerInstance, ContainerInstances
from scheduler.simulated_aws.errors import client_exception, invalid_parameter
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.ordering import awaited
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.resources import Resources, ask_of
from scheduler.simulated_aws.settings import CLIENT_EXCEPTION
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.task_definitions import TaskDefinition, TaskDefinitions
from scheduler.simulated_aws.task_lifecycle import TaskLifecycle
from scheduler.simulated_aws.tasks import Container, Task, Tasks, task_shape
from scheduler.simulated_aws.works import environment_of, work_of

# "Up to 36 letters (uppercase and lowercase), numbers, hyphens (-), forward slash (/), and underscores (_)"
# (ECS API: StartTask, startedBy).
_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]*")
_JOURNALLED_ENVIRONMENT = ("RESULT_UUID", "ATTEMPT_ID")


class StartTask:
    """The operation that puts work on a container instance. No client token: sent twice, it starts two."""

    def __init__(
        self,
        region: Region,
        *,
        definitions: TaskDefinitions,
        instances: ContainerInstances,
        tasks: Tasks,
        lifecycle: TaskLifecycle,
    ) -> None:
        self._region = region
        self._definitions = definitions
        self._instances = instances
        self._tasks = tasks
        self._lifecycle = lifecycle

    def __call__(self, params: Shape) -> Shape:
        """One task on each container instance; those that cannot take it are in `failures`, with HTTP 200."""
        self._check(params)
        definition = self._definitions.usable(params["taskDefinition"])
        overrides = deepcopy(params.get("overrides", {}))
        _check_override_names(overrides, definition)
        ask = ask_of(definition.body, overrides)
        answer: Shape = {"tasks": [], "failures": []}
        for reference in params["containerInstances"]:
            instance = self._instances.find(reference)
            reason = self._failure(instance, definition, ask)
            if instance is None or reason is not None:
                arn = self._region.arns.container_instance(resource_id(reference))
                answer["failures"].append({"arn": arn, "reason": reason})
            else:
                task = self._start(params, definition, instance, overrides=overrides, ask=ask)
                answer["tasks"].append(task_shape(task, self._region.arns.cluster, with_tags=True))
        return answer

    def _check(self, params: Shape) -> None:
        check_ids(params["containerInstances"], limits.START_TASK_INSTANCES, of="Container instances")
        started_by = params.get("startedBy", "")
        limits.refuse_above(limits.STARTED_BY, len(started_by), of="startedBy", refusal=invalid_parameter)
        if not _STARTED_BY.fullmatch(started_by):
            raise invalid_parameter("startedBy may have letters, digits, '-', '_' and '/' only.")
        overrides = json.dumps(params.get("overrides", {}), separators=(",", ":"))
        limits.refuse_above(limits.OVERRIDES, len(overrides), of="overrides", refusal=invalid_parameter)
        check_tags(params.get("tags", []))
        if "propagateTags" in params:
            check_choice("propagateTags", params["propagateTags"], ("TASK_DEFINITION", "NONE"))

    def _failure(
        self, instance: ContainerInstance | None, definition: TaskDefinition, ask: Resources
    ) -> str | None:
        """Why the container instance cannot take the task (ECS Developer Guide: API failure reasons)."""
        if instance is None:
            return "MISSING"
        if instance.status == "INACTIVE":
            return "INACTIVE"
        if not instance.agent_connected:
            return "AGENT"
        if instance.status == "DRAINING" and (reason := self._region.settings.draining_start_failure):
            if reason == CLIENT_EXCEPTION:
                raise client_exception(f"Container instance {instance.arn} is DRAINING.")
            return reason
        if not satisfied(definition.required_attributes, instance.attributes):
            return "ATTRIBUTE"
        return instance.remaining.lacking(ask)

    def _start(
        self,
        params: Shape,
        definition: TaskDefinition,
        instance: ContainerInstance,
        *,
        overrides: Shape,
        ask: Resources,
    ) -> Task:
        task_id = self._region.ids.ecs()
        started_by = params.get("startedBy")
        containers = self._containers(task_id, definition, overrides, drawn_for=started_by or task_id)
        task = Task(
            arn=self._region.arns.task(task_id),
            sequence=self._tasks.next_sequence(),
            definition=definition,
            instance=instance,
            containers=containers,
            ask=ask,
            work=next(container.work for container in containers if not container.awaited),
            group=params.get("group") or f"family:{definition.family}",
            created_ms=self._region.now_ms,
            started_by=started_by,
            overrides=overrides,
            tags=_tags(params, definition),
        )
        self._record(task)
        self._lifecycle.begin(task)
        return task

    def _containers(
        self, task_id: str, definition: TaskDefinition, overrides: Shape, *, drawn_for: str
    ) -> list[Container]:
        """All do the task's work, each with a health of its own; those that others wait for do their own."""
        definitions = definition.body["containerDefinitions"]
        scripts, settings = awaited(definitions), self._region.settings
        given = [*definitions, *overrides.get("containerOverrides", ())]
        environment = environment_of(each for each in given if each.get("name") not in scripts)
        work = work_of(environment, settings, range_ms=settings.run_ms, drawn_for=drawn_for)
        containers = []
        for each in definitions:
            name = each["name"]
            own = environment_of(other for other in given if other.get("name") == name)
            drawn = work_of(own, settings, range_ms=settings.create_ms, drawn_for=f"{drawn_for}/{name}")
            containers.append(
                Container(
                    self._region.arns.container(task_id, self._region.ids.uuid()),
                    each,
                    work=drawn if name in scripts else replace(work, healthy=drawn.healthy),
                    awaited=name in scripts,
                )
            )
        return containers

    def _record(self, task: Task) -> None:
        environment = environment_of(task.overrides.get("containerOverrides", ()))
        self._region.record(
            Effect.START_TASK,
            taskArn=task.arn,
            containerInstanceArn=task.instance.arn,
            taskDefinitionArn=task.definition.arn,
            startedBy=task.started_by,
            tags={tag["key"]: tag.get("value", "") for tag in task.tags},
            environment={name: environment[name] for name in _JOURNALLED_ENVIRONMENT if name in environment},
        )


def _check_override_names(overrides: Shape, definition: TaskDefinition) -> None:
    """A non-empty override must name a container of the definition (ECS API: ContainerOverride, name)."""
    names = {container["name"] for container in definition.body["containerDefinitions"]}
    for override in overrides.get("containerOverrides", []):
        if override and override.get("name") not in names:
            name = override.get("name")
            raise invalid_parameter(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )


def _tags(params: Shape, definition: TaskDefinition) -> list[Shape]:
    propagated = definition.tags if params.get("propagateTags") == "TASK_DEFINITION" else []
    tags = {tag["key"]: tag for tag in [*propagated, *params.get("tags", [])]}
    return [dict(tag) for tag in tags.values()]
