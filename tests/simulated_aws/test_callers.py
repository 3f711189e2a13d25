"""Callers with a policy: what they may do, and how each service refuses the rest."""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scheduler.simulated_aws.callers import Caller
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.http import HttpFront, ThreadedFront
from scheduler.simulated_aws.iam_policy import parse_policy
from scheduler.simulated_aws.journal import Effect
from tests.policies import deployed
from tests.simulated_aws.driver import Driver, make_account

USER = "User: arn:aws:iam::123456789012:user/simulated is not authorized to perform: "
ROLE = "arn:aws:iam::123456789012:role/"
TAGS = [{"key": "a", "value": "b"}]

# Service, operation, parameters, and the code and the beginning of the message of its refusal.
REFUSALS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("ecs", "ListTasks", {"cluster": "ci"}, "AccessDeniedException", USER),
    (
        "autoscaling",
        "SetDesiredCapacity",
        {"AutoScalingGroupName": "ci-agents", "DesiredCapacity": 1},
        "AccessDenied",
        USER,
    ),
    (
        "ec2",
        "DescribeInstances",
        {},
        "UnauthorizedOperation",
        f"You are not authorized to perform this operation. {USER}",
    ),
    (
        "logs",
        "GetLogEvents",
        {"logGroupName": "ci-agents", "logStreamName": "s"},
        "AccessDeniedException",
        USER,
    ),
]


def caller_of(account: Driver, *statements: dict[str, Any]) -> Driver:
    """The account as somebody sees it who may do what these statements say."""
    policy = parse_policy(json.dumps({"Statement": list(statements)}))
    return Driver(account.clock, Caller(account.aws, policy))  # type: ignore[arg-type]  # calls are all it needs


def within_policy(account: Driver, **changes: Any) -> Driver:
    """The account as somebody sees it who has the proposed policy."""
    return Driver(account.clock, Caller(account.aws, deployed(**changes)))  # type: ignore[arg-type]  # as above


def denied(action: str) -> "pytest.RaisesExc[ApiError]":
    """Expects a refusal of this action."""
    return pytest.raises(ApiError, match=f"is not authorized to perform: {action} on resource: ")


@pytest.mark.parametrize(("service", "operation", "params", "code", "words"), REFUSALS)
def test_each_service_refuses_in_its_own_words(
    service: str, operation: str, params: dict[str, Any], code: str, words: str
) -> None:
    """By code and text, through boto3's in-process likeness."""
    caller = caller_of(make_account())
    client = InProcessClient(caller.aws, service)
    with pytest.raises(ClientError) as refusal:
        client._call(operation, params)
    error = refusal.value.response["Error"]
    assert error["Code"] == code
    assert error["Message"].startswith(f"{words}{service}:{operation} on resource: ")
    assert error["Message"].endswith(
        f"because no identity-based policy allows the {service}:{operation} action"
    )


@pytest.mark.parametrize(("service", "operation", "params", "code", "words"), REFUSALS)
def test_unmodified_boto3_hears_the_refusal(
    service: str, operation: str, params: dict[str, Any], code: str, words: str
) -> None:
    """In the form of each service's protocol, over HTTP."""
    caller = caller_of(make_account())
    with ThreadedFront(HttpFront(caller.aws)) as url:
        session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-1")
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        client: Any = session.client(service, endpoint_url=url, config=config)  # type: ignore[call-overload]  # any
        with pytest.raises(ClientError) as refusal:
            client._make_api_call(operation, params)
    error = refusal.value.response["Error"]
    assert (error["Code"], error["Message"].startswith(words)) == (code, True)


def test_nobody_needs_permission_to_ask_who_he_is() -> None:
    """STS answers whoever has credentials."""
    answer = caller_of(make_account()).aws.call("sts", "GetCallerIdentity", {})
    assert answer["Arn"].endswith("user/simulated")


def test_an_explicit_deny_is_told_as_one() -> None:
    """It is another thing to mend than a missing allow."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    caller = caller_of(make_account(), everything, {**everything, "Effect": "Deny", "Action": "ecs:List*"})
    with pytest.raises(ApiError, match="with an explicit deny in an identity-based policy"):
        caller.ecs("ListTasks")


def test_a_refused_call_has_no_effect_and_is_in_the_journal() -> None:
    """The oracle sees what was tried."""
    account = make_account()
    with denied("autoscaling:SetDesiredCapacity"):
        caller_of(account).set_desired(2)
    assert account.described_group()["DesiredCapacity"] == 1
    assert [entry["action"] for entry in account.effects(Effect.ACCESS_DENIED)] == [
        "autoscaling:SetDesiredCapacity"
    ]


def test_the_account_itself_may_do_everything() -> None:
    """Policies bind callers; a test's own hand is the root user."""
    account = make_account()
    account.set_desired(2)
    assert account.described_group()["DesiredCapacity"] == 2


def test_another_cluster_is_out_of_reach() -> None:
    """Condition and ARN both name the cluster."""
    caller = within_policy(make_account())
    for operation in ("ListTasks", "ListContainerInstances"):
        with denied(f"ecs:{operation}"):
            caller.ecs(operation, cluster="production")


def test_another_family_cannot_be_started() -> None:
    """Whoever may start anything may take any role that others' definitions name."""
    account = make_account()
    account.register("somebody-elses")
    with denied("ecs:StartTask"):
        within_policy(account).start_task("somebody-elses", account.instance()["containerInstanceArn"])


@pytest.mark.parametrize("operation", ["register", "start"])
def test_tags_need_a_permission_of_their_own(operation: str) -> None:
    """At creation, and nowhere else (ECS Developer Guide: tag resources on creation)."""
    account = make_account()
    account.register()
    caller = within_policy(account, without="ecs:TagResource")
    act: Any = {"register": caller.register, "start": caller.start_task}[operation]
    act()
    with denied("ecs:TagResource"):
        act(tags=TAGS)


@pytest.mark.parametrize("member", ["taskRoleArn", "executionRoleArn"])
def test_a_role_needs_passing_when_it_is_registered_and_when_it_starts(member: str) -> None:
    """Of the roles that the policy names, to ECS tasks alone."""
    account = make_account()
    caller = within_policy(account)
    caller.register(**{member: f"{ROLE}ci-agent-build"})
    caller.start_task()
    with denied("iam:PassRole"):
        caller.register(**{member: f"{ROLE}administrator"})
    account.register(**{member: f"{ROLE}administrator"})
    with denied("iam:PassRole"):
        caller.start_task()


def test_a_role_of_an_override_needs_passing_too() -> None:
    """Else any task definition would do."""
    account = make_account()
    account.register()
    with denied("iam:PassRole"):
        within_policy(account).start_task(overrides={"taskRoleArn": f"{ROLE}administrator"})


def test_instances_are_terminated_by_their_tag_though_detached() -> None:
    """Detached they have lost the group's own tag, and the launch template's is still there."""
    account = make_account(desired_capacity=2)
    caller = within_policy(account)
    first, second = caller.members()
    caller.detach(first)
    account.hours_later(0.1)
    assert "aws:autoscaling:groupName" not in str(account.ec2_instance(first)["Tags"])
    caller.ec2("TerminateInstances", InstanceIds=[first])
    stranger = account.aws._ec2_instances.by_id[second]  # nobody but the model gives an instance other tags
    stranger.tags.clear()
    with denied("ec2:TerminateInstances"):
        caller.ec2("TerminateInstances", InstanceIds=[second])


def test_an_instance_that_is_not_there_is_not_found() -> None:
    """An id has no tags; EC2 refuses it as such."""
    with pytest.raises(ApiError, match="does not exist"):
        within_policy(make_account()).ec2("TerminateInstances", InstanceIds=["i-0123456789abcdef0"])


@pytest.mark.parametrize("without", ["", "ec2:TerminateInstances"])
def test_a_dry_run_tells_whether_it_is_allowed(without: str) -> None:
    """And ends nothing."""
    account = make_account()
    caller = within_policy(account, without=without)
    (member,) = account.members()
    with pytest.raises(ApiError) as answer:
        caller.ec2("TerminateInstances", InstanceIds=[member], DryRun=True)
    assert answer.value.code == ("UnauthorizedOperation" if without else "DryRunOperation")
    assert account.ec2_instance(member)["State"]["Name"] == "running"


def test_another_log_group_is_out_of_reach() -> None:
    """Its streams belong to somebody else."""
    caller = within_policy(make_account(log_groups=("ci-agents", "others")))
    caller.logs("CreateLogStream", logStreamName="s")
    caller.logs("PutLogEvents", logStreamName="s", logEvents=[{"timestamp": 0, "message": "m"}])
    with denied("logs:CreateLogStream"):
        caller.logs("CreateLogStream", logGroupName="others", logStreamName="s")


def test_a_task_definition_that_is_not_there_is_told_as_that() -> None:
    """It has no ARN to ask a policy about."""
    account = make_account()
    with pytest.raises(ApiError, match="TaskDefinition not found"):
        within_policy(account).start_task("agents", account.instance()["containerInstanceArn"])
