"""Rows that judge one and the same message once."""

import gc
from weakref import ref

from scheduler.core.model.errors import Violation
from scheduler.core.model.task import ContainerSize, ExtraContainer
from scheduler.core.validate.checks import Check
from scheduler.core.validate.rows import Once, field


def container(name: str) -> ExtraContainer:
    return ExtraContainer(name=name, image="postgres:16", size=ContainerSize.SMALL)


class Judge:
    """A rule that wants containers to be called "right", and the names that it has looked at."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._row = Once(field("name", Check(self._holds, "right")))

    def violations(self, message: ExtraContainer) -> list[Violation]:
        found: list[Violation] = []
        self._row.judge(message, "extra.", found)
        return found

    def _holds(self, name: str) -> bool:
        self.seen.append(name)
        return name == "right"


def test_what_was_right_is_not_judged_again() -> None:
    """The very same message is looked at once; an equal one is looked at by itself."""
    judge, message = Judge(), container("right")
    assert [*judge.violations(message), *judge.violations(message)] == []
    assert judge.seen == ["right"]
    assert judge.violations(container("right")) == []
    assert judge.seen == ["right", "right"]


def test_what_was_wrong_is_told_every_time() -> None:
    """A violation is no one-time affair: whoever asks again is told again."""
    judge, message = Judge(), container("wrong")
    told = judge.violations(message)
    assert told == [Violation(field_path="extra.name", expected="right")]
    assert judge.seen == ["wrong"] * 2  # once to see whether it holds, once to say what was expected
    assert judge.violations(message) == told


def test_nothing_is_kept_for_it() -> None:
    """A message that nobody else holds goes away: there may be secrets in it."""
    judge, message = Judge(), container("right")
    judge.violations(message)
    gone = ref(message)
    del message
    gc.collect()
    assert gone() is None
