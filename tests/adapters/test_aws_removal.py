"""How answers about instances on their way out are read, where no simulated account gives them."""

from datetime import timedelta
from typing import Any

import pytest

from scheduler.adapters.aws.tasks import ecs_task, task_mark
from scheduler.core.model.container_instance import GONE
from scheduler.core.model.mark import Mark
from scheduler.ports.cloud import CloudError
from tests.adapters.test_aws_failures import refused
from tests.adapters.test_aws_readings import (
    REGISTERED_AT,
    REGISTERED_MS,
    Answers,
    cloud_of,
    instance_shape,
    integer,
)

SIZE = (integer("CPU", 1), integer("MEMORY", 1))
WHOLE = instance_shape(*SIZE)
LAUNCHED = {"InstanceId": "i-1", "LaunchTime": REGISTERED_AT, "State": {"Name": "running"}}
KNOWN = {"Reservations": [{"Instances": [LAUNCHED]}]}


def listed(*arns: str) -> dict[str, Any]:
    return {"taskArns": list(arns)}


def task(arn: str, **members: Any) -> dict[str, Any]:
    known = {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "containerInstanceArn": "arn:ci/1"}
    return {"taskArn": arn, **known, **members}


class Refusing(Answers):
    """Answers, among which may be exceptions."""

    def __getattr__(self, name: str) -> Any:
        answering = super().__getattr__(name)

        def operation(**params: Any) -> Any:
            answer = answering(**params)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return operation


def inspected(**answers: list[Any]) -> tuple[Refusing, Any]:
    described = {
        "describe_container_instances": [{"containerInstances": [WHOLE]}],
        "describe_instances": [KNOWN],
    }
    clients = Refusing(**(described | answers))
    return clients, cloud_of(clients).inspect("arn:ci/1")


class TestInspection:
    def test_tasks_are_read_after_the_instance(self) -> None:
        """Tasks read after it showed DRAINING are all there will ever be; before, one more may come."""
        clients, seen = inspected(
            list_tasks=[listed("arn:task/1"), listed("arn:task/2", "arn:task/1")],
            describe_tasks=[{"tasks": [task("arn:task/1"), task("arn:task/2", lastStatus="STOPPED")]}],
        )
        asked = [name for name, _ in clients.asked if name != "describe_instances"]
        assert asked == ["describe_container_instances", "list_tasks", "list_tasks", "describe_tasks"]
        assert [params["desiredStatus"] for name, params in clients.asked if name == "list_tasks"] == [
            "RUNNING",
            "STOPPED",
        ]
        assert clients.asked[-1][1]["tasks"] == ["arn:task/1", "arn:task/2"]
        assert [each.arn for each in seen.tasks] == ["arn:task/1"]

    def test_a_task_that_is_listed_and_not_described_is_no_no(self) -> None:
        """The instance may be busy with it."""
        missing = {"tasks": [], "failures": [{"arn": "arn:task/1", "reason": "MISSING"}]}
        with pytest.raises(CloudError, match="INCOMPLETE"):
            inspected(list_tasks=[listed("arn:task/1"), listed()], describe_tasks=[missing])

    def test_a_refused_list_of_a_known_instance_is_no_empty_one(self) -> None:
        """It was described a moment ago: that ECS does not know it is not to be believed."""
        with pytest.raises(CloudError, match="InvalidParameterException"):
            inspected(list_tasks=[refused("InvalidParameterException")])

    def test_an_unknown_instance_is_asked_for_its_tasks_all_the_same(self) -> None:
        """Reads lag: what is MISSING may be there, and busy."""
        missing = {"containerInstances": [], "failures": [{"arn": "arn:ci/1", "reason": "MISSING"}]}
        _, seen = inspected(
            describe_container_instances=[missing],
            list_tasks=[listed("arn:task/1"), refused("InvalidParameterException")],
            describe_tasks=[{"tasks": [task("arn:task/1")]}],
        )
        assert (seen.instance, [each.arn for each in seen.tasks]) == (None, ["arn:task/1"])

    def test_an_instance_without_a_size_is_not_taken_for_gone(self) -> None:
        """ECS knows it, and we cannot read it."""
        with pytest.raises(CloudError, match="INCOMPLETE"):
            inspected(describe_container_instances=[{"containerInstances": [instance_shape()]}])


class TestCensus:
    def test_who_is_not_listed_any_more_is_forgotten(self) -> None:
        """Else the memory of a cluster would grow with every task it ever ran."""
        clients = Answers(
            list_tasks=[listed("arn:task/1"), listed(), listed("arn:task/1")],
            describe_tasks=[{"tasks": [task("arn:task/1")]}, {"tasks": [task("arn:task/1")]}],
        )
        cloud = cloud_of(clients)
        counts = [len(cloud.census()) for _ in range(3)]
        assert (counts, [name for name, _ in clients.asked].count("describe_tasks")) == ([1, 0, 1], 2)

    def test_a_task_without_a_place_is_described_until_it_has_one(self) -> None:
        """A task of others may be PROVISIONING: where it will run is not known yet."""
        waiting, placed = task("arn:task/1"), task("arn:task/1")
        del waiting["containerInstanceArn"]
        clients = Answers(
            list_tasks=[listed("arn:task/1")] * 3,
            describe_tasks=[{"tasks": [waiting]}, {"tasks": [placed]}],
        )
        cloud = cloud_of(clients)
        places = [each.container_instance_arn for _ in range(3) for each in cloud.census()]
        assert places == ["", "arn:ci/1", "arn:ci/1"]

    def test_what_is_listed_too_early_is_counted_next_time(self) -> None:
        """A description lags behind the list, as the list lags behind the start."""
        missing = {"tasks": [], "failures": [{"arn": "arn:task/1", "reason": "MISSING"}]}
        clients = Answers(
            list_tasks=[listed("arn:task/1")] * 2,
            describe_tasks=[missing, {"tasks": [task("arn:task/1")]}],
        )
        cloud = cloud_of(clients)
        assert [len(cloud.census()) for _ in range(2)] == [0, 1]

    def test_a_task_that_stopped_meanwhile_is_not_counted(self) -> None:
        """ECS's lists may hold recently stopped ones."""
        clients = Answers(
            list_tasks=[listed("arn:task/1")],
            describe_tasks=[{"tasks": [task("arn:task/1", desiredStatus="STOPPED")]}],
        )
        assert cloud_of(clients).census() == ()


class TestTasks:
    def test_a_service_is_told_by_its_group(self) -> None:
        """Other groups are families or names that somebody chose."""
        assert ecs_task(task("arn", group="service:web")).service == "web"
        assert ecs_task(task("arn", group="family:agents")).service == ""
        assert ecs_task(task("arn")).service == ""

    def test_when_it_was_made_may_be_missing(self) -> None:
        """Never a time that nobody told."""
        assert ecs_task(task("arn", createdAt=REGISTERED_AT)).created_ms == REGISTERED_MS
        assert ecs_task(task("arn")).created_ms is None

    @pytest.mark.parametrize("since", [None, "", "now", "-1", "1.5"])
    def test_a_mark_without_a_readable_time_is_the_oldest(self, since: str | None) -> None:
        """Whoever set it lets everyone else go first."""
        tags = [
            {"key": "ecs-scheduler:service", "value": "ours"},
            {"key": "ecs-scheduler:epoch", "value": "e"},
        ]
        tags += [{"key": "ecs-scheduler:since", "value": since}] if since is not None else []
        assert task_mark({"tags": tags}) == Mark(service_id="ours", store_epoch="e", since_ms=0)

    @pytest.mark.parametrize("shape", [{}, {"tags": []}, {"tags": [{"key": "team", "value": "ci"}]}])
    def test_a_task_of_nobodys_has_no_mark(self, shape: dict[str, Any]) -> None:
        """Tags of other kinds are no marks."""
        assert task_mark(shape) is None


class TestSilentInstances:
    def test_an_instance_that_ec2_never_had_is_not_called_gone(self) -> None:
        """An external one is known to Systems Manager: EC2 is not asked about it."""
        external = {**WHOLE, "ec2InstanceId": "mi-1", "agentConnected": False}
        clients = Answers(
            list_container_instances=[{"containerInstanceArns": ["arn:ci/1"]}],
            describe_container_instances=[{"containerInstances": [external]}],
        )
        [instance] = cloud_of(clients).container_instances()
        assert (instance.ec2_state, instance.launched_ms) == ("", REGISTERED_MS)

    def test_a_complete_answer_without_it_means_gone(self) -> None:
        """Of several pages, each may be empty."""
        silent = {**WHOLE, "agentConnected": False}
        clients = Answers(
            list_container_instances=[{"containerInstanceArns": ["arn:ci/1"]}],
            describe_container_instances=[{"containerInstances": [silent]}],
            describe_instances=[KNOWN, {"Reservations": [], "NextToken": "2"}, {"Reservations": []}],
        )
        [instance] = cloud_of(clients).container_instances()
        assert instance.ec2_state == GONE


class TestRefusals:
    def test_a_refused_arn_is_told_as_it_was_asked_for(self) -> None:
        """ECS may answer its short form for the long one; both end in the same id."""
        clients = Answers(
            update_container_instances_state=[
                {
                    "failures": [
                        {"arn": "arn:aws:ecs:eu-west-1:1:container-instance/abc", "reason": "INACTIVE"}
                    ]
                }
            ]
        )
        asked = ("arn:aws:ecs:eu-west-1:1:container-instance/ci/abc",)
        assert cloud_of(clients).set_draining(asked, draining=True) == ((asked[0], "INACTIVE"),)

    def test_failed_launches_are_launches(self) -> None:
        """A termination that failed is none, and neither is a launch that goes on."""
        activities = [
            {"ActivityId": str(number), "StartTime": REGISTERED_AT, "StatusCode": code, "Description": text}
            for number, (code, text) in enumerate(
                [
                    ("Failed", "Launching a new EC2 instance.  Status Reason: no capacity."),
                    ("Cancelled", "Launching a new EC2 instance"),
                    ("InProgress", "Launching a new EC2 instance: i-1"),
                    ("Failed", "Terminating EC2 instance: i-2"),
                ]
            )
        ]
        clients = Answers(describe_scaling_activities=[{"Activities": activities, "NextToken": "more"}])
        failed = cloud_of(clients).failed_launches("ci-agents")
        assert [(each.activity_id, each.at_ms) for each in failed] == [
            ("1", REGISTERED_MS),
            ("0", REGISTERED_MS),
        ]

    def test_a_launch_counts_from_when_it_failed(self) -> None:
        """One that began earlier may fail later: by its start it would seem to have been told already."""
        early, late = REGISTERED_AT, REGISTERED_AT + timedelta(minutes=3)
        activities = [
            {
                "ActivityId": "1",
                "StartTime": early,
                "EndTime": late,
                "StatusCode": "Cancelled",
                "Description": "Launching a new EC2 instance",
            }
        ]
        clients = Answers(describe_scaling_activities=[{"Activities": activities}])
        (failed,) = cloud_of(clients).failed_launches("ci-agents")
        assert failed.at_ms == REGISTERED_MS + 180_000
