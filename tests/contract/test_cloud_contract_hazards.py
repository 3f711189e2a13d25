"""The cloud port's contract: what kills busy instances or fights the service is found by name."""

from typing import Any

import pytest

from scheduler.simulated_aws.group_features import (
    CapacityProvider,
    InstanceRefresh,
    ScalingPolicy,
    ScheduledAction,
)
from tests.contract.cloud_worlds import GROUP, SimulatedWorld, SimulatedWorldMaker, World, failure_in

FEATURES: list[tuple[str, dict[str, Any]]] = [
    ("MAX_INSTANCE_LIFETIME", {"max_instance_lifetime_s": 7 * 86_400}),
    ("CAPACITY_REBALANCE", {"capacity_rebalance": True}),
    ("SCALING_POLICIES", {"scaling_policies": (ScalingPolicy(name="by-cpu"),)}),
    ("SCHEDULED_ACTIONS", {"scheduled_actions": (ScheduledAction(name="at-night", desired_capacity=0),)}),
    ("INSTANCE_REFRESH", {"instance_refreshes": (InstanceRefresh(),)}),
    ("REPLACE_UNHEALTHY", {"health_check_type": "ELB"}),
    ("MANAGED_SCALING", {"capacity_providers": (CapacityProvider(name="ci"),)}),
    (
        "WEIGHTED_CAPACITY",
        {
            "launch_source": "mixed_instances",
            "instance_types": ("m5.large", "m5.4xlarge"),
            "weighted_capacities": (1, 8),
        },
    ),
    ("NOT_PROTECTED_FROM_SCALE_IN", {"new_instances_protected_from_scale_in": False}),
]

HARMLESS: list[dict[str, Any]] = [
    {"scaling_policies": (ScalingPolicy(name="by-cpu", enabled=False),)},
    {"instance_refreshes": (InstanceRefresh(status="Successful"), InstanceRefresh(status="Cancelled"))},
    {"capacity_providers": (CapacityProvider(name="ci", managed_scaling=False),)},
    {"capacity_providers": (CapacityProvider(name="other", auto_scaling_group="another"),)},
    {
        "launch_source": "mixed_instances",
        "instance_types": ("m5.large", "m5.4xlarge"),
        "weighted_capacities": (1, 1),
    },
]

READS = [
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScheduledActions",
    "autoscaling:DescribeInstanceRefreshes",
    "ecs:DescribeClusters",
    "ecs:DescribeCapacityProviders",
]


def reasons(world: World) -> list[str]:
    return [hazard.reason for hazard in world.cloud.hazards(GROUP)]


def test_a_group_of_its_own_has_none(world: World) -> None:
    """New instances are protected, and nobody else scales them."""
    assert world.cloud.hazards(GROUP) == ()


@pytest.mark.parametrize(("reason", "settings"), FEATURES, ids=[reason for reason, _ in FEATURES])
def test_a_feature_is_found(
    make_simulated: SimulatedWorldMaker, reason: str, settings: dict[str, Any]
) -> None:
    """It alone, with a sentence that ends in the remedy."""
    [hazard] = make_simulated(**settings).cloud.hazards(GROUP)
    assert hazard.reason == reason
    assert hazard.stops_scaling == (reason in ("MANAGED_SCALING", "WEIGHTED_CAPACITY"))
    assert ": " in hazard.message


@pytest.mark.parametrize("settings", HARMLESS, ids=lambda settings: next(iter(settings)))
def test_what_does_nothing_is_no_hazard(
    make_simulated: SimulatedWorldMaker, settings: dict[str, Any]
) -> None:
    """A disabled policy, a refresh that has ended, a provider of another group, weights that are all one."""
    assert reasons(make_simulated(**settings)) == []


SUSPENSIONS = {
    "AlarmNotification": "SCALING_POLICIES",
    "ScheduledActions": "SCHEDULED_ACTIONS",
    "ReplaceUnhealthy": "REPLACE_UNHEALTHY",
}


@pytest.mark.parametrize("process", SUSPENSIONS)
def test_a_suspended_process_is_a_remedy(make_simulated: SimulatedWorldMaker, process: str) -> None:
    """What the message tells to do helps."""
    world = make_simulated(**dict(FEATURES)[SUSPENSIONS[process]])
    world.account.call(
        "autoscaling", "SuspendProcesses", {"AutoScalingGroupName": GROUP, "ScalingProcesses": [process]}
    )
    assert reasons(world) == []


def test_a_group_that_may_not_launch_is_found(simulated: SimulatedWorld) -> None:
    """Nothing else tells: no activity fails, and what is asked for never comes."""
    processes = {"AutoScalingGroupName": GROUP, "ScalingProcesses": ["Launch"]}
    simulated.account.call("autoscaling", "SuspendProcesses", processes)
    [hazard] = simulated.cloud.hazards(GROUP)
    assert (hazard.reason, hazard.stops_scaling) == ("LAUNCHES_SUSPENDED", False)
    simulated.account.call("autoscaling", "ResumeProcesses", processes)
    assert reasons(simulated) == []


def test_all_of_them_are_told_in_one_order(make_simulated: SimulatedWorldMaker) -> None:
    """None hides another."""
    settings = {name: value for _, each in FEATURES for name, value in each.items()}
    assert reasons(make_simulated(**settings)) == [reason for reason, _ in FEATURES]


@pytest.mark.parametrize("action", READS)
def test_a_missing_permission_hides_no_more_than_it_must(
    make_simulated: SimulatedWorldMaker, action: str
) -> None:
    """The others are still found, and what is not known is said, with the action to allow."""
    world = make_simulated(
        capacity_rebalance=True, capacity_providers=(CapacityProvider(name="ci", managed_scaling=False),)
    )
    code = "AccessDeniedException" if action.startswith("ecs:") else "AccessDenied"
    world.fault(action.split(":")[1], "error_before", code=code, message="not authorized", http_status=403)
    found, unreadable = world.cloud.hazards(GROUP)
    assert (found.reason, unreadable.reason) == ("CAPACITY_REBALANCE", "HAZARDS_UNREADABLE")
    assert action in unreadable.message
    assert not unreadable.stops_scaling


def test_all_missing_permissions_are_told_at_once(make_simulated: SimulatedWorldMaker) -> None:
    """One entry: an operator mends them all together."""
    world = make_simulated()
    for action in READS[:3]:
        world.fault(action.split(":")[1], "error_before", code="AccessDenied", http_status=403)
    [unreadable] = world.cloud.hazards(GROUP)
    assert all(action in unreadable.message for action in READS[:3])


@pytest.mark.parametrize("operation", ["DescribeAutoScalingGroups", "DescribePolicies", "DescribeClusters"])
def test_a_reading_that_fails_otherwise_finds_nothing(simulated: SimulatedWorld, operation: str) -> None:
    """A throttle passes: to say that there are no hazards would be a lie."""
    simulated.fail_reading(operation, "throttle")
    assert failure_in(lambda: simulated.cloud.hazards(GROUP)).throttled
