"""Token buckets: how often AWS answers, as it documents it. All are per account and region."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """`burst` tokens at most, `per_s` new ones a second; one call takes one, of `operations`."""

    name: str
    burst: float
    per_s: float
    operations: frozenset[str]
    source: str


_ECS = "ECS Developer Guide: Request throttling for the Amazon ECS API"
_EC2 = "EC2 Developer Guide: Request throttling for the Amazon EC2 API"
_LOGS = "CloudWatch Logs User Guide: CloudWatch Logs quotas"


def _of(operations: str) -> frozenset[str]:
    return frozenset(operations.split())


TERMINATED_INSTANCES = "ec2_terminated_instances"
AUTO_SCALING = "auto_scaling"
PLAIN_DESCRIBE_INSTANCES = "ec2_plain_describe_instances"
EC2_READ = "ec2_read"

BUCKETS = (
    Bucket(
        "ecs_cluster_resource_modify",
        100,
        40,
        _of("StartTask StopTask DeregisterContainerInstance UpdateContainerInstancesState"),
        _ECS,
    ),
    Bucket(
        "ecs_cluster_resource_read",
        100,
        20,
        _of("DescribeTasks ListTasks DescribeContainerInstances ListContainerInstances"),
        _ECS,
    ),
    Bucket(
        "ecs_task_definition_modify",
        20,
        1,
        _of("RegisterTaskDefinition DeregisterTaskDefinition"),
        _ECS,
    ),
    Bucket("ecs_task_definition_read", 50, 20, _of("DescribeTaskDefinition ListTaskDefinitions"), _ECS),
    Bucket("ecs_cluster_read", 50, 20, _of("DescribeClusters DescribeCapacityProviders"), _ECS),
    Bucket("ecs_service_read", 100, 20, _of("DescribeServices"), _ECS),
    Bucket(
        EC2_READ,
        100,
        20,
        _of("DescribeInstances DescribeInstanceTypes DescribeLaunchTemplateVersions GetConsoleOutput"),
        f"{_EC2}, non-mutating actions",
    ),
    Bucket(
        PLAIN_DESCRIBE_INSTANCES,
        50,
        10,
        _of(""),
        f"{_EC2}, unfiltered and unpaginated DescribeInstances",
    ),
    Bucket("ec2_terminate", 100, 5, _of("TerminateInstances"), f"{_EC2}, TerminateInstances requests"),
    Bucket(TERMINATED_INSTANCES, 1_000, 20, _of(""), f"{_EC2}, TerminateInstances instances"),
    # Rates without a burst. GetLogEvents: 25 in most regions, and 10 in six of them, as here in eu-west-1.
    Bucket("logs_get_log_events", 10, 10, _of("GetLogEvents"), _LOGS),
    Bucket("logs_put_log_events", 5_000, 5_000, _of("PutLogEvents"), _LOGS),
    Bucket("logs_create_log_stream", 50, 50, _of("CreateLogStream"), _LOGS),
    Bucket("logs_create_log_group", 10, 10, _of("CreateLogGroup"), _LOGS),
)
"""Auto Scaling publishes no bucket: its one is a knob of the settings."""

BUCKET_NAMES = frozenset({AUTO_SCALING, *(bucket.name for bucket in BUCKETS)})
