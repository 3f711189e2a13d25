"""Searches for ECS tasks whose StartTask had no answer.

A *lost* attempt is looked for until it is found or given up. One that was given up is looked out for a while
longer: if its task shows up after all it is a *stray*, and is stopped, because its work was given to another
or told as lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.calls import FindAttempt
from scheduler.core.model.policy import Policy


@dataclass(frozen=True, slots=True)
class _Search:
    call: FindAttempt
    at_ms: int
    step: int
    stray: bool
    found_arn: str = ""


class Searches:
    """When to look for which attempt next; one search of an attempt is under way at a time."""

    def __init__(self, policy: Policy) -> None:
        """Nothing is looked for."""
        self._policy = policy
        self._searches: dict[str, _Search] = {}
        self._under_way: set[str] = set()

    def begin(self, attempt: Attempt, now_ms: int) -> None:
        """Looks for a lost attempt, at once and with growing pauses."""
        self._searches.setdefault(attempt.attempt_id, _Search(_call(attempt), now_ms, 0, stray=False))

    def look_out(self, attempt: Attempt, now_ms: int) -> None:
        """Looks out for an abandoned attempt, a few times and then no more."""
        first_ms = now_ms + self._policy.stray_pauses_ms[0]
        self._searches[attempt.attempt_id] = _Search(_call(attempt), first_ms, 1, stray=True)

    def end(self, attempt_id: str) -> None:
        """The attempt is accounted for."""
        self._searches.pop(attempt_id, None)

    def is_stray(self, attempt_id: str) -> bool:
        """True while an abandoned attempt is looked out for."""
        search = self._searches.get(attempt_id)
        return search is not None and search.stray

    def lost(self) -> int:
        """How many attempts are neither found nor abandoned."""
        return sum(not search.stray for search in self._searches.values())

    def sent(self, call: FindAttempt) -> None:
        """A search is under way."""
        self._under_way.add(call.attempt_id)

    def heard(self, call: FindAttempt, now_ms: int) -> None:
        """A search ended; the next one comes after a pause, if there is to be one."""
        self._under_way.discard(call.attempt_id)
        search = self._searches.get(call.attempt_id)
        if search is None:
            return
        pauses = self._policy.stray_pauses_ms if search.stray else self._policy.resolve_pauses_ms
        pause_ms = pauses[min(search.step, len(pauses) - 1)]
        later = replace(search, at_ms=now_ms + pause_ms, step=search.step + 1)
        self._searches[call.attempt_id] = later

    def missed(self, attempt_id: str) -> str:
        """A search found nothing: an abandoned attempt is looked out for a few times, and then no more.

        Returns the ARN of its ECS task if that was there before and is given up now.
        """
        search = self._searches.get(attempt_id)
        if search is None or not search.stray or search.step <= len(self._policy.stray_pauses_ms):
            return ""
        self.end(attempt_id)
        return search.found_arn

    def found_alive(self, attempt_id: str, task_arn: str, now_ms: int) -> None:
        """A stray is there: it is looked at again soon, until it was seen to end."""
        at_ms = now_ms + self._policy.stray_pauses_ms[0]
        again = replace(self._searches[attempt_id], at_ms=at_ms, step=1, found_arn=task_arn)
        self._searches[attempt_id] = again

    def due(self, now_ms: int) -> Iterator[FindAttempt]:
        """Searches whose time has come."""
        for attempt_id, search in self._searches.items():
            if search.at_ms <= now_ms and attempt_id not in self._under_way:
                yield search.call

    def next_ms(self) -> int | None:
        """When the next search is due."""
        times = (each.at_ms for key, each in self._searches.items() if key not in self._under_way)
        return min(times, default=None)


def _call(attempt: Attempt) -> FindAttempt:
    return FindAttempt(attempt_id=attempt.attempt_id, container_instance_arn=attempt.container_instance_arn)
