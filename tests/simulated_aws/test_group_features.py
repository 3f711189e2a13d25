"""What acts on the group beside its scaler: it is shown, so that a service can find it."""

from typing import Any

import pytest

from scheduler.simulated_aws.group_features import (
    CapacityProvider,
    InstanceRefresh,
    ScalingPolicy,
    ScheduledAction,
)
from scheduler.simulated_aws.settings import SimulationSettings
from tests.simulated_aws.driver import DETACH_MS, Driver, make_account, refused

PLANS = [
    ("DescribePolicies", "ScalingPolicies"),
    ("DescribeScheduledActions", "ScheduledUpdateGroupActions"),
    ("DescribeInstanceRefreshes", "InstanceRefreshes"),
]


def weighted(*weights: int, desired: int = 8, **settings: Any) -> Driver:
    types = ("m5.large", "m5.xlarge")[: len(weights)]
    return make_account(
        launch_source="mixed_instances",
        instance_types=types,
        weighted_capacities=weights,
        max_size=100,
        desired_capacity=desired,
        **settings,
    )


def test_a_group_has_no_features_unless_told_so() -> None:
    """By default nothing acts on the group beside whoever scales it."""
    account = make_account()
    assert "MaxInstanceLifetime" not in account.described_group()
    for operation, answer in PLANS:
        assert account.group(operation) == {answer: []}
    cluster = account.definitions("DescribeClusters", clusters=["ci"])["clusters"][0]
    assert (cluster["capacityProviders"], cluster["defaultCapacityProviderStrategy"]) == ([], [])


def test_a_group_shows_its_features() -> None:
    """Lifetime, rebalancing, kind of health check and protection are shown as they were set."""
    group = make_account(
        max_instance_lifetime_s=604_800,
        capacity_rebalance=True,
        health_check_type="ELB",
        new_instances_protected_from_scale_in=False,
    ).described_group()
    assert (group["MaxInstanceLifetime"], group["CapacityRebalance"]) == (604_800, True)
    assert (group["HealthCheckType"], group["NewInstancesProtectedFromScaleIn"]) == ("ELB", False)


def test_weights_are_strings_of_overrides_and_of_instances() -> None:
    """A weighted group shows each type's weight in its policy and each member's with the member."""
    group = weighted(2, 4).described_group()
    overrides = group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert {o["InstanceType"]: o["WeightedCapacity"] for o in overrides} == {
        "m5.large": "2",
        "m5.xlarge": "4",
    }
    assert {m["WeightedCapacity"] for m in group["Instances"]} <= {"2", "4"}


def test_sizes_of_a_weighted_group_are_in_units_of_weight() -> None:
    """Desired 8 of weight 4 are two instances; 9 are three, overshooting by less than one weight."""
    account = weighted(4)
    assert len(account.members()) == 2
    account.set_desired(9)
    account.hours_later()
    assert len(account.members()) == 3


def test_detaching_takes_the_weight_off() -> None:
    """With decrement the desired capacity falls by the member's weight."""
    account = weighted(4)
    account.detach(next(iter(account.members())))
    assert account.described_group()["DesiredCapacity"] == 4
    account.pass_ms(DETACH_MS)
    assert len(account.members()) == 1


def test_a_weighted_group_never_falls_below_desired() -> None:
    """Scaling in, it takes no member that is heavier than the surplus."""
    account = weighted(4, new_instances_protected_from_scale_in=False)
    account.set_desired(5)
    account.hours_later()
    assert len(account.members()) == 2


def test_scaling_policies_are_found() -> None:
    """By group, by name and by type."""
    policies = (
        ScalingPolicy(name="cpu"),
        ScalingPolicy(name="step", policy_type="StepScaling", enabled=False),
    )
    account = make_account(scaling_policies=policies)
    found = account.group("DescribePolicies")["ScalingPolicies"]
    assert [(p["PolicyName"], p["Enabled"]) for p in found] == [("cpu", True), ("step", False)]
    for wanted in ({"PolicyNames": ["step"]}, {"PolicyTypes": ["StepScaling"]}):
        (only,) = account.group("DescribePolicies", **wanted)["ScalingPolicies"]
        assert only["PolicyName"] == "step"


def test_scheduled_actions_are_found() -> None:
    """With the sizes that they set, and without those that they leave alone."""
    account = make_account(scheduled_actions=(ScheduledAction(name="night", desired_capacity=0),))
    (action,) = account.group("DescribeScheduledActions")["ScheduledUpdateGroupActions"]
    assert (action["ScheduledActionName"], action["DesiredCapacity"], "MinSize" in action) == (
        "night",
        0,
        False,
    )


def test_instance_refreshes_are_found() -> None:
    """With their status."""
    account = make_account(instance_refreshes=(InstanceRefresh(), InstanceRefresh(status="Successful")))
    found = account.group("DescribeInstanceRefreshes")["InstanceRefreshes"]
    assert {r["Status"] for r in found} == {"InProgress", "Successful"}


def test_plans_of_another_group_are_refused_and_come_in_pages() -> None:
    """An unknown group is a ValidationError; MaxRecords pages through what there is."""
    account = make_account(scaling_policies=tuple(ScalingPolicy(name=f"p{n}") for n in range(3)))
    first = account.group("DescribePolicies", MaxRecords=2)
    rest = account.group("DescribePolicies", MaxRecords=2, NextToken=first["NextToken"])
    names = [p["PolicyName"] for p in [*first["ScalingPolicies"], *rest["ScalingPolicies"]]]
    assert names == ["p0", "p1", "p2"]
    for operation, _ in PLANS:
        with refused("ValidationError", "no such group"):
            account.group(operation, AutoScalingGroupName="other")


def test_the_cluster_shows_its_capacity_providers() -> None:
    """Names in the cluster, the default strategy with weights, details in a call of their own."""
    providers = (
        CapacityProvider(name="ci"),
        CapacityProvider(name="calm", auto_scaling_group="other", managed_scaling=False),
    )
    account = make_account(capacity_providers=providers, default_capacity_providers=("ci",))
    cluster = account.definitions("DescribeClusters", clusters=["ci"])["clusters"][0]
    assert cluster["capacityProviders"] == ["ci", "calm"]
    assert [s["capacityProvider"] for s in cluster["defaultCapacityProviderStrategy"]] == ["ci"]
    answer = account.definitions("DescribeCapacityProviders", capacityProviders=cluster["capacityProviders"])
    calm, ci = (p["autoScalingGroupProvider"] for p in answer["capacityProviders"])
    assert (calm["managedScaling"]["status"], ci["managedScaling"]["status"]) == ("DISABLED", "ENABLED")
    assert ci["autoScalingGroupArn"] == account.described_group()["AutoScalingGroupARN"]
    assert calm["autoScalingGroupArn"].endswith("autoScalingGroupName/other")


def test_fargates_capacity_providers_are_always_there() -> None:
    """Without names all are described, Fargate's without a group; an unknown name is a failure."""
    account = make_account()
    found = account.definitions("DescribeCapacityProviders")["capacityProviders"]
    assert [p["name"] for p in found] == ["FARGATE", "FARGATE_SPOT"]
    assert not any("autoScalingGroupProvider" in p for p in found)
    answer = account.definitions("DescribeCapacityProviders", capacityProviders=["other"])
    assert (answer["capacityProviders"], answer["failures"][0]["reason"]) == ([], "MISSING")


def test_capacity_providers_come_in_pages_of_ten() -> None:
    """At most 10 on a page, and maxResults is 1 to 10."""
    account = make_account(capacity_providers=tuple(CapacityProvider(name=f"provider-{n}") for n in range(9)))
    first = account.definitions("DescribeCapacityProviders")
    rest = account.definitions("DescribeCapacityProviders", nextToken=first["nextToken"])
    assert (len(first["capacityProviders"]), len(rest["capacityProviders"])) == (10, 1)
    with refused("InvalidParameterException", "maxResults"):
        account.definitions("DescribeCapacityProviders", maxResults=11)


@pytest.mark.parametrize(
    "settings",
    [
        {"weighted_capacities": (1,)},
        {"launch_source": "mixed_instances", "weighted_capacities": (1, 2)},
        {"launch_source": "mixed_instances", "weighted_capacities": (1_000,)},
        {"max_instance_lifetime_s": 3_600},
        {"default_capacity_providers": ("other",)},
        {"foreign_calls_per_s": {"ecs": 1.0}},
    ],
)
def test_impossible_features_are_refused(settings: dict[str, Any]) -> None:
    """Settings that no group could have are refused when they are made."""
    with pytest.raises(ValueError, match="must be"):
        SimulationSettings(**settings)
