"""The proposed IAM policy: as narrow as IAM allows, as small as it takes them, and as the page says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scheduler.cli.iam import names_in, proposed_policy
from scheduler.simulated_aws.iam_policy import PolicyError, parse_policy
from scheduler.simulated_aws.settings import SimulationSettings
from tests.policies import actions_of, proposed

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "iam.md").read_text()
STATEMENTS: list[dict[str, Any]] = json.loads(proposed_policy())["Statement"]
ROW = re.compile(r"^\| `(\w+:\w+)` \| [^|]+ \| (required|optional) \| ([^|]+) \|$", re.MULTILINE)

MANAGED_POLICY_CHARACTERS = 6_144
"""IAM User Guide: IAM and AWS STS quotas. White space does not count."""

NO_RESOURCE = {
    "ecs:RegisterTaskDefinition",
    "ecs:ListTaskDefinitions",
    "ecs:DescribeTaskDefinition",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeCapacityProviders",
    "ecs:ListTasks",
    *(action for action, _ in proposed() if re.match(r"(autoscaling|ec2):Describe", action)),
}
"""IAM takes `*` alone for these, or does whenever no container instance is named."""


def test_the_package_carries_the_policy_of_the_repository() -> None:
    """The demo runs under the very file that people deploy."""
    assert proposed_policy() == (ROOT / "deploy" / "iam-policy.json").read_text()


def test_it_allows_what_the_adapter_calls_and_passrole() -> None:
    """Both ways."""
    operations = (ROOT / "scheduler" / "adapters" / "aws" / "operations.py").read_text()
    called = set(re.findall(r"\b(?:ecs|autoscaling|ec2|logs):[A-Z]\w+", operations))
    assert {action for action, _ in proposed()} == called | {"iam:PassRole"}


def test_no_action_is_allowed_twice_and_none_by_a_wildcard() -> None:
    """What is taken out is gone."""
    actions = [action for action, _ in proposed()]
    assert len(set(actions)) == len(actions)
    assert "*" not in "".join(actions)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: each["Sid"])
def test_resources_are_narrowed_where_iam_allows(statement: dict[str, Any]) -> None:
    """`*` stands only where nothing else would be accepted; else account and region are named."""
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    if resources == ["*"]:
        assert set(actions_of(statement)) <= NO_RESOURCE
    else:
        assert all("${ACCOUNT}" in each for each in resources)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: each["Sid"])
def test_each_statement_says_whether_it_is_needed(statement: dict[str, Any]) -> None:
    """By its name; and all of it is."""
    assert re.fullmatch(r"(Required|Optional)[A-Za-z]+", statement["Sid"])
    assert statement["Effect"] == "Allow"


def test_passrole_is_for_ecs_tasks_alone() -> None:
    """A role handed to any other service could be used to do more than the service may."""
    (passing,) = [each for each in STATEMENTS if "iam:PassRole" in actions_of(each)]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_it_is_one_managed_policy_with_long_names_too() -> None:
    """IAM refuses a longer one."""
    text = proposed_policy()
    for name in names_in(SimulationSettings()):
        text = text.replace(f"${{{name}}}", "x" * 40)
    assert len(json.dumps(json.loads(text), separators=(",", ":"))) < MANAGED_POLICY_CHARACTERS


def test_every_placeholder_is_filled_and_explained() -> None:
    """A forgotten one would be a name that nobody has."""
    placeholders = set(re.findall(r"\$\{(\w+)\}", proposed_policy()))
    assert placeholders == names_in(SimulationSettings()).keys()
    assert [each for each in placeholders if f"`{each}`" not in PAGE] == []
    with pytest.raises(PolicyError):
        parse_policy(proposed_policy())


def test_the_page_has_every_action_with_its_statement() -> None:
    """Required or optional as the policy says, and what is lost without."""
    told = {action: need for action, need, _ in ROW.findall(PAGE)}
    assert told == {action: re.sub("(Required|Optional).*", r"\1", sid).lower() for action, sid in proposed()}
