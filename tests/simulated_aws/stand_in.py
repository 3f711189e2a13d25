"""A stand-in for the simulated account: answers what it is told to, keeps what it was asked, and can fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Canned = dict[str, Any] | Exception | Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class StandInJournal:
    entries: Sequence[Mapping[str, Any]] = ()


@dataclass
class StandIn:
    """`answers` holds a result, an exception or a function of the params by operation; the rest gets {}."""

    answers: dict[str, Canned] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    journal: StandInJournal = field(default_factory=StandInJournal)
    due: list[dict[str, Any]] = field(default_factory=list)

    def advance(self) -> None:
        """What is due happens now."""
        self.journal.entries, self.due = [*self.journal.entries, *self.due], []

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((service, operation, params))
        answer = self.answers.get(operation, {})
        if isinstance(answer, Exception):
            raise answer
        return answer(params) if callable(answer) else answer
