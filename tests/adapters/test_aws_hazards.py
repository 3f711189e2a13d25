"""Which features of a group are hazards, where no simulated account has them."""

from typing import Any

import pytest

from scheduler.adapters.aws.hazards import TABLE, Features, hazards_of


def features(group: dict[str, Any] | None = None, **others: Any) -> Features:
    """A group without hazards, changed."""
    known = {
        "AutoScalingGroupName": "ci-agents",
        "AutoScalingGroupARN": "arn:group",
        "NewInstancesProtectedFromScaleIn": True,
    }
    return Features(group=known | (group or {}), **others)


def overrides(*weights: str | None) -> dict[str, Any]:
    shapes = [{"InstanceType": "m5.large"} | ({"WeightedCapacity": each} if each else {}) for each in weights]
    return {"MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": shapes}}}


def predictive(mode: str) -> dict[str, Any]:
    return {"PolicyType": "PredictiveScaling", "PredictiveScalingConfiguration": {"Mode": mode}}


def provider(group: str, status: str = "ENABLED") -> dict[str, Any]:
    return {"autoScalingGroupProvider": {"autoScalingGroupArn": group, "managedScaling": {"status": status}}}


QUIET = {"SuspendedProcesses": [{"ProcessName": "AlarmNotification"}]}
NO_LAUNCH = {"SuspendedProcesses": [{"ProcessName": "AZRebalance"}, {"ProcessName": "Launch"}]}

CASES: list[tuple[Features, list[str]]] = [
    (features(), []),
    (features({"HealthCheckType": "EC2"}), []),
    (features({"HealthCheckType": "EC2,ELB"}), ["REPLACE_UNHEALTHY"]),
    (features({"MaxInstanceLifetime": 0}), []),
    (features(overrides(None, "1")), []),
    (features(overrides("1", "2")), ["WEIGHTED_CAPACITY"]),
    (features(overrides("4", "4")), ["WEIGHTED_CAPACITY"]),
    (features({"DesiredCapacityType": "units"}), []),
    (features({"DesiredCapacityType": "vcpu"}), ["WEIGHTED_CAPACITY"]),
    (features(scaling_policies=({"PolicyType": "SimpleScaling"},)), ["SCALING_POLICIES"]),
    (features(QUIET, scaling_policies=({"PolicyType": "SimpleScaling"},)), []),
    (features(scaling_policies=(predictive("ForecastOnly"),)), []),
    (features(QUIET, scaling_policies=(predictive("ForecastAndScale"),)), ["SCALING_POLICIES"]),
    (features(instance_refreshes=({"Status": "Baking"},)), ["INSTANCE_REFRESH"]),
    (features(instance_refreshes=({"Status": "RollbackSuccessful"},)), []),
    (features(capacity_providers=(provider("arn:group"),)), ["MANAGED_SCALING"]),
    (features(capacity_providers=(provider("ci-agents"),)), ["MANAGED_SCALING"]),
    (features(capacity_providers=(provider("arn:group", "DISABLED"),)), []),
    (features(capacity_providers=(provider("arn:other"), {"name": "FARGATE"})), []),
    (features({"NewInstancesProtectedFromScaleIn": False}), ["NOT_PROTECTED_FROM_SCALE_IN"]),
    (features(NO_LAUNCH), ["LAUNCHES_SUSPENDED"]),
    (features(QUIET), []),
]


@pytest.mark.parametrize(("seen", "reasons"), CASES)
def test_a_hazard_is_what_it_does_not_what_it_is_called(seen: Features, reasons: list[str]) -> None:
    """The same feature may be one or none, by its settings."""
    assert [hazard.reason for hazard in hazards_of(seen)] == reasons


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.reason)
def test_every_hazard_names_its_remedy(row: Any) -> None:
    """A reason in capitals, and one sentence: what it does, a colon, what to do."""
    assert row.reason.isupper()
    assert row.message.count(": ") == 1
    assert row.message.endswith(".")


def test_what_iam_hides_comes_last() -> None:
    """All of it in one entry that does not stop scaling."""
    found = hazards_of(features({"CapacityRebalance": True}), ("ecs:A", "autoscaling:B"))
    assert [hazard.reason for hazard in found] == ["CAPACITY_REBALANCE", "HAZARDS_UNREADABLE"]
    assert "ecs:A, autoscaling:B" in found[1].message
    assert not found[1].stops_scaling
