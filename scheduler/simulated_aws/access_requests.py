"""Access requests: which actions a call needs, on which resources, and what the service says along with them.

Facts: Service Authorization Reference, pages of Amazon ECS, EC2 Auto Scaling, EC2 and CloudWatch Logs; where
it names no resource type for an action, the resource is `*`. An operation that is not in the tables is one of
these, under its own name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from scheduler.simulated_aws.auto_scaling_group import AutoScalingGroup
from scheduler.simulated_aws.ec2_instances import Ec2Instances
from scheduler.simulated_aws.iam_policy import AccessRequest
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.task_definitions import TaskDefinitions

Asking = Callable[[Shape], Iterable[AccessRequest]]

_ECS_TASKS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
_ROLES = ("taskRoleArn", "executionRoleArn")


class AccessRequests:
    """Reads calls on the account; what does not exist is left to the operation to complain of."""

    def __init__(
        self,
        region: Region,
        *,
        definitions: TaskDefinitions,
        instances: Ec2Instances,
        group: AutoScalingGroup,
    ) -> None:
        self._arns = region.arns
        self._group_name = region.settings.auto_scaling_group
        self._definitions = definitions
        self._instances = instances
        self._group = group
        of_group = (
            "SetDesiredCapacity",
            "DetachInstances",
            "SuspendProcesses",
            "ResumeProcesses",
            "PutWarmPool",
            "DeleteWarmPool",
        )
        of_instances = ("DescribeContainerInstances", "UpdateContainerInstancesState")
        of_streams = ("CreateLogStream", "PutLogEvents", "GetLogEvents")
        self._tables: Mapping[str, Mapping[str, Asking]] = {
            "ecs": {
                "StartTask": self._start_task,
                "RegisterTaskDefinition": self._register_task_definition,
                "ListTasks": self._list_tasks,
                "DescribeTasks": self._of_tasks("ecs:DescribeTasks", "tasks"),
                "StopTask": self._of_tasks("ecs:StopTask", "task"),
                "ListContainerInstances": self._of_cluster("ecs:ListContainerInstances"),
                "DeregisterContainerInstance": self._of_cluster("ecs:DeregisterContainerInstance"),
                "DescribeClusters": self._describe_clusters,
                "DescribeServices": self._describe_services,
                **{name: self._of_container_instances(f"ecs:{name}") for name in of_instances},
            },
            "autoscaling": {name: self._of_group(f"autoscaling:{name}") for name in of_group},
            "ec2": {
                name: self._of_ec2_instances(f"ec2:{name}")
                for name in ("TerminateInstances", "GetConsoleOutput")
            },
            "logs": {name: self._of_log_stream(f"logs:{name}") for name in of_streams},
        }

    def of(self, service: str, operation: str, params: Shape) -> Iterable[AccessRequest]:
        """What the call must be allowed, all of it.

        "No permissions are required to perform this operation" (STS API: GetCallerIdentity).
        """
        if service not in self._tables:
            return []
        asking = self._tables[service].get(operation)
        return asking(params) if asking else [AccessRequest(action=f"{service}:{operation}")]

    # ---- ECS

    def _start_task(self, params: Shape) -> Iterator[AccessRequest]:
        """Tags and roles are authorized apart (ECS Developer Guide: tag resources on creation; PassRole)."""
        definition = self._definitions.find(params.get("taskDefinition", ""))
        if definition is None:
            return
        in_cluster = self._in_cluster(params)
        yield AccessRequest(action="ecs:StartTask", resource=definition.arn, context=in_cluster)
        if params.get("tags"):
            yield _tagging("StartTask", self._task(params, "*"))
        yield from _passed_roles({**definition.body, **params.get("overrides", {})})

    def _register_task_definition(self, params: Shape) -> Iterator[AccessRequest]:
        yield AccessRequest(action="ecs:RegisterTaskDefinition")
        if params.get("tags"):
            revisions = self._arns.in_ecs(f"task-definition/{params.get('family', '')}:*")
            yield _tagging("RegisterTaskDefinition", revisions)
        yield from _passed_roles(params)

    def _list_tasks(self, params: Shape) -> Iterator[AccessRequest]:
        reference = params.get("containerInstance")
        resource = self._container_instance(params, reference) if reference else "*"
        yield AccessRequest(action="ecs:ListTasks", resource=resource, context=self._in_cluster(params))

    def _of_tasks(self, action: str, member: str) -> Asking:
        def ask(params: Shape) -> Iterator[AccessRequest]:
            for each in _several(params.get(member)):
                yield AccessRequest(
                    action=action, resource=self._task(params, each), context=self._in_cluster(params)
                )

        return ask

    def _of_container_instances(self, action: str) -> Asking:
        def ask(params: Shape) -> Iterator[AccessRequest]:
            for each in params.get("containerInstances", ()):
                arn = self._container_instance(params, each)
                yield AccessRequest(action=action, resource=arn, context=self._in_cluster(params))

        return ask

    def _of_cluster(self, action: str) -> Asking:
        return lambda params: [AccessRequest(action=action, resource=self._cluster(params.get("cluster")))]

    def _describe_clusters(self, params: Shape) -> Iterator[AccessRequest]:
        for each in params.get("clusters") or ["default"]:
            yield AccessRequest(action="ecs:DescribeClusters", resource=self._cluster(each))

    def _describe_services(self, params: Shape) -> Iterator[AccessRequest]:
        for each in params.get("services", ()):
            name = f"service/{resource_id(params.get('cluster') or 'default')}/{resource_id(each)}"
            resource = self._arns.in_ecs(name)
            yield AccessRequest(
                action="ecs:DescribeServices", resource=resource, context=self._in_cluster(params)
            )

    def _cluster(self, reference: str | None) -> str:
        return self._arns.in_ecs(f"cluster/{resource_id(reference or 'default')}")

    def _in_cluster(self, params: Shape) -> Mapping[str, str]:
        return {"ecs:cluster": self._cluster(params.get("cluster"))}

    def _task(self, params: Shape, reference: str) -> str:
        return self._arns.in_ecs(f"task/{_cluster_name(params)}/{resource_id(reference)}")

    def _container_instance(self, params: Shape, reference: str) -> str:
        return self._arns.in_ecs(f"container-instance/{_cluster_name(params)}/{resource_id(reference)}")

    # ---- the others

    def _of_group(self, action: str) -> Asking:
        def ask(params: Shape) -> Iterator[AccessRequest]:
            name = params.get("AutoScalingGroupName", "")
            arn = self._group.arn if name == self._group_name else self._arns.group(name, "*")
            yield AccessRequest(action=action, resource=arn)

        return ask

    def _of_ec2_instances(self, action: str) -> Asking:
        """By their tags, too. An id that EC2 does not know is refused as such: it has no tags."""

        def ask(params: Shape) -> Iterator[AccessRequest]:
            for each in params.get("InstanceIds") or _several(params.get("InstanceId")):
                instance = self._instances.by_id.get(each)
                if instance is not None:
                    tags = {f"aws:ResourceTag/{key}": value for key, value in instance.tags.items()}
                    yield AccessRequest(action=action, resource=self._arns.ec2_instance(each), context=tags)

        return ask

    def _of_log_stream(self, action: str) -> Asking:
        """A stream that is to be made has no name yet: AWS's refusals end in `:log-stream:`."""

        def ask(params: Shape) -> Iterator[AccessRequest]:
            stream = "" if action == "logs:CreateLogStream" else params.get("logStreamName", "")
            arn = self._arns.log_stream(params.get("logGroupName", ""), stream)
            yield AccessRequest(action=action, resource=arn)

        return ask


def _tagging(create_action: str, resource: str) -> AccessRequest:
    return AccessRequest(
        action="ecs:TagResource", resource=resource, context={"ecs:CreateAction": create_action}
    )


def _passed_roles(shape: Shape) -> Iterator[AccessRequest]:
    for role in dict.fromkeys(shape[name] for name in _ROLES if shape.get(name)):
        yield AccessRequest(action="iam:PassRole", resource=role, context=_ECS_TASKS)


def _cluster_name(params: Shape) -> str:
    return resource_id(params.get("cluster") or "default")


def _several(reference: str | list[str] | None) -> list[str]:
    if reference is None:
        return []
    return reference if isinstance(reference, list) else [reference]
