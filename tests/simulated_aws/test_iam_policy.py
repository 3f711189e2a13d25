"""IAM policies: what is understood, what is refused at load, and what is allowed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.simulated_aws.iam_policy import AccessRequest, PolicyError, Verdict, parse_policy

CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/ci"


def verdict(*statements: dict[str, Any], action: str = "ecs:StopTask", **request: Any) -> Verdict:
    """What a policy of these statements says; each allows everything that it does not say otherwise."""
    whole = [{"Effect": "Allow", "Action": "*", "Resource": "*", **each} for each in statements]
    policy = parse_policy(json.dumps({"Version": "2012-10-17", "Statement": whole}))
    return policy.verdict(AccessRequest(action=action, **request))


@pytest.mark.parametrize(
    "action", ["ecs:StopTask", "ECS:stoptask", "ecs:Stop*", "ecs:*", "*", "ecs:St?pTask"]
)
def test_actions_are_compared_without_case_and_with_wildcards(action: str) -> None:
    """However the policy writes it."""
    assert verdict({"Action": action}) is Verdict.ALLOWED


@pytest.mark.parametrize("action", ["ecs:StartTask", "ec2:*", "ecs:Stop", "ecs:StopTask?"])
def test_what_no_statement_names_is_not_allowed(action: str) -> None:
    """Near is not enough."""
    assert verdict({"Action": ["ecs:ListTasks", action]}) is Verdict.NOT_ALLOWED


def test_resources_are_compared_with_case() -> None:
    """An ARN of another cluster is another resource."""
    assert verdict({"Resource": f"{CLUSTER}*"}, resource=CLUSTER) is Verdict.ALLOWED
    assert verdict({"Resource": CLUSTER.upper()}, resource=CLUSTER) is Verdict.NOT_ALLOWED


def test_an_explicit_deny_wins() -> None:
    """Wherever it stands."""
    assert verdict({"Effect": "Deny", "Action": "ecs:Stop*"}, {}) is Verdict.DENIED
    assert verdict({}, {"Effect": "Deny", "Action": "ecs:Stop*"}) is Verdict.DENIED
    assert verdict({}, {"Effect": "Deny", "Action": "ecs:Start*"}) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("StringEquals", CLUSTER, True),
        ("StringEquals", "arn:aws:ecs:*", False),
        ("StringEquals", ["other", CLUSTER], True),
        ("StringLike", "arn:aws:ecs:*", True),
        ("StringLike", "*:cluster/prod", False),
        ("ArnEquals", "arn:aws:ecs:*:123456789012:cluster/c?", True),
        ("ArnLike", "arn:aws:ecs:*:cluster/ci", False),
    ],
)
def test_conditions(operator: str, value: str | list[str], holds: bool) -> None:
    """One value of several must match; a wildcard of an ARN does not reach over a colon."""
    statement = {"Condition": {operator: {"ecs:cluster": value}}}
    allowed = verdict(statement, context={"ecs:cluster": CLUSTER}) is Verdict.ALLOWED
    assert allowed == holds


def test_a_request_without_the_key_meets_no_condition() -> None:
    """What the service does not send along cannot match."""
    statement = {"Condition": {"StringLike": {"ecs:cluster": "*"}}}
    assert verdict(statement) is Verdict.NOT_ALLOWED


def test_all_conditions_must_hold() -> None:
    """Operators and keys are joined by AND."""
    statement = {"Condition": {"StringEquals": {"a": "1", "b": "2"}}}
    assert verdict(statement, context={"a": "1", "b": "2"}) is Verdict.ALLOWED
    assert verdict(statement, context={"a": "1", "b": "3"}) is Verdict.NOT_ALLOWED


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "condition operator IpAddress"),
        ({"NotAction": "iam:*"}, "NotAction is not evaluated"),
        ({"Effect": "allow"}, "Effect is Allow or Deny"),
        ({"Action": []}, "a text or a list of texts"),
        ({"Resource": 7}, "a text or a list of texts"),
        ({"Condition": ["StringEquals"]}, "Condition is an object of objects"),
        ({"Resource": "${aws:username}"}, "not a policy"),
        ({"Resource": "${NOBODY}"}, "unknown placeholder ${NOBODY}"),
    ],
)
def test_what_is_not_evaluated_is_refused_in_one_line(statement: dict[str, Any], words: str) -> None:
    """Else a policy would be taken for stricter, or for wider, than it is."""
    with pytest.raises(PolicyError) as refusal:
        verdict({"Sid": "Mine", **statement})
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"Statement": ["x"]}', '{"Statement": {"Effect": "Allow"}}']
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    """With a sentence, not with a traceback."""
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_placeholders_are_filled() -> None:
    """One file serves every account."""
    policy = parse_policy(
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "${CLUSTER}"}}', {"CLUSTER": CLUSTER}
    )
    assert policy.verdict(AccessRequest(action="ecs:X", resource=CLUSTER)) is Verdict.ALLOWED


@given(st.text(max_size=12))
def test_a_pattern_without_wildcards_matches_itself_alone(text: str) -> None:
    """Whatever characters regular expressions give a meaning to."""
    plain = text.replace("*", "").replace("?", "").replace("$", "")
    assert verdict({"Resource": plain}, resource=plain) is Verdict.ALLOWED
    assert verdict({"Resource": plain}, resource=plain + "x") is Verdict.NOT_ALLOWED
