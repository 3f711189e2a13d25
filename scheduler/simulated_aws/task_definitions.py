"""Task definitions: families and their revisions."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.attributes import attribute_shapes, required_attributes
from scheduler.simulated_aws.checks import check_choice, ecs_page, list_answer, wants_tags
from scheduler.simulated_aws.errors import client_exception
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.paging import cut
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present, utc
from scheduler.simulated_aws.task_definition_checks import check_registration

_PARAMETERS = (
    "family! containerDefinitions! volumes networkMode taskRoleArn executionRoleArn placementConstraints "
    "requiresCompatibilities cpu memory tags pidMode ipcMode runtimePlatform"
)
# What ECS shows where the registration said nothing (ECS API: DescribeTaskDefinition, examples).
_CONTAINER_DEFAULTS = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
}


@dataclass(slots=True, eq=False)
class TaskDefinition:
    """One revision. `body` is the registration, whole."""

    arn: str
    family: str
    revision: int
    body: Shape
    tags: list[Shape]
    required_attributes: dict[str, str | None]
    registered_ms: int
    deregistered_ms: int | None = None

    @property
    def status(self) -> str:
        """ACTIVE or INACTIVE (ECS API: TaskDefinition, status)."""
        return "ACTIVE" if self.deregistered_ms is None else "INACTIVE"


class TaskDefinitions:
    """The account's task definitions, with the operations on them."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._families: dict[str, list[TaskDefinition]] = {}

    def operations(self) -> dict[str, Operation]:
        """The part of ECS's dispatch table that is about task definitions."""
        return {
            "RegisterTaskDefinition": operation(self._register, _PARAMETERS),
            "DeregisterTaskDefinition": operation(self._deregister, "taskDefinition!"),
            "DescribeTaskDefinition": operation(self._describe, "taskDefinition! include"),
            "ListTaskDefinitions": operation(self._list, "familyPrefix status sort nextToken maxResults"),
        }

    def find(self, reference: str) -> TaskDefinition | None:
        """By `family` (newest ACTIVE one), `family:revision` or ARN (ECS API: DescribeTaskDefinition)."""
        family, _, revision = resource_id(reference).partition(":")
        revisions = self._families.get(family, [])
        if not revision:
            return next((d for d in reversed(revisions) if d.status == "ACTIVE"), None)
        number = int(revision) if revision.isdecimal() else 0
        found = revisions[number - 1] if 1 <= number <= len(revisions) else None
        return found if found and reference in (found.arn, f"{family}:{revision}") else None

    def usable(self, reference: str) -> TaskDefinition:
        """The revision that a task may start from.

        INACTIVE ones may still start tasks for up to 10 minutes (ECS API: DeregisterTaskDefinition).
        """
        found = self.find(reference)
        if found is None:
            raise client_exception("TaskDefinition not found.")
        usable_ms = self._region.settings.inactive_definition_usable_ms
        if found.deregistered_ms is not None and self._region.now_ms >= found.deregistered_ms + usable_ms:
            raise client_exception("TaskDefinition is inactive")
        return found

    def register_by_others(self, family: str, count: int) -> None:
        """Revisions of somebody who tags nothing, `count` of them, whatever the buckets hold."""
        container = {"name": "others", "image": "others:1", "memory": 64}
        for _ in range(count):
            self._register({"family": family, "containerDefinitions": [container]})

    def _register(self, params: Shape) -> Shape:
        check_registration(params)
        revisions = self._families.setdefault(params["family"], [])
        # Revision numbers are never reused (ECS API: DeleteTaskDefinitions), so the list only grows.
        number = len(revisions) + 1
        limits.refuse_above(limits.REVISIONS, number, of="The family", refusal=client_exception)
        definition = self._new(params["family"], number, params)
        revisions.append(definition)
        self._region.record(
            Effect.REGISTER_TASK_DEFINITION,
            taskDefinitionArn=definition.arn,
            tags={tag["key"]: tag.get("value", "") for tag in definition.tags},
        )
        return present(taskDefinition=self._shape(definition), tags=definition.tags or None)

    def _new(self, family: str, revision: int, params: Shape) -> TaskDefinition:
        body = deepcopy(params)
        tags = body.pop("tags", [])
        body["containerDefinitions"] = [
            deepcopy(_CONTAINER_DEFAULTS) | container for container in body["containerDefinitions"]
        ]
        return TaskDefinition(
            arn=self._region.arns.task_definition(family, revision),
            family=family,
            revision=revision,
            body=body,
            tags=tags,
            required_attributes=required_attributes(body),
            registered_ms=self._region.now_ms,
        )

    def _deregister(self, params: Shape) -> Shape:
        reference = params["taskDefinition"]
        # "You must specify a revision" (ECS API: DeregisterTaskDefinition, taskDefinition).
        if ":" not in resource_id(reference):
            raise client_exception("Invalid revision number. Number: null")
        definition = self._described(reference)
        if definition.status == "ACTIVE":
            definition.deregistered_ms = self._region.now_ms
            self._region.record(Effect.DEREGISTER_TASK_DEFINITION, taskDefinitionArn=definition.arn)
        return {"taskDefinition": self._shape(definition)}

    def _describe(self, params: Shape) -> Shape:
        definition = self._described(params["taskDefinition"])
        tags = definition.tags if wants_tags(params) else None
        return present(taskDefinition=self._shape(definition), tags=tags)

    def _described(self, reference: str) -> TaskDefinition:
        found = self.find(reference)
        if found is None:
            raise client_exception("Unable to describe task definition.")
        return found

    def _list(self, params: Shape) -> Shape:
        check_choice("status", params.get("status", "ACTIVE"), ("ACTIVE", "INACTIVE"))
        check_choice("sort", params.get("sort", "ASC"), ("ASC", "DESC"))
        # "By default the newest are listed last": by family, then revision (ECS API: ListTaskDefinitions).
        request = replace(ecs_page(params, "ListTaskDefinitions"), descending=params.get("sort") == "DESC")
        page = cut(sorted(self._chosen(params), key=_place), _place, request)
        return list_answer(
            "taskDefinitionArns", [definition.arn for definition in page.items], page.next_token
        )

    def _chosen(self, params: Shape) -> Iterable[TaskDefinition]:
        # familyPrefix is "the full family name", in spite of its own (ECS API: ListTaskDefinitions).
        families = [params["familyPrefix"]] if "familyPrefix" in params else list(self._families)
        status = params.get("status", "ACTIVE")
        return (d for family in families for d in self._families.get(family, ()) if d.status == status)

    def _shape(self, definition: TaskDefinition) -> Shape:
        deregistered_ms = definition.deregistered_ms
        return definition.body | present(
            taskDefinitionArn=definition.arn,
            revision=definition.revision,
            status=definition.status,
            volumes=definition.body.get("volumes", []),
            placementConstraints=definition.body.get("placementConstraints", []),
            compatibilities=["EXTERNAL", "EC2"],
            requiresAttributes=attribute_shapes(definition.required_attributes),
            registeredAt=utc(definition.registered_ms),
            registeredBy=self._region.arns.user("simulated"),
            deregisteredAt=None if deregistered_ms is None else utc(deregistered_ms),
        )


def _place(definition: TaskDefinition) -> str:
    """Family, then revision; zero-padded, so that text orders as numbers do."""
    return f"{definition.family}:{definition.revision:07d}"
