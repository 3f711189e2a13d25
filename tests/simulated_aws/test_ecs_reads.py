"""ListTasks, DescribeTasks and the reads of container instances: filters, pages, lag, MISSING."""

from typing import Any

import pytest

from tests.simulated_aws.driver import RUN_MS, START_MS, STOP_MS, Driver, make_account, refused


def with_tasks(count: int, **settings: Any) -> tuple[Driver, list[str]]:
    account = make_account(**settings)
    account.register()
    instance = account.instance()["containerInstanceArn"]
    return account, [account.started(instance=instance, startedBy=f"attempt-{n}") for n in range(count)]


def test_list_tasks_shows_running_ones_unless_told_otherwise() -> None:
    """desiredStatus is RUNNING by default: a task in its stop grace is hidden."""
    account, (task,) = with_tasks(1)
    account.ecs("StopTask", task=task)
    assert account.ecs("ListTasks")["taskArns"] == []
    assert account.ecs("ListTasks", desiredStatus="STOPPED")["taskArns"] == [task]


def test_no_task_is_ever_listed_as_pending() -> None:
    """desiredStatus=PENDING is accepted and finds nothing."""
    account, _ = with_tasks(1)
    assert account.ecs("ListTasks", desiredStatus="PENDING")["taskArns"] == []


def test_started_by_matches_exactly() -> None:
    """startedBy finds its own tasks, not those whose startedBy merely begins with it."""
    account, tasks = with_tasks(11)
    assert account.ecs("ListTasks", startedBy="attempt-1")["taskArns"] == [tasks[1]]


@pytest.mark.parametrize(
    "others", [{"desiredStatus": "STOPPED"}, {"family": "agents"}, {"containerInstance": "x"}]
)
def test_started_by_must_be_the_only_filter(others: dict[str, str]) -> None:
    """startedBy beside another filter is refused."""
    account, _ = with_tasks(1)
    with refused("InvalidParameterException"):
        account.ecs("ListTasks", startedBy="attempt-0", **others)


def test_whether_started_by_goes_with_running_is_a_knob() -> None:
    """startedBy with desiredStatus=RUNNING is accepted or refused, as the knob says."""
    account, tasks = with_tasks(1)
    assert account.ecs("ListTasks", startedBy="attempt-0", desiredStatus="RUNNING")["taskArns"] == tasks
    strict, _ = with_tasks(1, started_by_accepts_desired_status=False)
    with refused("InvalidParameterException"):
        strict.ecs("ListTasks", startedBy="attempt-0", desiredStatus="RUNNING")


def test_stopped_tasks_of_a_container_instance_can_be_listed() -> None:
    """containerInstance with desiredStatus=STOPPED finds what ended there, for an hour."""
    account, (task,) = with_tasks(1)
    instance = account.instance()["containerInstanceArn"]
    account.pass_ms(START_MS + RUN_MS + STOP_MS)
    listed = account.ecs("ListTasks", containerInstance=instance, desiredStatus="STOPPED")
    assert listed["taskArns"] == [task]


def test_list_tasks_filters_by_family() -> None:
    """family finds the tasks of that family only."""
    account, tasks = with_tasks(1)
    account.register("others")
    account.started("others")
    assert account.ecs("ListTasks", family="agents")["taskArns"] == tasks


def test_pages_hold_every_task_once() -> None:
    """Following nextToken visits each task once, although tasks end and start between the pages."""
    account, tasks = with_tasks(5)
    first = account.ecs("ListTasks", maxResults=2)
    account.ecs("StopTask", task=tasks[0])
    second = account.ecs("ListTasks", maxResults=2, nextToken=first["nextToken"])
    last = account.ecs("ListTasks", maxResults=2, nextToken=second["nextToken"])
    assert [*first["taskArns"], *second["taskArns"], *last["taskArns"]] == tasks
    assert "nextToken" not in last


def test_a_token_fits_only_its_own_filters() -> None:
    """A token of one list is refused by another, and so is a made-up one."""
    account, _ = with_tasks(3)
    token = account.ecs("ListTasks", maxResults=1)["nextToken"]
    for params in ({"nextToken": token, "family": "agents"}, {"nextToken": "made-up"}):
        with refused("InvalidParameterException", "Invalid token"):
            account.ecs("ListTasks", maxResults=1, **params)


def test_unknown_tasks_are_failures() -> None:
    """DescribeTasks names unknown tasks as MISSING beside those it knows, by id or ARN."""
    account, (task,) = with_tasks(1)
    answer = account.ecs("DescribeTasks", tasks=[task.rsplit("/", 1)[1], "0" * 32])
    assert [t["taskArn"] for t in answer["tasks"]] == [task]
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]


def test_tags_are_shown_on_request() -> None:
    """Tags appear only with include=TAGS."""
    account = make_account()
    account.register()
    task = account.started(tags=[{"key": "a", "value": "1"}])
    assert "tags" not in account.task(task)
    assert account.task(task, include=["TAGS"])["tags"] == [{"key": "a", "value": "1"}]


def test_reads_may_lag_behind_a_start() -> None:
    """With the lag knob a started task is neither listed nor described until the lag has passed."""
    account, (task,) = with_tasks(1, read_visibility_lag_ms=5_000)
    assert account.ecs("ListTasks", startedBy="attempt-0")["taskArns"] == []
    assert account.failure(account.ecs("DescribeTasks", tasks=[task])) == "MISSING"
    account.pass_ms(5_000)
    assert account.ecs("ListTasks", startedBy="attempt-0")["taskArns"] == [task]


def test_container_instances_are_listed_in_pages() -> None:
    """ListContainerInstances pages through all of them."""
    account = make_account(desired_capacity=5)
    answer = account.ecs("ListContainerInstances", maxResults=2)
    seen = answer["containerInstanceArns"]
    while token := answer.get("nextToken"):
        answer = account.ecs("ListContainerInstances", maxResults=2, nextToken=token)
        seen += answer["containerInstanceArns"]
    assert len(seen) == len(set(seen)) == 5


def test_a_container_instance_says_what_it_is() -> None:
    """Type, zone, architecture and image are attributes; the agent's version is there."""
    account = make_account(instance_types=("m6g.4xlarge",))
    instance = account.instance()
    attributes = {a["name"]: a.get("value") for a in instance["attributes"]}
    assert attributes["ecs.instance-type"] == "m6g.4xlarge"
    assert attributes["ecs.cpu-architecture"] == "arm64"
    assert attributes["ecs.availability-zone"] == "eu-west-1a"
    assert instance["versionInfo"]["agentVersion"]


def test_the_agents_own_ports_are_reserved() -> None:
    """SSH, Docker and the agent keep their ports."""
    resources = {r["name"]: r for r in make_account().instance()["registeredResources"]}
    assert resources["PORTS"]["stringSetValue"] == ["22", "2375", "2376", "51678", "51679"]
    assert resources["PORTS_UDP"]["stringSetValue"] == []


def test_inactive_container_instances_are_described_for_a_while() -> None:
    """A deregistered container instance is no longer listed, is described as INACTIVE, then MISSING."""
    account = make_account(inactive_instance_visible_ms=60_000)
    instance = account.instance()
    account.ec2("TerminateInstances", InstanceIds=[instance["ec2InstanceId"]])
    account.pass_ms(10_000)
    assert account.instances() == []
    assert account.instance(instance["containerInstanceArn"])["status"] == "INACTIVE"
    account.pass_ms(60_000)
    answer = account.ecs("DescribeContainerInstances", containerInstances=[instance["containerInstanceArn"]])
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]


def test_unknown_clusters_are_failures() -> None:
    """DescribeClusters answers an unknown cluster with a failure, not an error."""
    answer = make_account().definitions("DescribeClusters", clusters=["other"])
    assert (answer["clusters"], answer["failures"][0]["reason"]) == ([], "MISSING")
