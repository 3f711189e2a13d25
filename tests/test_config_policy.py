"""The policy's settings: every number in its range, and nothing out of force by another."""

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from scheduler.config import PREFIX, load_settings
from scheduler.core.model.policy import ForeignInstances, Placement, Policy, ScaleDown, Share
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.resources import Resources
from scheduler.policy_settings import ORDERS, Order
from tests.test_config import REQUIRED, told

POLICY_FIELDS = [pytest.param(field.name, field.type, id=field.name) for field in fields(Policy)]
POLICY_SWITCHES = [each for each in POLICY_FIELDS if each.values[1] is bool]
WHOLE_NUMBERS = [
    field.name
    for field in fields(Policy)
    if type(getattr(Policy(), field.name)) is int or "pauses" in field.name
]
POLICY_NUMBERS = [
    each
    for each in POLICY_FIELDS
    if each not in POLICY_SWITCHES and each.values[1] not in (Share, tuple[str, ...])
]


TWO_LARGE = Pieces(ask=Resources(cpu=3_072, memory_mib=12_006), count=2)
FIVE_OF_A_QUARTER = Pieces(ask=Resources(cpu=4_096, memory_mib=16_000), count=5)


def changed(name: str, change: Callable[[int], int]) -> tuple[str, Any]:
    """Whole numbers other than the defaults, as text and as they are read."""
    default = getattr(Policy(), name)
    if isinstance(default, int):
        return str(change(default)), change(default)
    numbers = tuple(map(change, default))
    return ",".join(map(str, numbers)), numbers


@pytest.mark.parametrize(("name", "kind"), POLICY_FIELDS)
def test_everything_of_the_policy_can_be_set(name: str, kind: Any) -> None:
    """Each field of Policy has the variable of its name."""
    examples = {
        float: ("0.77", 0.77),
        bool: ("false", False),
        Share: ("0", 0.0),
        ForeignInstances: ("terminate", ForeignInstances.TERMINATE),
        tuple[str, ...]: ("log-router, metrics", ("log-router", "metrics")),
        Placement: ("seed", Placement.SEED),
        ScaleDown: ("billing_hour", ScaleDown.BILLING_HOUR),
        tuple[Pieces, ...]: ("LARGE:2, 4096:16000:5", (TWO_LARGE, FIVE_OF_A_QUARTER)),
    }
    text, value = examples.get(kind) or changed(name, lambda number: number + 1)
    settings = load_settings(REQUIRED | {PREFIX + name.upper(): text})
    assert getattr(settings.policy, name) == value


@pytest.mark.parametrize("text", ["0", "-1", "", "soon", "nan", "inf"])
@pytest.mark.parametrize(("name", "kind"), POLICY_NUMBERS)
def test_every_number_of_the_policy_is_above_zero(name: str, kind: Any, text: str) -> None:
    """A pause of nothing, no pause at all or a share without end would stop the service from working."""
    assert PREFIX + name.upper() in told(REQUIRED | {PREFIX + name.upper(): text})


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_three_zeros_too_many_are_refused(name: str) -> None:
    """Microseconds where milliseconds are meant would leave a rule waiting for weeks."""
    text, _ = changed(name, lambda number: 1_000 * number)
    message = told(REQUIRED | {PREFIX + name.upper(): text})
    assert PREFIX + name.upper() + ": expected" in message
    assert " to " in message


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.less)
def test_settings_that_contradict_each_other_are_told(order: Order) -> None:
    """One line names both, as they are, and what would come of it; set to the same they are in order."""
    policy = Policy()
    most = getattr(policy, order.more) // order.times
    name = PREFIX + order.less.upper()
    assert getattr(load_settings(REQUIRED | {name: str(most)}).policy, order.less) == most
    message = told(REQUIRED | {name: str(most + 1)})
    assert message == (
        f"settings: {order.words(PREFIX)}, but is {most + 1} and that is {most * order.times}: {order.why}"
    )


def test_contradictions_are_told_together_and_not_of_what_is_wrong() -> None:
    """Two of them in one message; what stands for a value that cannot be read contradicts nothing."""
    message = told(
        REQUIRED
        | {
            "ECS_SCHEDULER_NEVER_JOINED_UNTIL_MS": "60000",
            "ECS_SCHEDULER_STALE_AFTER_MS": "1000",
            "ECS_SCHEDULER_EAGER_POLL_MS": "8000",
            "ECS_SCHEDULER_CLUSTER_POLL_MS": "soon",
        }
    )
    assert "ECS_SCHEDULER_NEVER_JOINED_AFTER_MS must not be above" in message
    assert "ECS_SCHEDULER_CLUSTER_POLL_MS: expected an integer from 100 to 600000, got 'soon'" in message
    assert "EAGER_POLL_MS must not" not in message
    assert "STALE_AFTER_MS" not in message


@pytest.mark.parametrize("name", ["ABSENCE_SHARE", "QUARANTINE_SHARE", "MASS_FAILURE_SHARE", "STALE_SHARE"])
def test_ten_percent_are_not_ten(name: str) -> None:
    """A share of more than all would lift an interlock without a word."""
    variable = f"ECS_SCHEDULER_{name}"
    assert f"{variable}: expected a number" in told(REQUIRED | {variable: "10"})
    assert re.search("(at most|to) 1, got", told(REQUIRED | {variable: "10"}))


@pytest.mark.parametrize("text", ["-0.1", "1.1", "", "nan"])
def test_the_free_ratio_is_from_nothing_to_all(text: str) -> None:
    """Unlike the other shares it may be none, which is the default."""
    assert "ECS_SCHEDULER_FREE_RATIO: " in told(REQUIRED | {"ECS_SCHEDULER_FREE_RATIO": text})


@pytest.mark.parametrize(
    "text", ["LARGE", "HUGE:2", "LARGE:0", "4096:2", "4096:16000:-1", "LARGE:2,,SMALL:1"]
)
def test_headroom_is_sizes_or_amounts_and_how_many(text: str) -> None:
    """A size that does not exist, or a count that is missing, is refused with what was expected."""
    assert "LARGE_8X" in told(REQUIRED | {"ECS_SCHEDULER_HEADROOM": text})


@pytest.mark.parametrize("text", ["", "perhaps", "2"])
@pytest.mark.parametrize(("name", "kind"), POLICY_SWITCHES)
def test_every_switch_of_the_policy_is_on_or_off(name: str, kind: Any, text: str) -> None:
    """What is neither true nor false is refused under the variable's own name."""
    assert f"{PREFIX + name.upper()}: " in told(REQUIRED | {PREFIX + name.upper(): text})
