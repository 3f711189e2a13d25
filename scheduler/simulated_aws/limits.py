"""Documented limits: one table, and the one check that reads it."""

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.simulated_aws.errors import ApiError


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as AWS documents it."""

    value: int
    unit: str
    source: str


_QUOTAS = "ECS Developer Guide: Service quotas"

START_TASK_INSTANCES = Limit(10, "container instances", "ECS API: StartTask, containerInstances")
STARTED_BY = Limit(36, "characters", "ECS API: StartTask, startedBy")
OVERRIDES = Limit(
    8192, "characters", "ECS API: TaskOverride / StartTask, overrides (JSON formatting included)"
)
TAGS = Limit(50, "tags", "ECS API: StartTask, tags")
TAG_KEY = Limit(128, "characters", "ECS API: Tag, key")
TAG_VALUE = Limit(256, "characters", "ECS API: Tag, value")
DESCRIBE_TASKS = Limit(100, "tasks", "ECS API: DescribeTasks, tasks")
DESCRIBE_CONTAINER_INSTANCES = Limit(
    100, "container instances", "ECS API: DescribeContainerInstances, containerInstances"
)
UPDATE_CONTAINER_INSTANCES = Limit(
    10, "container instances", "ECS API: UpdateContainerInstancesState, containerInstances"
)
DESCRIBE_CAPACITY_PROVIDERS = Limit(
    100, "capacity providers", "ECS API: DescribeCapacityProviders, capacityProviders"
)
CAPACITY_PROVIDERS_PAGE = Limit(10, "results", "ECS API: DescribeCapacityProviders, maxResults")
DESCRIBE_SERVICES = Limit(10, "services", "ECS API: DescribeServices, services")
DESCRIBE_CLUSTERS = Limit(100, "clusters", "ECS API: DescribeClusters, clusters")
ECS_PAGE = Limit(
    100, "results", "ECS API: ListTasks / ListContainerInstances / ListTaskDefinitions, maxResults"
)
FAMILY = Limit(255, "characters", "ECS API: RegisterTaskDefinition, family")
CONTAINER_NAME = Limit(255, "characters", "ECS API: ContainerDefinition, name")
CONTAINERS = Limit(10, "containers", f"{_QUOTAS}, containers per task definition")
TASK_DEFINITION_SIZE = Limit(64 * 1024, "bytes", f"{_QUOTAS}, task definition size")
REVISIONS = Limit(1_000_000, "revisions", f"{_QUOTAS}, revisions per family; deregistered ones count")
CLUSTER_INSTANCES = Limit(5_000, "container instances", f"{_QUOTAS}, container instances per cluster")

GROUPS_PAGE = Limit(100, "records", "Auto Scaling API: DescribeAutoScalingGroups, MaxRecords (default 50)")
ACTIVITIES_PAGE = Limit(
    100, "records", "Auto Scaling API: DescribeScalingActivities, MaxRecords (default 100)"
)
CONFIGURATIONS_PAGE = Limit(
    100, "records", "Auto Scaling API: DescribeLaunchConfigurations, MaxRecords (default 50)"
)
WARM_POOL_PAGE = Limit(50, "records", "Auto Scaling API: DescribeWarmPool, MaxRecords")
PLANS_PAGE = Limit(
    100,
    "records",
    "Auto Scaling API: DescribePolicies / DescribeScheduledActions / DescribeInstanceRefreshes, MaxRecords",
)
DETACH_INSTANCES = Limit(20, "instances", "Auto Scaling API: DetachInstances, InstanceIds")

DESCRIBE_INSTANCES_PAGE = Limit(1_000, "results", "EC2 API: DescribeInstances, MaxResults (5 to 1000)")
EC2_PAGE_MINIMUM = Limit(
    5, "results", "EC2 API: DescribeInstances / DescribeInstanceTypes, MaxResults (from 5)"
)
TERMINATE_INSTANCES = Limit(1_000, "instances", "EC2 API: TerminateInstances, InstanceIds")
INSTANCE_TYPES = Limit(100, "instance types", "EC2 API: DescribeInstanceTypes, InstanceTypes and MaxResults")

LOG_EVENTS_PAGE = Limit(10_000, "events", "CloudWatch Logs API: GetLogEvents, limit")
LOG_EVENTS_BATCH = Limit(10_000, "events", "CloudWatch Logs API: PutLogEvents, logEvents")
LOG_EVENTS_BYTES = Limit(1_048_576, "bytes", "CloudWatch Logs API: PutLogEvents, batch; GetLogEvents, 1 MB")


def refuse_above(limit: Limit, count: int, *, of: str, refusal: Callable[[str], ApiError]) -> None:
    """Refuse `count` above the limit. AWS words each refusal differently; ours name the limit."""
    if count > limit.value:
        raise refusal(f"{of} must have at most {limit.value} {limit.unit}, but has {count}.")
