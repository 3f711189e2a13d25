"""The request budget: a large cluster is read no faster than our share of AWS's buckets allows."""

from collections import defaultdict
from typing import Any

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskState
from scheduler.lab.clock import VirtualClock
from scheduler.lab.stand_ins import in_process_clients
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.buckets import BUCKETS, Bucket
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import CLUSTER, VirtualService

LARGE = SimulationSettings(desired_capacity=1_000, max_size=1_000, run_ms=(240_000, 300_000))
RESTLESS = Policy(cluster_poll_ms=100, census_poll_ms=100, idle_timeout_ms=600_000)
"""Each sweep begins when the last has ended, far more often than any cluster needs."""

SHARE = 0.5
"""Of AWS's buckets, by the settings of a VirtualService."""

_LANE_GROUP = Bucket("autoscaling", 10 / SHARE, 2 / SHARE, frozenset(), "our own limit")
"""Auto Scaling publishes no bucket; what the lane of the group allows itself is no share of one."""

METERED = (*(each for each in BUCKETS if each.name in ("ecs_cluster_resource_read", "ec2_read")), _LANE_GROUP)


class Counted:
    """An account that notes when it was asked, by bucket."""

    def __init__(self, account: SimulatedAws, clock: VirtualClock) -> None:
        self.asked_ms: dict[str, list[int]] = defaultdict(list)
        self._account, self._clock = account, clock
        self._bucket_of = {operation: each.name for each in BUCKETS for operation in each.operations}

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """The account's answer."""
        bucket = self._bucket_of.get(operation, service)
        self.asked_ms[bucket].append(self._clock.now_ms())
        return self._account.call(service, operation, params)


def burst_of(asked_ms: list[int], per_second: float) -> float:
    """How many tokens a bucket of that rate must hold to grant all of this."""
    most = level = 0.0
    for at_ms, before_ms in zip(asked_ms, asked_ms[:1] + asked_ms, strict=False):
        level = max(0.0, level - (at_ms - before_ms) / 1_000 * per_second) + 1
        most = max(most, level)
    return most


@pytest.fixture(scope="module")
def restless() -> Counted:
    """A thousand container instances and a hundred tasks, read for 30 seconds as often as can be."""
    service = VirtualService(simulation=LARGE, policy=RESTLESS)
    counted = Counted(service.account, service.clock)
    clients = in_process_clients(counted, service.account.settings.region)
    service.cloud = AwsCloud(clients, cluster=CLUSTER)
    service.driver.crash()
    service.submit(100)
    service.let_pass(0.5)
    assert service.states() == {TaskState.RUNNING: 100}
    return counted


@pytest.mark.parametrize("bucket", METERED, ids=lambda bucket: bucket.name)
def test_sweeps_stay_within_our_share(restless: Counted, bucket: Bucket) -> None:
    """However often 1,000 container instances are read, AWS is asked no more than share times its rates."""
    asked_ms = restless.asked_ms[bucket.name]
    assert burst_of(asked_ms, bucket.per_s * SHARE) <= bucket.burst * SHARE
