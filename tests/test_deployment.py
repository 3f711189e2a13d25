"""deploy/stack.yaml is what its page says, whole, of real settings, and fits the image and the policy."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs would be one more package, for one call

from scheduler.cli.iam import proposed_policy
from scheduler.config import load_settings

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "deploy" / "stack.yaml").read_text()
STACK: dict[str, Any] = yaml.safe_load(TEXT)
PARAMETERS, RESOURCES = STACK["Parameters"], STACK["Resources"]
(CONTAINER,) = RESOURCES["SchedulerTask"]["Properties"]["ContainerDefinitions"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text()
PAGE = (ROOT / "docs" / "deployment.md").read_text()


def values(node: Any, key: str) -> Iterator[Any]:
    """Whatever stands under a key, at any depth."""
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == key)
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(each, key)


def filled(value: Any) -> str:
    """A value of the template, with the defaults of its parameters."""
    if not isinstance(value, dict):
        return str(value)
    name = value["Ref"]
    return str(PARAMETERS[name].get("Default", name) if name in PARAMETERS else name)


def test_every_reference_is_to_something_of_the_template() -> None:
    """CloudFormation refuses any other, and YAML's aliases (CloudFormation User Guide: template formats)."""
    there = PARAMETERS.keys() | RESOURCES.keys()
    named = {*values(STACK, "Ref"), *(each[0] for each in values(STACK, "Fn::GetAtt"))}
    for text in values(STACK, "Fn::Sub"):
        named |= set(re.findall(r"\$\{([\w:]+)\}", text))
    assert {each for each in named if not each.startswith("AWS::")} <= there
    assert not [each for each in PARAMETERS if each not in named]
    assert not [each for each in yaml.scan(TEXT) if isinstance(each, yaml.AliasToken | yaml.AnchorToken)]


def test_new_instances_are_protected_and_nothing_else_scales_the_group() -> None:
    """No desired capacity that an update would reset, no update policy, no scaling policy."""
    group = RESOURCES["Group"]
    assert group["Properties"]["NewInstancesProtectedFromScaleIn"] is True
    assert "DesiredCapacity" not in group["Properties"]
    assert "UpdatePolicy" not in group
    kinds = {each["Type"] for each in RESOURCES.values()}
    assert not kinds & {"AWS::AutoScaling::ScalingPolicy", "AWS::ECS::CapacityProvider"}


def test_the_service_may_do_what_the_policy_says_and_nothing_else() -> None:
    """The role has the one managed policy, made for the names and tag that the template gives."""
    role = RESOURCES["SchedulerRole"]["Properties"]
    assert role.keys() == {"AssumeRolePolicyDocument", "ManagedPolicyArns"}
    assert role["ManagedPolicyArns"] == [{"Ref": "SchedulerPolicy"}]
    (tag,) = next(values(RESOURCES["LaunchTemplate"], "TagSpecifications"))[0]["Tags"]
    assert tag == {"Key": "ecs-scheduler:group", "Value": {"Ref": "GroupName"}}
    assert {"StringEquals": {f"aws:ResourceTag/{tag['Key']}": "${GROUP}"}} in [
        each.get("Condition") for each in json.loads(proposed_policy())["Statement"]
    ]
    (export,) = re.findall(r"^\$ export (ACCOUNT=.+)$", (ROOT / "docs" / "iam.md").read_text(), re.MULTILINE)
    names = dict(each.split("=") for each in export.split())
    given = [PARAMETERS[each]["Default"] for each in ("ClusterName", "GroupName", "Family", "LogGroupName")]
    assert given == [names[each] for each in ("CLUSTER", "GROUP", "FAMILY", "LOG_GROUP")]


def test_its_settings_are_settings() -> None:
    """The service reads them, and complains of none."""
    environment = {each["Name"]: filled(each["Value"]) for each in CONTAINER["Environment"]}
    secrets = {each["Name"]: "k3y" for each in CONTAINER["Secrets"]}
    settings = load_settings(environment | secrets)
    assert (settings.group, settings.agents.family) == ("ci-agents", "ci-agent")
    assert dict(settings.agents.log_options)["awslogs-stream-prefix"] == "agents"
    assert settings.datadog is not None
    assert CONTAINER["StopTimeout"] >= 60 >= settings.drain_delay_s + settings.stop_grace_s


def test_the_container_is_the_images_own() -> None:
    """Command, health check, port and folder are the Dockerfile's, which the template repeats."""
    (command,) = re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    (probe,) = re.findall(r"^HEALTHCHECK .+ CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert CONTAINER["Command"] == json.loads(command)
    assert CONTAINER["HealthCheck"]["Command"] == ["CMD", *json.loads(probe)]
    assert f"EXPOSE {CONTAINER['PortMappings'][0]['ContainerPort']}\n" in DOCKERFILE
    assert f"WORKDIR {CONTAINER['MountPoints'][0]['ContainerPath']}\n" in DOCKERFILE


def test_every_link_of_the_image_leads_to_something_of_the_image() -> None:
    """Docker takes what is copied and allowed, and nothing else: a link out of it would lead nowhere."""
    sources = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = [ROOT / each for line in sources for each in line.split()]
    allowed = [ROOT / line[1:] for line in IGNORED.splitlines() if line.startswith("!")]
    links = [each for folder in copied for each in folder.rglob("*") if each.is_symlink()]
    assert links
    for link in links:
        for there in (copied, allowed):
            assert any(link.resolve().is_relative_to(each) for each in there), link


def test_there_is_one_service_at_a_time() -> None:
    """A second one would keep off, and a deployment would wait for it."""
    service = RESOURCES["SchedulerService"]["Properties"]
    assert service["DesiredCount"] == 1
    assert service["DeploymentConfiguration"] == {"MinimumHealthyPercent": 0, "MaximumPercent": 100}


def test_the_page_names_every_parameter() -> None:
    """Those without a default have to be given."""
    assert [each for each in PARAMETERS if f"`{each}`" not in PAGE] == []
    (call,) = re.findall(
        r"--parameter-overrides ((?:\S+=\S+\s+)+)", PAGE.replace("\\\n", " ").replace(">", " ")
    )
    given = {each.split("=")[0] for each in call.split()}
    assert given >= {name for name, each in PARAMETERS.items() if "Default" not in each}
