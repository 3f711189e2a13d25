"""Both fronts show one account alike: boto3 over HTTP and the in-process client."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.group_features import (
    CapacityProvider,
    InstanceRefresh,
    ScalingPolicy,
    ScheduledAction,
)
from scheduler.simulated_aws.http import HttpFront, ThreadedFront
from scheduler.simulated_aws.settings import SimulationSettings
from tests.clocks import VirtualClock

DEFINITION = {
    "family": "agent",
    "containerDefinitions": [{"name": "agent", "image": "agent:1", "cpu": 1024, "memory": 2048}],
}

FEATURED = SimulationSettings(
    max_instance_lifetime_s=86_400,
    scaling_policies=(ScalingPolicy(name="cpu"),),
    scheduled_actions=(ScheduledAction(name="night", desired_capacity=0),),
    instance_refreshes=(InstanceRefresh(),),
    capacity_providers=(CapacityProvider(name="ci"),),
    default_capacity_providers=("ci",),
)
DETACH = {"AutoScalingGroupName": "ci-agents", "ShouldDecrementDesiredCapacity": True}


class Account:
    """A simulated account with one running task, and its two fronts."""

    def __init__(self, url: str, clock: VirtualClock, simulated: SimulatedAws) -> None:
        session: Any = boto3.session.Session("AKID", "secret", region_name="eu-west-1")
        config = Config(retries={"total_max_attempts": 1})
        services = ("ecs", "autoscaling", "ec2", "sts")
        self.over_http = {name: session.client(name, endpoint_url=url, config=config) for name in services}
        self.in_process: dict[str, Any] = {name: InProcessClient(simulated, name) for name in services}
        self.instances = self.in_process["ecs"].list_container_instances(cluster="ci")[
            "containerInstanceArns"
        ]
        self.in_process["ecs"].register_task_definition(**DEFINITION)
        started = self.over_http["ecs"].start_task(
            cluster="ci", taskDefinition="agent", containerInstances=self.instances[:1], startedBy="a-1"
        )
        self.tasks = [task["taskArn"] for task in started["tasks"]]
        groups = self.in_process["autoscaling"].describe_auto_scaling_groups()["AutoScalingGroups"]
        self.launch_template_id = groups[0]["LaunchTemplate"]["LaunchTemplateId"]
        clock.advance_ms(30_000)

    def ask(self, clients: dict[str, Any], service: str, method: str, params: dict[str, Any]) -> Any:
        """The answer without its metadata, or what the error says."""
        try:
            answer = dict(getattr(clients[service], method)(**params))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return type(error).__name__, error.response["Error"], status
        del answer["ResponseMetadata"]
        return answer


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    clock = VirtualClock()
    simulated = SimulatedAws(clock, FEATURED)
    with ThreadedFront(HttpFront(simulated)) as url:
        account = Account(url, clock, simulated)
        yield account
        for client in account.over_http.values():
            client.close()


READS: list[tuple[str, str, Callable[[Account], dict[str, Any]]]] = [
    ("ecs", "describe_clusters", lambda _: {"clusters": ["ci", "other"]}),
    ("ecs", "describe_capacity_providers", lambda _: {"capacityProviders": ["ci", "FARGATE", "other"]}),
    ("ecs", "list_task_definitions", lambda _: {"familyPrefix": "agent"}),
    ("ecs", "describe_task_definition", lambda _: {"taskDefinition": "agent"}),
    ("ecs", "list_container_instances", lambda _: {"cluster": "ci", "status": "ACTIVE"}),
    ("ecs", "describe_container_instances", lambda it: {"cluster": "ci", "containerInstances": it.instances}),
    ("ecs", "list_tasks", lambda _: {"cluster": "ci", "startedBy": "a-1"}),
    ("ecs", "describe_tasks", lambda it: {"cluster": "ci", "tasks": it.tasks, "include": ["TAGS"]}),
    ("autoscaling", "describe_auto_scaling_groups", lambda _: {"AutoScalingGroupNames": ["ci-agents"]}),
    ("autoscaling", "describe_scaling_activities", lambda _: {"AutoScalingGroupName": "ci-agents"}),
    ("autoscaling", "describe_policies", lambda _: {"AutoScalingGroupName": "ci-agents"}),
    ("autoscaling", "describe_scheduled_actions", lambda _: {"AutoScalingGroupName": "ci-agents"}),
    ("autoscaling", "describe_instance_refreshes", lambda _: {"AutoScalingGroupName": "ci-agents"}),
    ("ec2", "describe_instances", lambda _: {"MaxResults": 10}),
    ("ec2", "describe_instance_types", lambda _: {"InstanceTypes": ["m4.4xlarge"]}),
    ("ec2", "describe_launch_template_versions", lambda it: {"LaunchTemplateId": it.launch_template_id}),
    ("sts", "get_caller_identity", lambda _: {}),
]

REFUSALS: list[tuple[str, str, dict[str, Any]]] = [
    ("ecs", "describe_tasks", {"cluster": "other", "tasks": ["t"]}),
    ("ecs", "describe_task_definition", {"taskDefinition": "other"}),
    ("ecs", "list_tasks", {"cluster": "ci", "maxResults": 1000}),
    ("autoscaling", "set_desired_capacity", {"AutoScalingGroupName": "ci-agents", "DesiredCapacity": 99}),
    ("autoscaling", "detach_instances", {**DETACH, "InstanceIds": ["i-0123456789abcdef0"]}),
    ("ecs", "deregister_container_instance", {"cluster": "ci", "containerInstance": "0" * 32}),
    ("ec2", "describe_instances", {"InstanceIds": ["i-0123456789abcdef0"]}),
]


@pytest.mark.parametrize(("service", "method", "params"), READS, ids=[method for _, method, _ in READS])
def test_both_fronts_give_the_same_answer(
    account: Account, service: str, method: str, params: Callable[[Account], dict[str, Any]]
) -> None:
    """What AWS's own model carries over the wire is all that the account has said."""
    over_http = account.ask(account.over_http, service, method, params(account))
    in_process = account.ask(account.in_process, service, method, params(account))
    assert isinstance(over_http, dict)
    assert over_http == in_process


@pytest.mark.parametrize(("service", "method", "params"), REFUSALS)
def test_both_fronts_give_the_same_refusal(
    account: Account, service: str, method: str, params: dict[str, Any]
) -> None:
    """Class, code, message and status of an error are the same."""
    over_http = account.ask(account.over_http, service, method, params)
    in_process = account.ask(account.in_process, service, method, params)
    assert isinstance(over_http, tuple)
    assert over_http[0] == in_process[0]
    assert over_http[1]["Code"] == in_process[1]["Code"] != "InternalFailure"
    assert over_http[1]["Message"] == in_process[1]["Message"]
    assert over_http[2] == in_process[2]


@pytest.mark.parametrize("front", ["over_http", "in_process"])
def test_an_instance_can_be_removed_through_either_front(front: str) -> None:
    """Drained, detached, terminated and deregistered: every step has its answer, and the group is smaller."""
    clock = VirtualClock()
    simulated = SimulatedAws(clock)
    with ThreadedFront(HttpFront(simulated)) as url:
        account = Account(url, clock, simulated)
        clients = getattr(account, front)
        arn = {"cluster": "ci", "containerInstances": account.instances[:1]}
        drained = clients["ecs"].update_container_instances_state(**arn, status="DRAINING")
        ec2_id = drained["containerInstances"][0]["ec2InstanceId"]
        detached = clients["autoscaling"].detach_instances(**DETACH, InstanceIds=[ec2_id])
        assert [a["StatusCode"] for a in detached["Activities"]] == ["InProgress"]
        gone = clients["ec2"].terminate_instances(InstanceIds=[ec2_id])["TerminatingInstances"][0]
        assert gone["CurrentState"]["Name"] == "shutting-down"
        left = {"cluster": "ci", "containerInstance": account.instances[0], "force": True}
        assert (
            clients["ecs"].deregister_container_instance(**left)["containerInstance"]["status"] == "INACTIVE"
        )
        (group,) = clients["autoscaling"].describe_auto_scaling_groups()["AutoScalingGroups"]
        for client in account.over_http.values():
            client.close()
    assert group["DesiredCapacity"] == 1
