"""The pages of the HTTP front that act on the account and show its instances."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.acts import ACTS, perform
from scheduler.simulated_aws.http import HttpFront, ThreadedFront
from tests.simulated_aws.driver import START_MS, Driver, make_account


class Site:
    """The pages of one account's front."""

    def __init__(self, url: str, account: Driver) -> None:
        self.account, self._url = account, url

    def act(self, act: str, /, **params: Any) -> None:
        self.post(json.dumps({"act": act, **params}).encode())

    def post(self, body: bytes) -> None:
        with urlopen(Request(self._url + "/_simulation/act", data=body), timeout=5) as response:
            assert (response.status, json.load(response)) == (200, {})

    def rows(self) -> list[dict[str, Any]]:
        with urlopen(self._url + "/_simulation/instances", timeout=5) as response:
            found: list[dict[str, Any]] = json.load(response)
        return found

    @contextmanager
    def refuses(self, line: str) -> Iterator[None]:
        """Expects a 400 of one line that holds `line`."""
        with pytest.raises(HTTPError) as caught:
            yield
        with caught.value as response:
            text = response.read().decode()
        assert (response.code, text.count("\n"), line in text) == (400, 1, True), text


@pytest.fixture
def site() -> Iterator[Site]:
    account = make_account()
    act = partial(perform, account.aws)
    front = HttpFront(account.aws, act=act, read_instances=account.aws.instances)
    with ThreadedFront(front) as url:
        yield Site(url, account)


def test_every_act_can_be_asked_for(site: Site) -> None:
    """Each act by its name, with its parameters in JSON, does what its method does."""
    (ec2_id,) = site.account.members()
    site.act("set_agent_connected", ec2InstanceId=ec2_id, connected=False)
    assert site.account.instance()["agentConnected"] is False
    site.act("reregister", ec2InstanceId=ec2_id)
    assert len(site.account.instances()) == 2
    site.act("set_start_failure", ec2InstanceId=ec2_id, reason="CannotPullContainerError")
    site.act("set_start_failure", ec2InstanceId=ec2_id)
    site.act("fail_launches", count=1, message="no capacity")
    site.act("set_next_launches_never_join", count=1)
    site.act("set_group_limits", minSize=1, maxSize=5)
    site.act("set_desired", desiredCapacity=2)
    site.act("register_revisions", family="agents", count=2)
    site.account.pass_ms(1_000)
    assert site.account.activities()[0]["StatusCode"] == "Failed"
    site.act("terminate_instance", ec2InstanceId=ec2_id, spot=True)
    assert site.account.ec2_instance(ec2_id)["State"]["Name"] == "shutting-down"


def test_every_act_is_a_method_of_the_account() -> None:
    """The table's names are the methods' own, so that a test and a demo say the same."""
    assert ACTS
    assert all(getattr(SimulatedAws, name) is act.carry_out for name, act in ACTS.items())


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"{", "not a possible act"),
        (b"[]", "JSON object"),
        (b"{}", "act must be one of set_agent_connected"),
        (b'{"act": ["x"]}', "act must be one of"),
        (b'{"act": "explode"}', "not 'explode'"),
        (b'{"act": "fail_launches", "count": 1}', "fail_launches needs message"),
        (b'{"act": "fail_launches", "count": "1", "message": ""}', "count must be a whole number from 0"),
        (b'{"act": "fail_launches", "count": -1, "message": ""}', "count must be a whole number from 0"),
        (b'{"act": "fail_launches", "count": true, "message": ""}', "count must be a whole number from 0"),
        (b'{"act": "set_desired", "desiredCapacity": 99}', "within 0..10, not 99"),
        (b'{"act": "reregister", "ec2InstanceId": "i-0"}', "there is no EC2 instance i-0"),
        (b'{"act": "reregister", "ec2InstanceId": "i-0", "x": 1}', "takes ec2InstanceId, not x"),
        (b'{"act": "set_agent_connected", "ec2InstanceId": "i-0", "connected": 1}', "true or false"),
        (b'{"act": "set_agent_connected", "ec2InstanceId": "a\\nb", "connected": true}', "for a b"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(site: Site, body: bytes, line: str) -> None:
    """A typing error must not silently do nothing."""
    with site.refuses(line):
        site.post(body)


def test_instances_are_shown_side_by_side(site: Site) -> None:
    """One row per instance: EC2's state, the group's, the agent's, and the tasks of each registration."""
    site.account.register()
    task = site.account.started()
    site.account.pass_ms(START_MS)
    (row,) = site.rows()
    registered = site.account.instance()
    assert row == {
        "ec2InstanceId": registered["ec2InstanceId"],
        "instanceType": "m4.4xlarge",
        "state": "running",
        "groupState": "InService",
        "agentConnected": True,
        "containerInstances": [
            {
                "containerInstanceArn": registered["containerInstanceArn"],
                "status": "ACTIVE",
                "agentConnected": True,
                "tasks": {task: "RUNNING"},
            }
        ],
        "orphanedTasks": [],
    }


def test_ghosts_and_orphans_are_shown(site: Site) -> None:
    """A ghost of an instance that EC2 has forgotten has a row, and an orphan is shown where it runs."""
    site.account.register()
    task = site.account.started()
    site.account.pass_ms(START_MS)
    arn = site.account.instance()["containerInstanceArn"]
    site.account.deregister(arn, force=True)
    assert site.rows()[0]["orphanedTasks"] == [task]
    ec2_id = site.rows()[0]["ec2InstanceId"]
    site.account.aws.reregister(ec2_id)
    site.account.aws.set_agent_connected(ec2_id, False)
    site.account.aws.terminate_instance(ec2_id)
    site.account.hours_later(3)
    ghost = next(row for row in site.rows() if row["ec2InstanceId"] == ec2_id)
    assert (ghost["state"], ghost["groupState"], ghost["orphanedTasks"]) == ("terminated", None, [])
    assert [c["status"] for c in ghost["containerInstances"]] == ["ACTIVE"]


def test_a_front_without_an_account_to_act_on_has_no_such_pages() -> None:
    """The pages exist only where they were given something to do or to show."""
    with ThreadedFront(HttpFront(make_account().aws)) as url:
        for path in ("/_simulation/act", "/_simulation/instances"):
            with pytest.raises(HTTPError) as caught:
                urlopen(url + path, timeout=5)
            with caught.value as response:
                assert response.code == 404
