"""Limits: the group's own, narrowed by an operator's wish, and never widened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.limits import limits_of, standing
from scheduler.core.model.scaling import Limits, ScaleWish, WishKind
from tests.builders import a_group, a_wish
from tests.clocks import START_MS
from tests.strategies import MODEST

GROUP = a_group(min_size=2, max_size=10)

wishes = st.none() | st.builds(
    lambda kind, size, expires_ms: a_wish(kind=kind, size=size, expires_ms=expires_ms),
    kind=st.sampled_from(WishKind),
    size=st.integers(0, 60),
    expires_ms=st.none() | st.sampled_from([START_MS, START_MS + 1]),
)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (None, (2, 10)),
        (a_wish(size=5, kind=WishKind.FLOOR), (5, 10)),
        (a_wish(size=5, kind=WishKind.TARGET), (5, 5)),
        (a_wish(size=5, kind=WishKind.CLEAR), (2, 10)),
        (a_wish(size=0, kind=WishKind.FLOOR), (2, 10)),
        (a_wish(size=0, kind=WishKind.TARGET), (2, 2)),
        (a_wish(size=99, kind=WishKind.FLOOR), (10, 10)),
        (a_wish(size=99, kind=WishKind.TARGET), (10, 10)),
    ],
)
def test_a_wish_narrows_the_limits(wish: ScaleWish | None, expected: tuple[int, int]) -> None:
    """A floor raises the least, a target sets both; either stays within what the group may be by now."""
    assert limits_of(GROUP, wish, START_MS) == Limits(floor=expected[0], ceiling=expected[1])


@pytest.mark.parametrize(("after_ms", "floor"), [(-1, 5), (0, 2), (1, 2)])
def test_a_wish_ends_with_its_time(after_ms: int, floor: int) -> None:
    """From then on the group's own limits count again."""
    wish = a_wish(size=5, expires_ms=START_MS)
    assert limits_of(GROUP, wish, START_MS + after_ms).floor == floor
    assert standing(wish, START_MS + after_ms) == (wish if after_ms < 0 else None)


def test_a_wish_without_an_end_never_expires() -> None:
    """It stands until another one does."""
    assert standing(a_wish(), START_MS * 10) == a_wish()


@pytest.mark.parametrize("wish", [None, a_wish(kind=WishKind.CLEAR)])
def test_a_wish_for_nothing_any_more_does_not_stand(wish: ScaleWish | None) -> None:
    """It only ended the one before it."""
    assert standing(wish, START_MS) is None


@MODEST
@given(wish=wishes, least=st.integers(0, 10), spread=st.integers(0, 10))
def test_no_wish_leaves_the_group_s_limits(wish: ScaleWish | None, least: int, spread: int) -> None:
    """Whatever is wished, what is kept to is within them, and not empty."""
    limits = limits_of(a_group(min_size=least, max_size=least + spread), wish, START_MS)
    assert least <= limits.floor <= limits.ceiling <= least + spread
