"""How answers that no simulated account gives are read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.container_instances import container_instance
from scheduler.adapters.aws.launch_times import LaunchTimes
from scheduler.adapters.aws.tasks import ecs_task
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import Architecture, Resources
from scheduler.ports.cloud import CloudError, TaskLaunch

REGISTERED_AT = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
REGISTERED_MS = 1_795_348_800_250


class Answers:
    """A client that answers each operation from a list, and remembers what it was asked."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def operation(**params: Any) -> dict[str, Any]:
            self.asked.append((name, params))
            return self._answers[name].pop(0)

        return operation


class Throttled:
    """EC2, when it refuses the first call and knows one instance afterwards."""

    def __init__(self, launched: datetime) -> None:
        self._launched = launched
        self._refused = False

    def describe_instances(self, **params: Any) -> dict[str, Any]:
        if not self._refused:
            self._refused = True
            refusal = {"Error": {"Code": "RequestLimitExceeded", "Message": "Request limit exceeded."}}
            raise ClientError(refusal, "DescribeInstances")  # type: ignore[arg-type]  # as botocore makes it
        return {"Reservations": [{"Instances": [{"InstanceId": "i-1", "LaunchTime": self._launched}]}]}


def cloud_of(answers: Answers, *, named_types: tuple[str, ...] = ()) -> AwsCloud:
    client: Any = answers
    clients = AwsClients(
        region="eu-west-1",
        ecs=client,
        ecs_once=client,
        autoscaling=client,
        autoscaling_once=client,
        ec2=client,
        ec2_once=client,
        sts=client,
    )
    return AwsCloud(clients, cluster="ci", named_types=named_types)


def integer(name: str, value: int) -> dict[str, Any]:
    return {"name": name, "type": "INTEGER", "integerValue": value}


def instance_shape(*resources: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "containerInstanceArn": "arn:ci/1",
        "ec2InstanceId": "i-1",
        "status": "ACTIVE",
        "agentConnected": True,
        "version": 3,
        "registeredAt": REGISTERED_AT,
        "registeredResources": list(resources),
        "remainingResources": list(resources),
        **members,
    }


def group_shape(**members: Any) -> dict[str, Any]:
    return {"AutoScalingGroupName": "ci-agents", "Instances": [], **members}


class TestContainerInstances:
    def test_resources_are_a_vector_and_gpus_are_counted(self) -> None:
        """A STRINGSET of GPU ids is worth its length."""
        gpus = {"name": "GPU", "type": "STRINGSET", "stringSetValue": ["GPU-a", "GPU-b"]}
        shape = instance_shape(integer("CPU", 4096), integer("MEMORY", 15_000), gpus)
        read = container_instance(shape, None)
        assert read is not None
        assert read.registered == Resources(cpu=4096, memory_mib=15_000, gpus=2)

    @pytest.mark.parametrize(
        ("told", "architecture", "storage_driver"),
        [
            ({}, Architecture.ANY, ""),
            ({"ecs.cpu-architecture": "arm64"}, Architecture.ARM64, ""),
            (
                {"ecs.cpu-architecture": "x86_64", "pbc.dind.storage.driver": "vfs"},
                Architecture.X86_64,
                "vfs",
            ),
            ({"ecs.cpu-architecture": "riscv64"}, Architecture.ANY, ""),
        ],
    )
    def test_attributes_tell_what_it_suits(
        self, told: dict[str, str], architecture: Architecture, storage_driver: str
    ) -> None:
        """Its architecture, if ECS knows it, and an operator's word on docker-in-docker."""
        attributes = [{"name": name, "value": value} for name, value in told.items()]
        shape = instance_shape(integer("CPU", 1), integer("MEMORY", 1), attributes=attributes)
        read = container_instance(shape, None)
        assert read is not None
        assert (read.registered.architecture, read.storage_driver) == (architecture, storage_driver)
        assert read.remaining.architecture is Architecture.ANY

    @pytest.mark.parametrize("resources", [[], [integer("CPU", 4096)], [integer("MEMORY", 15_000)]])
    def test_an_instance_without_cpu_or_memory_is_left_out(self, resources: list[dict[str, Any]]) -> None:
        """Its agent has not reported; it would teach that its type is empty."""
        assert container_instance(instance_shape(*resources), None) is None

    def test_the_registration_stands_for_an_unknown_launch(self) -> None:
        """EC2 may not know a fresh instance yet, or an old one any more."""
        shape = instance_shape(integer("CPU", 1), integer("MEMORY", 1))
        read = container_instance(shape, None)
        assert read is not None
        assert read.launched_ms == REGISTERED_MS

    def test_a_failed_registration_never_spoils_the_reading(self) -> None:
        """A record with hardly any members is left out, the others are read."""
        assert (
            container_instance({"containerInstanceArn": "arn", "status": "REGISTRATION_FAILED"}, None) is None
        )


class TestLaunchTimes:
    def test_a_launch_time_is_asked_once(self) -> None:
        """It never changes; only ids not seen before are asked for."""
        launched = {"InstanceId": "i-1", "LaunchTime": REGISTERED_AT}
        ec2: Any = Answers(
            describe_instances=[{"Reservations": [{"Instances": [launched]}]}, {"Reservations": []}]
        )
        times = LaunchTimes(ec2)
        assert times.of(["i-1"]) == {"i-1": REGISTERED_MS}
        assert times.of(["i-1", "i-2"]) == {"i-1": REGISTERED_MS}
        assert ec2.asked[1][1]["Filters"] == [{"Name": "instance-id", "Values": ["i-2"]}]

    def test_an_unreachable_ec2_costs_no_reading(self) -> None:
        """Launch times only break ties: without them the others still count, and it is asked again."""
        ec2: Any = Throttled(REGISTERED_AT)
        times = LaunchTimes(ec2)
        assert times.of(["i-1"]) == {}
        assert times.of(["i-1"]) == {"i-1": REGISTERED_MS}

    def test_no_ids_ask_nothing(self) -> None:
        """A describe without ids would return the whole account."""
        ec2: Any = Answers()
        assert LaunchTimes(ec2).of([]) == {}


class TestTasks:
    def test_a_task_going_away_has_no_stop_reason_yet(self) -> None:
        """Its stop code is known before its exit codes are."""
        shape = {"taskArn": "arn", "lastStatus": "STOPPING", "stopCode": "EssentialContainerExited"}
        assert ecs_task(shape).stop is None

    def test_a_stopped_task_keeps_ecss_words(self) -> None:
        """Containers stay in ECS's order, and a missing exit code stays missing."""
        containers = [{"name": "db"}, {"name": "agent", "exitCode": 2, "reason": "why"}]
        stop = ecs_task(
            {"taskArn": "arn", "lastStatus": "STOPPED", "stoppedReason": "said", "containers": containers}
        ).stop
        assert stop is not None
        assert (stop.category, stop.code, stop.message) == (
            StopCategory.EXIT,
            "EssentialContainerExited",
            "said",
        )
        assert [(each.name, each.exit_code) for each in stop.containers] == [("db", None), ("agent", 2)]

    def test_half_a_character_of_ecs_can_be_stored(self) -> None:
        """A text that was cut inside of an emoji has no UTF-8: its rest is kept."""
        cut = "CannotPullContainerError: image \ud83d"
        containers = [{"name": "agent", "reason": cut}]
        shape = {"taskArn": "arn", "lastStatus": "STOPPED", "stoppedReason": cut, "containers": containers}
        stop = ecs_task(shape).stop
        assert stop is not None
        assert {stop.message, stop.containers[0].reason} == {"CannotPullContainerError: image ?"}


class TestIncompleteReadings:
    def test_a_task_that_is_listed_but_not_described_is_no_no(self) -> None:
        """ECS's reads lag behind each other: absence must not be concluded from that."""
        answers = Answers(
            list_tasks=[{"taskArns": ["arn:task/1"]}],
            describe_tasks=[{"tasks": [], "failures": [{"arn": "arn:task/1", "reason": "MISSING"}]}],
        )
        with pytest.raises(CloudError) as caught:
            cloud_of(answers).find_task("attempt", "arn:ci/1")
        assert (caught.value.failure.definite, caught.value.failure.code) == (False, "INCOMPLETE")

    def test_a_description_refused_for_another_reason_fails_the_reading(self) -> None:
        """Only MISSING means gone."""
        answers = Answers(
            describe_tasks=[{"tasks": [], "failures": [{"arn": "arn:task/1", "reason": "SOMETHING"}]}]
        )
        with pytest.raises(CloudError, match="SOMETHING"):
            cloud_of(answers).describe_tasks(("arn:task/1",))

    def test_an_instance_that_went_meanwhile_is_simply_gone(self) -> None:
        """Between List and Describe it was deregistered: MISSING, or already INACTIVE."""
        whole = instance_shape(integer("CPU", 1), integer("MEMORY", 1))
        answers = Answers(
            list_container_instances=[{"containerInstanceArns": ["arn:ci/1", "arn:ci/2", "arn:ci/3"]}],
            describe_container_instances=[
                {
                    "containerInstances": [whole, {**whole, "status": "INACTIVE"}],
                    "failures": [{"arn": "arn:ci/3", "reason": "MISSING"}],
                }
            ],
            describe_instances=[{"Reservations": []}],
        )
        assert [each.arn for each in cloud_of(answers).container_instances()] == ["arn:ci/1"]

    def test_a_start_answer_without_an_arn_is_unknown(self) -> None:
        """There is a task, and we cannot tell which."""
        answers = Answers(start_task=[{"tasks": [{"lastStatus": "PENDING"}], "failures": []}])
        launch = TaskLaunch(
            started_by="attempt",
            container_instance_arn="arn:ci/1",
            task_definition_arn="arn:td/1",
            overrides={},
            tags={},
        )
        with pytest.raises(CloudError) as caught:
            cloud_of(answers).start_task(launch)
        assert not caught.value.failure.definite


class TestGroups:
    def test_two_groups_of_one_name_are_an_error(self) -> None:
        """The service leads exactly one."""
        answers = Answers(
            describe_auto_scaling_groups=[{"AutoScalingGroups": [group_shape(), group_shape()]}]
        )
        with pytest.raises(CloudError, match="More than one Auto Scaling group with the name ci-agents"):
            cloud_of(answers).group("ci-agents")

    @pytest.mark.parametrize("warm_pool", [{}, {"WarmPoolConfiguration": {"PoolState": "Stopped"}}])
    def test_a_warm_pool_is_seen(self, warm_pool: dict[str, Any]) -> None:
        """Its instances are not listed, so that whoever is outside the group may be in it."""
        group = group_shape(MinSize=0, MaxSize=4, DesiredCapacity=0, **warm_pool)
        answers = Answers(describe_auto_scaling_groups=[{"AutoScalingGroups": [group]}])
        assert cloud_of(answers).group("ci-agents").has_warm_pool is bool(warm_pool)

    def test_a_group_without_a_launch_source_is_an_error(self) -> None:
        """There is nothing to learn its types from."""
        answers = Answers(describe_auto_scaling_groups=[{"AutoScalingGroups": [group_shape()]}])
        with pytest.raises(CloudError, match="has no launch template or configuration"):
            cloud_of(answers).instance_types("ci-agents")

    def test_types_by_requirements_cannot_be_known(self) -> None:
        """Attribute-based selection names no types."""
        policy: dict[str, Any] = {"LaunchTemplate": {"Overrides": [{"InstanceRequirements": {}}]}}
        group = group_shape(MixedInstancesPolicy=policy)
        answers = Answers(describe_auto_scaling_groups=[{"AutoScalingGroups": [group]}])
        with pytest.raises(CloudError, match="by requirements: name them in ECS_SCHEDULER_INSTANCE_TYPES"):
            cloud_of(answers).instance_types("ci-agents")

    def test_named_types_stand_beside_those_that_overrides_name(self) -> None:
        """One override has a type, the other requirements: any of both may come."""
        overrides = [{"InstanceType": "m5.large"}, {"InstanceRequirements": {}}]
        group = group_shape(MixedInstancesPolicy={"LaunchTemplate": {"Overrides": overrides}})
        answers = Answers(
            describe_auto_scaling_groups=[{"AutoScalingGroups": [group]}],
            describe_instance_types=[{"InstanceTypes": []}],
        )
        cloud_of(answers, named_types=("c5.large",)).instance_types("ci-agents")
        assert ("describe_instance_types", {"InstanceTypes": ["c5.large", "m5.large"]}) in answers.asked

    def test_mixed_instances_without_overrides_launch_the_templates_type(self) -> None:
        """The version left out is the template's default; the name serves where there is no id."""
        template = {"LaunchTemplateSpecification": {"LaunchTemplateName": "ci"}}
        group = group_shape(MixedInstancesPolicy={"LaunchTemplate": template})
        versions = [{"LaunchTemplateData": {"InstanceType": "m5.large"}}]
        declared = {
            "InstanceType": "m5.large",
            "VCpuInfo": {"DefaultVCpus": 2},
            "MemoryInfo": {"SizeInMiB": 8192},
        }
        answers = Answers(
            describe_auto_scaling_groups=[{"AutoScalingGroups": [group]}],
            describe_launch_template_versions=[{"LaunchTemplateVersions": versions}],
            describe_instance_types=[{"InstanceTypes": [declared]}],
        )
        [found] = cloud_of(answers).instance_types("ci-agents")
        assert found.allocatable == Resources(cpu=2048, memory_mib=8192)
        asked = {"LaunchTemplateName": "ci", "Versions": ["$Default"]}
        assert ("describe_launch_template_versions", asked) in answers.asked
