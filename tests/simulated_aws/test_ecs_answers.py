"""Every answer has the form that botocore's own models give it, so that an adapter can rely on it."""

from typing import Any, get_args

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.group_features import (
    CapacityProvider,
    InstanceRefresh,
    ScalingPolicy,
    ScheduledAction,
)
from scheduler.simulated_aws.settings import LaunchSourceKind
from tests.simulated_aws.driver import Driver, container, environment, make_account

SERVICES = ("ecs", "autoscaling", "ec2", "logs", "sts")
MODELS: dict[str, ServiceModel] = {
    name: botocore.session.get_session().get_service_model(name) for name in SERVICES
}


# Every feature of the group and the cluster, so that each shape is checked.
FEATURES: dict[str, Any] = {
    "max_instance_lifetime_s": 86_400,
    "scaling_policies": (ScalingPolicy(name="p"),),
    "scheduled_actions": (ScheduledAction(name="night", desired_capacity=0),),
    "instance_refreshes": (InstanceRefresh(),),
    "capacity_providers": (CapacityProvider(name="ci"), CapacityProvider(name="x", auto_scaling_group="x")),
    "default_capacity_providers": ("ci", "FARGATE"),
}


class Checked:
    """An account that checks each answer against the model of its operation."""

    def __init__(self, inner: SimulatedAws) -> None:
        self._inner = inner
        self.journal = inner.journal
        self.seen: set[str] = set()
        self.fail_launches = inner.fail_launches

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = self._inner.call(service, operation, params)
        shape = MODELS[service].operation_model(operation).output_shape
        if shape is None:
            assert answer == {}
        else:
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), f"{operation}: {report.generate_report()}"
        self.seen.add(operation)
        return answer


def operations_of(aws: SimulatedAws, service: str) -> dict[str, frozenset[str]]:
    return {name: entry.honoured for name, entry in aws.operations(service).items()}


def exercise(account: Driver) -> None:
    """Call every operation at least once, with tasks and instances in several states."""
    aws = account.aws
    full = container(memory=5_000, stopTimeout=3, environment=[{"name": "A", "value": "1"}])
    arn = account.register("agents", full, tags=[{"key": "a", "value": "1"}])["taskDefinitionArn"]
    account.definitions("DescribeTaskDefinition", taskDefinition=arn, include=["TAGS"])
    account.definitions("ListTaskDefinitions")
    tasks = [account.started(startedBy=f"a-{n}", overrides=environment(B="2")) for n in range(3)]
    account.pass_ms(20_000)
    account.ecs("StopTask", task=tasks[0], reason="test")
    account.group("SuspendProcesses", ScalingProcesses=["AZRebalance"])
    account.group("ResumeProcesses", ScalingProcesses=["AZRebalance"])
    account.aws.fail_launches(1, "We currently do not have sufficient capacity.")
    account.set_desired(3)
    account.pass_ms(100_000)
    account.ecs("ListTasks", desiredStatus="STOPPED")
    account.ecs("DescribeTasks", tasks=[*tasks, "0" * 32], include=["TAGS"])
    account.definitions("DescribeClusters", clusters=["ci", "other"])
    account.ecs("DescribeServices", services=["router", "other"])
    account.definitions("DescribeCapacityProviders", include=["TAGS"])
    account.definitions("DescribeCapacityProviders", capacityProviders=["other"])
    for operation in ("DescribePolicies", "DescribeScheduledActions", "DescribeInstanceRefreshes"):
        account.group(operation)
    account.group("DescribeScalingActivities")
    rest_in_a_warm_pool(account)
    aws.call("autoscaling", "DescribeLaunchConfigurations", {})
    group = account.described_group()
    policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    template = group.get("LaunchTemplate") or policy.get("LaunchTemplateSpecification")
    if template:
        account.ec2("DescribeLaunchTemplateVersions", LaunchTemplateId=template["LaunchTemplateId"])
    account.ec2("DescribeInstanceTypes")
    account.ec2("GetConsoleOutput", InstanceId=account.instance()["ec2InstanceId"])
    write_logs(aws)
    account.ec2("TerminateInstances", InstanceIds=[account.instance()["ec2InstanceId"]])
    account.ec2("DescribeInstances")
    account.instances()
    account.drain()
    account.definitions("DeregisterTaskDefinition", taskDefinition=arn)
    member = next(id for id, state in account.members().items() if state == "InService")
    account.detach(member)
    left = account.instance()["containerInstanceArn"]
    account.ecs("DeregisterContainerInstance", containerInstance=left, force=True)
    aws.call("sts", "GetCallerIdentity", {})


def rest_in_a_warm_pool(account: Driver) -> None:
    """Call every operation of the group's warm pool."""
    account.group("PutWarmPool", MinSize=1, PoolState="Hibernated")
    account.pass_ms(100_000)
    account.group("DescribeWarmPool")
    account.described_group()
    account.group("DeleteWarmPool")
    account.group("DescribeWarmPool")


def write_logs(aws: SimulatedAws) -> None:
    """Call every operation of CloudWatch Logs."""
    stream = {"logGroupName": "builds", "logStreamName": "one"}
    aws.call("logs", "CreateLogGroup", {"logGroupName": "builds"})
    aws.call("logs", "CreateLogStream", stream)
    old = {"timestamp": 0, "message": "x"}
    aws.call("logs", "PutLogEvents", {**stream, "logEvents": [old]})
    aws.call("logs", "GetLogEvents", stream)


@pytest.mark.parametrize("launch_source", get_args(LaunchSourceKind))
def test_answers_fit_botocores_models(launch_source: str) -> None:
    """No answer has a member that AWS's model does not have, nor one of another type."""
    types = ("g4dn.xlarge", "m4.4xlarge")
    weights = (1, 1) if launch_source == "mixed_instances" else ()
    plain = make_account(
        launch_source=launch_source,
        instance_types=types,
        weighted_capacities=weights,
        daemon_services=("router",),
        **FEATURES,
    )
    checked = Checked(plain.aws)
    exercise(Driver(plain.clock, checked))  # type: ignore[arg-type]  # it has all that the driver uses
    offered = {name for service in SERVICES for name in plain.aws.operations(service)}
    unseen = offered - checked.seen
    assert unseen <= (
        {"DescribeLaunchTemplateVersions"} if launch_source == "launch_configuration" else set()
    )


def test_honoured_parameters_exist() -> None:
    """Every parameter that an operation honours is one of AWS's."""
    aws = make_account().aws
    for service in SERVICES:
        for name, honoured in operations_of(aws, service).items():
            shape = MODELS[service].operation_model(name).input_shape
            assert honoured <= (set(shape.members) if shape else set()), name


def test_required_parameters_are_aws_own() -> None:
    """What AWS's model requires, the account requires too."""
    aws = make_account().aws
    for service in SERVICES:
        for name, entry in aws.operations(service).items():
            shape = MODELS[service].operation_model(name).input_shape
            assert set(shape.required_members if shape else []) == entry.required, name
