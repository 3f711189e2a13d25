"""Foresight: what a dry run tells of capacity."""

import pytest

from scheduler.core.model.answers import Answer
from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.scaling import ScalePlan, ScalingKind
from scheduler.services.foresight import plan_for
from tests.builders import M4_4XLARGE, a_wish
from tests.core.clusters import LOST, THROTTLED
from tests.core.region import Region


def foreseen(region: Region) -> ScalePlan:
    """What a floor of three instances would do."""
    plan = plan_for(region.world, a_wish(3), region.steps.now_ms)
    assert plan is not None
    return plan


def grows_to_three(plan: ScalePlan) -> bool:
    kinds = [each.kind for each in plan.actions]
    return kinds == [ScalingKind.GROW] and plan.desired_after == 3


def test_it_tells_what_would_be_done_while_an_ask_is_under_way() -> None:
    """The real decision waits for its answer; the dry one tells the whole of it."""
    region = Region(1)
    region.run(1, ask=M4_4XLARGE)
    region.submit(2, M4_4XLARGE)
    region.steps.step()
    assert region.awaited(SetDesiredCapacity)
    assert grows_to_three(foreseen(region))


@pytest.mark.parametrize("failure", [THROTTLED, LOST])
def test_it_tells_what_would_be_done_while_growth_rests(failure: Answer) -> None:
    """Also when the same was asked for in vain, and is no news for the log."""
    region = Region(1)
    region.run(1, ask=M4_4XLARGE)
    for number in (2, 3):
        region.submit(number, M4_4XLARGE)
    region.steps.step()
    (ask,) = region.awaited(SetDesiredCapacity)
    region.steps.answer(ask, failure)
    region.steps.step()
    assert region.steps.view().capacity.resting
    assert region.steps.view().capacity.asked == 3
    assert grows_to_three(foreseen(region))
