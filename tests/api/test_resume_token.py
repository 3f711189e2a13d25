"""Resume tokens: opaque, url-safe, and refused when they are not ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.api import resume_token
from scheduler.services.errors import ResumeTokenForeign, ResumeTokenInvalid
from scheduler.services.task_watch import WatchPosition
from tests.builders import task_id

EPOCH = "00000000c0ffee00"
REVISIONS = st.integers(min_value=0, max_value=10**18 - 1)
POSITIONS = st.builds(
    WatchPosition,
    revision=REVISIONS,
    border=REVISIONS,
    after_task_id=st.none() | st.just("") | st.integers(min_value=0, max_value=10**9).map(task_id),
)


@given(POSITIONS)
def test_token_resumes_where_it_was_made(position: WatchPosition) -> None:
    """A token says the whole position, but for a border that is passed; it needs no escaping in a URL."""
    token = resume_token.encode(EPOCH, position)
    decoded = resume_token.decode(token, EPOCH)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert decoded is not None
    assert (decoded.revision, decoded.after_task_id, decoded.synced) == (
        position.revision,
        position.after_task_id,
        position.synced,
    )
    assert position.synced or decoded == position


@given(POSITIONS)
def test_token_of_another_epoch_is_foreign(position: WatchPosition) -> None:
    """Only the store that made a token takes it back."""
    token = resume_token.encode("0000000000000001", position)
    with pytest.raises(ResumeTokenForeign):
        resume_token.decode(token, EPOCH)


@given(st.text(min_size=1) | st.binary(min_size=1).map(lambda raw: raw.decode("latin-1")))
def test_garbage_is_refused_as_such(garbage: str) -> None:
    """Whatever a client sends instead of a token is refused, never an unexpected error."""
    for decode in (resume_token.decode, resume_token.decode_sequence):
        with pytest.raises(ResumeTokenInvalid):
            decode(garbage, EPOCH)


def test_no_token_is_no_position() -> None:
    """An empty token asks for the present state."""
    assert resume_token.decode("", EPOCH) is None
    assert resume_token.decode_sequence("", EPOCH) is None


@given(REVISIONS)
def test_token_of_the_scaling_log(sequence: int) -> None:
    """A token says the sequence, needs no escaping in a URL, and is of its own store."""
    token = resume_token.encode_sequence(EPOCH, sequence)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert resume_token.decode_sequence(token, EPOCH) == sequence
    with pytest.raises(ResumeTokenForeign):
        resume_token.decode_sequence(token, "0000000000000001")


@given(REVISIONS, POSITIONS)
def test_tokens_of_two_logs_are_not_taken_for_each_other(sequence: int, position: WatchPosition) -> None:
    """A place in one log says nothing of a place in the other."""
    with pytest.raises(ResumeTokenInvalid):
        resume_token.decode(resume_token.encode_sequence(EPOCH, sequence), EPOCH)
    with pytest.raises(ResumeTokenInvalid):
        resume_token.decode_sequence(resume_token.encode(EPOCH, position), EPOCH)
