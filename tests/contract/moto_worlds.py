"""Worlds on moto: somebody else's idea of AWS, for the claims that it gets right."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest

from scheduler.adapters.aws.clients import ClientSettings, make_clients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.log_clients import make_log_clients
from tests.contract.cloud_worlds import CLUSTER, GROUP, World, session

REGION = "eu-west-1"

_STARTS_ALL = "StartTask checks neither room nor instance: it starts too much, or ends in a 500"
_REGISTERS_ONE_SIZE = "every container instance has 4096 CPU units, 7482 MiB and no GPU, whatever its type"
_DETACHES_ALL = "DetachInstances checks neither members nor sizes, and always succeeds"

DEVIATIONS: dict[str, str] = {
    "test_a_full_instance_is_a_lack_of_capacity": _STARTS_ALL,
    "test_an_unknown_instance_is_a_lack_of_capacity": _STARTS_ALL,
    "test_unknown_tasks_are_told_apart": "DescribeTasks leaves unknown tasks out without a word",
    "test_an_instance_is_read_whole": _REGISTERS_ONE_SIZE,
    "test_gpus_are_counted": _REGISTERS_ONE_SIZE,
    "test_an_instance_that_ecs_does_not_know_is_no_failure": "DeregisterContainerInstance ends in a 500",
    "test_a_desired_capacity_outside_the_limits_is_refused": "SetDesiredCapacity knows no limits",
    "test_who_is_no_member_is_told_as_such": _DETACHES_ALL,
    "test_a_group_does_not_shrink_below_its_min_size": _DETACHES_ALL,
    "test_all_go_or_none": _DETACHES_ALL,
    "test_more_than_20_at_once_are_refused": _DETACHES_ALL,
    "test_a_family_is_listed_from_its_newest_revision": "ListTaskDefinitions ignores the sort order",
    "test_a_group_of_its_own_has_none": "it has no DescribeInstanceRefreshes",
}
"""Claims that moto 5.2.5 does not keep, and what it does instead. They hold in the simulated account."""


@contextmanager
def moto_account() -> Iterator["MotoAccount"]:
    """A server on the loopback, and its clients, that end with the context."""
    # Loaded here: it takes a second, and most runs of single tests need none of it.
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # a refusal that moto forgot is a traceback
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with pytest.MonkeyPatch.context() as environment:
        # Nobody asks for images, and thousands would be made for each world.
        environment.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        server.start()
        host, port = server.get_host_and_port()
        account = MotoAccount(f"http://{host}:{port}")
        try:
            yield account
        finally:
            account.close()
            server.stop()


class MotoAccount:
    """What an operator does before the service starts, and what the agents of the instances do."""

    def __init__(self, url: str) -> None:
        self._url = url
        settings = ClientSettings(region=REGION, endpoint_url=url, read_attempts=1)
        self._clients = make_clients(session(), settings)
        self.log_clients = make_log_clients(session(), settings)
        self._ecs: Any = self._clients.ecs
        self._ec2: Any = self._clients.ec2
        self._scaling: Any = self._clients.autoscaling

    def close(self) -> None:
        """Closes the clients."""
        self._clients.close()

    def world(self, **changes: Any) -> World:
        """A world that ends the one before, with sizes and types named as in `SimulationSettings`."""
        self._begin_anew()
        self._build(**changes)
        return World(cloud=AwsCloud(self._clients, cluster=CLUSTER), clients=self._clients)

    def _begin_anew(self) -> None:
        """Forgets everything. Without the second call four descriptions of a task would end it."""
        self._post("reset", {})
        transition = {"progression": "manual", "times": 1_000_000_000}
        self._post("state-manager/set-transition", {"model_name": "ecs::task", "transition": transition})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self._url}/moto-api/{path}", json.dumps(body).encode(), headers, method="POST")
        # The first of all makes moto load its services, in seconds; in many, where cores are shared.
        with urlopen(request, timeout=60):
            return

    def _build(
        self,
        *,
        min_size: int = 0,
        desired_capacity: int = 2,
        launch_source: str = "launch_template",
        instance_types: tuple[str, ...] = ("m4.4xlarge",),
    ) -> None:
        """A cluster, a group, and a container instance for each of its members."""
        self._ecs.create_cluster(clusterName=CLUSTER)
        self._scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MinSize=min_size,
            MaxSize=10,
            DesiredCapacity=desired_capacity,
            AvailabilityZones=[f"{REGION}a"],
            NewInstancesProtectedFromScaleIn=True,
            **self._launch_source(launch_source, instance_types),
        )
        [group] = self._scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        for member in group["Instances"]:
            document = json.dumps({"instanceId": member["InstanceId"]})
            self._ecs.register_container_instance(cluster=CLUSTER, instanceIdentityDocument=document)

    def _launch_source(self, kind: str, types: tuple[str, ...]) -> dict[str, Any]:
        launch = {"ImageId": "ami-0123456789abcdef0", "InstanceType": types[0]}
        if kind == "launch_configuration":
            self._scaling.create_launch_configuration(LaunchConfigurationName=GROUP, **launch)
            return {"LaunchConfigurationName": GROUP}
        self._ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData=launch)
        template = {"LaunchTemplateName": GROUP, "Version": "$Latest"}
        if kind == "launch_template":
            return {"LaunchTemplate": template}
        overrides = [{"InstanceType": each} for each in types]
        mixed = {"LaunchTemplateSpecification": template, "Overrides": overrides}
        return {"MixedInstancesPolicy": {"LaunchTemplate": mixed}}
