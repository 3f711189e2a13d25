"""The page about the simulated AWS, against the simulated AWS there is."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
import typer

from scheduler.cli.app import app
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.acts import ACTS, perform
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.journal import Effect
from tests.clocks import VirtualClock

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "simulated-aws.md").read_text()
POSTED = re.findall(r"curl -d '(.+)' http://127\.0\.0\.1:4599/_simulation/(\w+)", PAGE)


def rows(heading: str) -> dict[str, str]:
    """The first table under a heading: first cell and second."""
    table = PAGE.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| (.+?) \| (.+?) \|", table, re.MULTILINE)[2:])


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_option_is_on_the_page() -> None:
    """What `aws-sim` can be told is there, and nothing else."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    options = {name for each in group.commands["aws-sim"].params for name in each.opts} - {"--help"}
    assert quoted(" ".join(rows("## Options"))) == options


@pytest.mark.parametrize(
    ("service", "name"),
    {
        "ecs": "ECS",
        "autoscaling": "Auto Scaling",
        "ec2": "EC2",
        "logs": "CloudWatch Logs",
        "sts": "STS",
    }.items(),
)
def test_every_operation_is_on_the_page(service: str, name: str) -> None:
    """Each service has its operations there, and no others."""
    assert quoted(rows("## What it offers")[name]) == SimulatedAws(VirtualClock()).operations(service).keys()


def test_every_kind_of_fault_is_on_the_page() -> None:
    """What a call can be made to suffer is there."""
    assert quoted(" ".join(rows("### Faults"))) == set(get_args(FaultKind))


def test_every_act_is_on_the_page() -> None:
    """Each act is there, with its parameters."""
    told = {name.strip("`"): quoted(parameters) for name, parameters in rows("### Acts").items()}
    assert told == {name: {*act.required, *act.optional} for name, act in ACTS.items()}


def test_what_is_posted_is_understood() -> None:
    """The page's examples do what they say."""
    account = SimulatedAws(VirtualClock())
    for body, page in POSTED:
        told = json.loads(body)
        if page == "faults":
            account.faults.add(Fault(**told))
        else:
            perform(account, told)
    assert [page for _, page in POSTED] == ["faults", "act"]


def test_effects_exist() -> None:
    """An entry of the journal that the page shows can be there."""
    shown = re.findall(r'"effect": "(\w+)"', PAGE)
    assert shown
    assert set(shown) <= set(Effect)
