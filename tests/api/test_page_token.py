"""Page tokens: opaque, url-safe, and refused anywhere but where they were made for."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler.api import page_token
from scheduler.core.model.task import TaskState
from scheduler.ports.store import TaskFilter
from scheduler.services.errors import InvalidRequest
from tests.builders import task_id

EPOCH = "00000000c0ffee00"
LABELS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3).map(lambda d: tuple(d.items()))
FILTERS = st.builds(
    TaskFilter,
    tenant=st.sampled_from(["bamboo", "jenkins"]),
    build_key=st.text(max_size=3),
    labels=LABELS,
    states=st.frozensets(st.sampled_from(TaskState)),
)
IDS = st.integers(min_value=0, max_value=10**9).map(task_id)


def in_order(wanted: TaskFilter) -> TaskFilter:
    return replace(wanted, labels=tuple(sorted(wanted.labels)))


def refused(token: str, epoch: str, wanted: TaskFilter) -> str:
    """What was expected of the token instead."""
    with pytest.raises(InvalidRequest) as caught:
        page_token.decode(token, epoch, wanted)
    [violation] = caught.value.violations
    assert violation.field_path == "page_token"
    return violation.expected


@given(FILTERS, IDS)
def test_token_goes_on_where_it_was_made(wanted: TaskFilter, last: str) -> None:
    """A token says the id behind which the next page begins; it needs no escaping in a URL."""
    token = page_token.encode(EPOCH, wanted, last)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert page_token.decode(token, EPOCH, wanted) == last


@given(FILTERS, FILTERS, IDS)
def test_token_is_for_its_filter_only(made_for: TaskFilter, used_with: TaskFilter, last: str) -> None:
    """With filters that ask for anything else it is refused."""
    assume(in_order(made_for) != in_order(used_with))
    token = page_token.encode(EPOCH, made_for, last)
    assert "filters" in refused(token, EPOCH, used_with)


@given(FILTERS, IDS)
def test_order_of_labels_is_no_change(wanted: TaskFilter, last: str) -> None:
    """Labels come from a map, whose order says nothing."""
    token = page_token.encode(EPOCH, wanted, last)
    assert page_token.decode(token, EPOCH, replace(wanted, labels=wanted.labels[::-1])) == last


@given(FILTERS, IDS)
def test_token_of_another_store_is_refused(wanted: TaskFilter, last: str) -> None:
    """Only the store that made a token takes it back."""
    token = page_token.encode("0000000000000001", wanted, last)
    assert "this store" in refused(token, EPOCH, wanted)


@given(st.text(min_size=1) | st.binary(min_size=1).map(lambda raw: raw.decode("latin-1")))
def test_garbage_is_refused_as_such(garbage: str) -> None:
    """Whatever a client sends instead of a token is refused, never an unexpected error."""
    assert "next_page_token" in refused(garbage, EPOCH, TaskFilter(tenant="bamboo"))


def test_no_token_is_the_first_page() -> None:
    """An empty token begins before every id."""
    assert page_token.decode("", EPOCH, TaskFilter(tenant="bamboo")) == ""
