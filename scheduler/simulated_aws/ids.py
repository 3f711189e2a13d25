"""Identifiers and ARNs, drawn from the account's one seeded source."""

from random import Random


class Ids:
    """Identifiers of the form and length that AWS gives."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def hexadecimal(self, digits: int) -> str:
        """`digits` lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def ecs(self) -> str:
        """The id in the ARN of a task or container instance: 32 digits (ECS: ARNs and IDs, long format)."""
        return self.hexadecimal(32)

    def ec2(self, prefix: str) -> str:
        """An EC2 resource id such as `i-` or `r-` and 17 digits (EC2: Resource IDs)."""
        return f"{prefix}-{self.hexadecimal(17)}"

    def uuid(self) -> str:
        """A UUID's five groups."""
        return "-".join(self.hexadecimal(digits) for digits in (8, 4, 4, 4, 12))


class Arns:
    """ARNs of one account, region and cluster (Service Authorization Reference: resource types)."""

    def __init__(self, *, region: str, account_id: str, cluster: str) -> None:
        self._ecs = f"arn:aws:ecs:{region}:{account_id}"
        self._auto_scaling = f"arn:aws:autoscaling:{region}:{account_id}"
        self._account_id = account_id
        self._in_account = f"{region}:{account_id}"
        self._cluster = cluster
        self.cluster = f"{self._ecs}:cluster/{cluster}"

    def in_ecs(self, resource: str) -> str:
        """The ARN of something of ECS, whether it exists or not."""
        return f"{self._ecs}:{resource}"

    def task(self, task_id: str) -> str:
        """The ARN of a task of the cluster."""
        return f"{self._ecs}:task/{self._cluster}/{task_id}"

    def container(self, task_id: str, container_id: str) -> str:
        """The ARN of a container of a task."""
        return f"{self._ecs}:container/{self._cluster}/{task_id}/{container_id}"

    def container_instance(self, container_instance_id: str) -> str:
        """The ARN of a container instance of the cluster."""
        return f"{self._ecs}:container-instance/{self._cluster}/{container_instance_id}"

    def task_definition(self, family: str, revision: int) -> str:
        """The ARN of one revision; task definitions belong to no cluster."""
        return f"{self._ecs}:task-definition/{family}:{revision}"

    def capacity_provider(self, name: str) -> str:
        """The ARN of a capacity provider."""
        return f"{self._ecs}:capacity-provider/{name}"

    def group(self, name: str, group_id: str) -> str:
        """The ARN of an Auto Scaling group."""
        return f"{self._auto_scaling}:autoScalingGroup:{group_id}:autoScalingGroupName/{name}"

    def scaling_policy(self, group: str, name: str) -> str:
        """The ARN of a scaling policy of a group."""
        return f"{self._auto_scaling}:scalingPolicy:{name}:autoScalingGroupName/{group}:policyName/{name}"

    def scheduled_action(self, group: str, name: str) -> str:
        """The ARN of a scheduled action of a group."""
        return (
            f"{self._auto_scaling}:scheduledUpdateGroupAction:{name}:"
            f"autoScalingGroupName/{group}:scheduledActionName/{name}"
        )

    def launch_configuration(self, name: str, configuration_id: str) -> str:
        """The ARN of a launch configuration."""
        return f"{self._auto_scaling}:launchConfiguration:{configuration_id}:launchConfigurationName/{name}"

    def ec2_instance(self, instance_id: str) -> str:
        """The ARN of an EC2 instance."""
        return f"arn:aws:ec2:{self._in_account}:instance/{instance_id}"

    def log_stream(self, group: str, stream: str) -> str:
        """The ARN of a log stream of a log group."""
        return f"arn:aws:logs:{self._in_account}:log-group:{group}:log-stream:{stream}"

    def user(self, name: str) -> str:
        """The ARN of an IAM user of the account."""
        return f"arn:aws:iam::{self._account_id}:user/{name}"


def resource_id(reference: str) -> str:
    """The id in a short id or a full ARN: ECS takes either wherever it takes one."""
    return reference.rsplit("/", 1)[-1]
