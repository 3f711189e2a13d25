"""Checks of what is in AWS: cluster, group, whether the two belong together, and what fights the service."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from scheduler.adapters.aws.access import AccessProblem, check_access, check_caller
from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.failures import failure_of, is_denied
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.cli.doctor.findings import Finding, not_checked, ok, problem, warning
from scheduler.cli.doctor.permissions import NOBODY
from scheduler.config import Settings
from scheduler.core.model.group import InstanceGroup
from scheduler.ports.cloud import CloudError

_TYPES = "ECS_SCHEDULER_INSTANCE_TYPES"

_NO_SUCH_GROUP = "log group does not exist"
"""CloudWatch Logs' words; where only the stream is missing they are of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Clients of the region, and the port on them."""

    settings: Settings
    clients: AwsClients
    logs: LogClients
    cloud: AwsCloud


def check_credentials(around: Surroundings) -> Finding:
    """Who we are; where STS cannot be reached, at least that AWS answers us."""
    try:
        caller = check_caller(around.clients, around.settings.cluster)
        told = caller or check_access(around.clients, around.settings.cluster) or "AWS answers; STS does not"
    except AccessProblem as error:
        return problem("credentials", str(error), "give the service a role or a profile, and a way to AWS")
    return ok("credentials", told)


def check_cluster(around: Surroundings) -> Finding:
    """Whether it is there and takes tasks."""
    name, region = around.settings.cluster, around.clients.region
    try:
        found = around.clients.ecs.describe_clusters(clusters=[name])["clusters"]
    except (BotoCoreError, ClientError) as error:
        return _unread("cluster", f"{failure_of(error).code}: {failure_of(error).message}", error)
    if not found:
        return problem("cluster", f"no ECS cluster {name} in {region}", "correct ECS_CLUSTER or AWS_REGION")
    if found[0]["status"] != "ACTIVE":
        return problem("cluster", f"{name} is {found[0]['status']}", "use a cluster that is ACTIVE")
    return ok("cluster", f"{name} is ACTIVE in {region}")


def check_group(around: Surroundings, seen: InstanceGroup | CloudError) -> Finding:
    """Whether it is there."""
    if isinstance(seen, CloudError):
        return problem("group", str(seen), "correct ECS_ASG, or allow autoscaling:DescribeAutoScalingGroups")
    size = f"{seen.min_size} to {seen.max_size} instances, desired {seen.desired}, {len(seen.members)} there"
    return ok("group", f"{around.settings.group}: {size}")


def check_pairing(around: Surroundings, group: InstanceGroup) -> Finding:
    """Whether members of the group are container instances of the cluster: else nothing is ever done."""
    try:
        known = {each.ec2_instance_id for each in around.cloud.container_instances()}
    except CloudError as error:
        return not_checked("pairing", str(error))
    both = known & group.members.keys()
    text = f"{len(both)} of {len(group.members)} members are among the cluster's {len(known)} instances"
    if both:
        return ok("pairing", text)
    if not group.members:
        return warning("pairing", "the group is empty", "start one instance and look again")
    remedy = "correct ECS_ASG or ECS_CLUSTER, or wait for the first member to register"
    return problem("pairing", text, remedy)


def check_hazards(around: Surroundings) -> Iterator[Finding]:
    """What ends busy instances, or scales the group too."""
    try:
        hazards = around.cloud.hazards(around.settings.group)
    except CloudError as error:
        yield not_checked("hazards", str(error))
        return
    for each in hazards:
        tell = problem if each.stops_scaling else warning
        yield tell("hazards", f"{each.reason}: {each.message}", "docs/operations.md, conditions")
    if not hazards:
        yield ok("hazards", "nothing of the group's own ends busy instances")


def check_types(around: Surroundings, group: InstanceGroup) -> Finding:
    """Whether it is known what the group would launch, and what was said of that is true."""
    try:
        types = [each.name for each in around.cloud.instance_types(around.settings.group)]
    except CloudError as error:
        remedy = f"correct the group's instance types or {_TYPES}, and allow them to be described"
        return problem("types", str(error), remedy)
    launches, said = f"the group launches {', '.join(types)}", around.settings.instance_types
    if not set(said) <= set(types):
        return warning("types", f"{launches} by its own word, whatever {_TYPES} says", f"unset {_TYPES}")
    launched = {each.instance_type for each in group.members.values()}
    if said and (unsaid := sorted(launched - {"", *types})):
        remedy = f"name them in {_TYPES}, or narrow the group's requirements"
        return warning("types", f"members are of types that {_TYPES} lacks: {', '.join(unsaid)}", remedy)
    return ok("types", launches)


def check_log_group(around: Surroundings) -> Finding:
    """Whether containers can log there: one whose log group is missing does not start."""
    agents = around.settings.agents
    options = dict(agents.log_options)
    if agents.log_driver != "awslogs":
        driver = agents.log_driver or "the container instances' own"
        return ok("logs", f"log driver: {driver}; only awslogs can be read by TailLogs")
    group = options.get("awslogs-group")
    if not group:
        return problem("logs", "awslogs-group is not set", "name it in ECS_LOGOPTIONS, and set it")
    client = around.logs.logs_in(options.get("awslogs-region") or around.logs.region)
    return _group_is_there(
        group, lambda: client.get_log_events(logGroupName=group, logStreamName=NOBODY, limit=1)
    )


def _group_is_there(group: str, read: Callable[[], object]) -> Finding:
    """By what is said of a stream that nobody has."""
    try:
        read()
    except (BotoCoreError, ClientError) as error:
        failure = failure_of(error)
        if failure.code != "ResourceNotFoundException":
            return _unread("logs", f"{failure.code}: {failure.message}", error)
        if _NO_SUCH_GROUP in failure.message:
            return problem("logs", f"there is no log group {group}", "make it, or correct awslogs-group")
    return ok("logs", f"the log group {group} is there")


def _unread(check: str, told: str, error: Exception) -> Finding:
    """What IAM refuses is told under permissions."""
    if is_denied(failure_of(error)):
        return not_checked(check, "IAM does not let us look")
    return problem(check, told, "try again; then look at the network and at AWS's health")
