"""The operations of AWS that the adapter calls, and no others: what IAM must allow can be read off here.

boto3's clients have them, and so have the in-process clients of a simulated account.
"""

from typing import Any, Protocol

Shape = dict[str, Any]
"""A structure of AWS's API: camelCase keys in ECS and CloudWatch Logs, PascalCase in the others."""


class Client(Protocol):
    """What every client has."""

    def close(self) -> None:
        """Releases its connections."""
        ...


class EcsReads(Client, Protocol):
    """ECS without effects."""

    def list_tasks(self, **params: Any) -> Shape:
        """`ecs:ListTasks`."""
        ...

    def describe_tasks(self, **params: Any) -> Shape:
        """`ecs:DescribeTasks`."""
        ...

    def list_container_instances(self, **params: Any) -> Shape:
        """`ecs:ListContainerInstances`."""
        ...

    def describe_container_instances(self, **params: Any) -> Shape:
        """`ecs:DescribeContainerInstances`."""
        ...

    def describe_clusters(self, **params: Any) -> Shape:
        """`ecs:DescribeClusters`."""
        ...

    def describe_services(self, **params: Any) -> Shape:
        """`ecs:DescribeServices`."""
        ...

    def describe_capacity_providers(self, **params: Any) -> Shape:
        """`ecs:DescribeCapacityProviders`."""
        ...

    def list_task_definitions(self, **params: Any) -> Shape:
        """`ecs:ListTaskDefinitions`."""
        ...

    def describe_task_definition(self, **params: Any) -> Shape:
        """`ecs:DescribeTaskDefinition`."""
        ...


class EcsActs(Client, Protocol):
    """ECS with effects. The client must not repeat a call."""

    def start_task(self, **params: Any) -> Shape:
        """`ecs:StartTask`, which has no client token."""
        ...

    def stop_task(self, **params: Any) -> Shape:
        """`ecs:StopTask`."""
        ...

    def register_task_definition(self, **params: Any) -> Shape:
        """`ecs:RegisterTaskDefinition`, and `ecs:TagResource` for its tags."""
        ...

    def deregister_task_definition(self, **params: Any) -> Shape:
        """`ecs:DeregisterTaskDefinition`."""
        ...

    def update_container_instances_state(self, **params: Any) -> Shape:
        """`ecs:UpdateContainerInstancesState`."""
        ...

    def deregister_container_instance(self, **params: Any) -> Shape:
        """`ecs:DeregisterContainerInstance`."""
        ...


class AutoScalingReads(Client, Protocol):
    """Auto Scaling without effects."""

    def describe_auto_scaling_groups(self, **params: Any) -> Shape:
        """`autoscaling:DescribeAutoScalingGroups`."""
        ...

    def describe_launch_configurations(self, **params: Any) -> Shape:
        """`autoscaling:DescribeLaunchConfigurations`."""
        ...

    def describe_scaling_activities(self, **params: Any) -> Shape:
        """`autoscaling:DescribeScalingActivities`."""
        ...

    def describe_policies(self, **params: Any) -> Shape:
        """`autoscaling:DescribePolicies`."""
        ...

    def describe_scheduled_actions(self, **params: Any) -> Shape:
        """`autoscaling:DescribeScheduledActions`."""
        ...

    def describe_instance_refreshes(self, **params: Any) -> Shape:
        """`autoscaling:DescribeInstanceRefreshes`."""
        ...


class AutoScalingActs(Client, Protocol):
    """Auto Scaling with effects. The client must not repeat a call."""

    def set_desired_capacity(self, **params: Any) -> Shape:
        """`autoscaling:SetDesiredCapacity`."""
        ...

    def suspend_processes(self, **params: Any) -> Shape:
        """`autoscaling:SuspendProcesses`."""
        ...

    def detach_instances(self, **params: Any) -> Shape:
        """`autoscaling:DetachInstances`."""
        ...


class Ec2Reads(Client, Protocol):
    """EC2 without effects."""

    def describe_instances(self, **params: Any) -> Shape:
        """`ec2:DescribeInstances`."""
        ...

    def describe_instance_types(self, **params: Any) -> Shape:
        """`ec2:DescribeInstanceTypes`."""
        ...

    def describe_launch_template_versions(self, **params: Any) -> Shape:
        """`ec2:DescribeLaunchTemplateVersions`."""
        ...


class Ec2Acts(Client, Protocol):
    """EC2 with effects. The client must not repeat a call."""

    def terminate_instances(self, **params: Any) -> Shape:
        """`ec2:TerminateInstances`."""
        ...


class DefinitionReads(Client, Protocol):
    """ECS's task definitions, to see where containers log."""

    def describe_task_definition(self, **params: Any) -> Shape:
        """`ecs:DescribeTaskDefinition`."""
        ...


class ConsoleReads(Client, Protocol):
    """EC2's consoles, to keep what a sick instance said."""

    def get_console_output(self, **params: Any) -> Shape:
        """`ec2:GetConsoleOutput`."""
        ...


class Logs(Client, Protocol):
    """CloudWatch Logs of one region."""

    def get_log_events(self, **params: Any) -> Shape:
        """`logs:GetLogEvents`."""
        ...

    def create_log_stream(self, **params: Any) -> Shape:
        """`logs:CreateLogStream`."""
        ...

    def put_log_events(self, **params: Any) -> Shape:
        """`logs:PutLogEvents`."""
        ...


class StsReads(Client, Protocol):
    """STS, to ask who we are."""

    def get_caller_identity(self, **params: Any) -> Shape:
        """`sts:GetCallerIdentity`, which needs no permission."""
        ...
