"""Permissions: calls without effect that show what IAM allows, and what cannot be shown that way.

Which actions there are, and which the service cannot do without, is read off the proposed policy: the names
of its statements begin with Required or Optional.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.failures import failure_of, is_denied
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.cli.doctor.findings import Finding, not_checked, ok, problem, warning
from scheduler.cli.iam import proposed_policy
from scheduler.config import Settings

CHECK = "permissions"

NOBODY = "0" * 32
"""An id that no task, container instance or log stream has."""

Probe = Callable[[], Any]


def probes(clients: AwsClients, logs: LogClients, settings: Settings, member: str | None) -> dict[str, Probe]:
    """A call for each action that can be tried without effect; `member` is an EC2 id of the group."""
    ecs, scaling, ec2 = clients.ecs, clients.autoscaling, clients.ec2
    cluster = {"cluster": settings.cluster}
    group = {"AutoScalingGroupName": settings.group}
    family = settings.agents.family
    return {
        "ecs:ListTasks": lambda: ecs.list_tasks(**cluster, maxResults=1),
        "ecs:DescribeTasks": lambda: ecs.describe_tasks(**cluster, tasks=[NOBODY]),
        "ecs:ListContainerInstances": lambda: ecs.list_container_instances(**cluster, maxResults=1),
        "ecs:DescribeContainerInstances": lambda: ecs.describe_container_instances(
            **cluster, containerInstances=[NOBODY]
        ),
        "ecs:DescribeClusters": lambda: ecs.describe_clusters(clusters=[settings.cluster]),
        "ecs:DescribeServices": lambda: ecs.describe_services(**cluster, services=[NOBODY]),
        "ecs:DescribeCapacityProviders": lambda: ecs.describe_capacity_providers(maxResults=1),
        "ecs:ListTaskDefinitions": lambda: ecs.list_task_definitions(familyPrefix=family, maxResults=1),
        "ecs:DescribeTaskDefinition": lambda: logs.ecs.describe_task_definition(taskDefinition=family),
        "autoscaling:DescribeAutoScalingGroups": lambda: scaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[settings.group]
        ),
        "autoscaling:DescribeLaunchConfigurations": lambda: scaling.describe_launch_configurations(
            MaxRecords=1
        ),
        "autoscaling:DescribeScalingActivities": lambda: scaling.describe_scaling_activities(**group),
        "autoscaling:DescribePolicies": lambda: scaling.describe_policies(**group),
        "autoscaling:DescribeScheduledActions": lambda: scaling.describe_scheduled_actions(**group),
        "autoscaling:DescribeInstanceRefreshes": lambda: scaling.describe_instance_refreshes(**group),
        "ec2:DescribeInstances": lambda: ec2.describe_instances(MaxResults=5),
        "ec2:DescribeInstanceTypes": lambda: ec2.describe_instance_types(MaxResults=5),
        "ec2:DescribeLaunchTemplateVersions": lambda: ec2.describe_launch_template_versions(
            Versions=["$Latest"]
        ),
        **_on_member(clients, logs, member),
        **_on_log_group(logs, settings),
    }


def _on_member(clients: AwsClients, logs: LogClients, member: str | None) -> Mapping[str, Probe]:
    """These are allowed by an instance's tag, so they need one to ask for."""
    if member is None:
        return {}
    return {
        "ec2:TerminateInstances": lambda: clients.ec2_once.terminate_instances(
            InstanceIds=[member], DryRun=True
        ),
        "ec2:GetConsoleOutput": lambda: logs.ec2.get_console_output(InstanceId=member),
    }


def _on_log_group(logs: LogClients, settings: Settings) -> Mapping[str, Probe]:
    options = dict(settings.agents.log_options)
    group = options.get("awslogs-group")
    if settings.agents.log_driver != "awslogs" or not group:
        return {}
    client = logs.logs_in(options.get("awslogs-region") or logs.region)
    return {
        "logs:GetLogEvents": lambda: client.get_log_events(logGroupName=group, logStreamName=NOBODY, limit=1)
    }


def proposed_actions() -> dict[str, str]:
    """Each action of the proposed policy, and its statement."""
    statements = json.loads(proposed_policy())["Statement"]
    return {action: each["Sid"] for each in statements for action in _several(each["Action"])}


def check_permissions(asked: Mapping[str, Probe]) -> Iterator[Finding]:
    """One finding for all that is allowed, one for each action that is not, one for what nobody can tell."""
    sids = proposed_actions()
    allowed, unknown = [], [action for action in sids if action not in asked]
    for action, probe in asked.items():
        refusal, reason = _refusal(probe)
        if refusal:
            yield _denied(action, sids[action], refusal)
        elif reason:
            yield not_checked(CHECK, f"{action}: {reason}")
        else:
            allowed.append(action)
    yield ok(CHECK, f"{len(allowed)} actions are allowed, as calls without effect have shown")
    yield not_checked(CHECK, f"no harmless call shows these: {', '.join(sorted(unknown))}")


def _denied(action: str, sid: str, refusal: str) -> Finding:
    remedy = f"allow it: statement {sid} of deploy/iam-policy.json; docs/iam.md says what is lost without"
    told = f"{action} is not allowed ({refusal})"
    return problem(CHECK, told, remedy) if sid.startswith("Required") else warning(CHECK, told, remedy)


def _refusal(probe: Probe) -> tuple[str, str]:
    """AWS's words if IAM refuses; else why nothing was learnt, if so. Any other refusal came after IAM's."""
    try:
        probe()
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        failure = failure_of(error)
        if is_denied(failure):
            return failure.message, ""
        answered = isinstance(error, ClientError) and failure.definite and not failure.throttled
        return "", "" if answered else f"{failure.code}: {failure.message}"
    return "", ""


def _several(shape: str | list[str]) -> Iterable[str]:
    return [shape] if isinstance(shape, str) else shape
