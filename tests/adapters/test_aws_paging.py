"""Whole lists from answers that carry parts of them."""

from typing import Any

import pytest
from botocore.exceptions import PaginationError
from hypothesis import given
from hypothesis import strategies as st

from scheduler.adapters.aws.paging import batches, pages


class PagedList:
    """An operation that answers its pages one by one; the token is the number of the next page."""

    def __init__(self, answers: list[list[int]]) -> None:
        self.answers = answers

    def __call__(self, *, cluster: str, nextToken: str = "0") -> dict[str, Any]:
        at = int(nextToken)
        more = {"nextToken": str(at + 1)} if at + 1 < len(self.answers) else {}
        return {"items": self.answers[at], "cluster": cluster, **more}


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=6))
def test_every_page_is_read_in_order_even_after_an_empty_one(answers: list[list[int]]) -> None:
    """A page may be empty and still not be the last; every call carries the other parameters."""
    read = list(pages(PagedList(answers), cluster="ci"))
    assert [answer["items"] for answer in read] == answers
    assert {answer["cluster"] for answer in read} == {"ci"}


def test_a_token_that_repeats_ends_the_reading() -> None:
    """A list that never ends is a failure, not a loop."""
    with pytest.raises(PaginationError):
        list(pages(lambda **_: {"nextToken": "again"}))


@given(st.lists(st.text(max_size=4), max_size=30), st.integers(1, 7))
def test_batches_are_the_whole_list_in_parts(ids: list[str], size: int) -> None:
    """Nothing is lost or repeated, no part is empty and none is above the limit."""
    parts = list(batches(ids, size))
    assert [each for part in parts for each in part] == ids
    assert all(0 < len(part) <= size for part in parts)
