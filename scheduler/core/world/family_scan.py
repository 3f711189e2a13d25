"""The scan of the family: how a store that has no index finds the revisions that an earlier one registered.

ListTaskDefinitions answers no tags (ECS API), so each revision costs a description. They are read newest
first, one at a time and up to a limit, in a lane of their own: nobody waits for the scan, and what is needed
meanwhile is registered.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from scheduler.core.model.calls import Call, DescribeRevision, ListRevisions
from scheduler.core.model.policy import Policy


class FamilyScan:
    """Where the scan is: the page to list next, and what was listed and is not described yet."""

    def __init__(self, policy: Policy) -> None:
        """Nothing is to be looked at."""
        self._pause_ms = policy.registration_pauses_ms[-1]
        self._left = policy.scanned_revisions_max
        self._token: str | None = None
        self._listed: deque[str] = deque()
        self._under_way = False
        self._at_ms = 0

    def begin(self) -> None:
        """The store has no index: the whole family is to be looked at."""
        self._token = ""

    def sent(self, call: Call) -> None:
        """A reading of ours may be under way."""
        self._under_way |= isinstance(call, ListRevisions | DescribeRevision)

    def heard_list(self, arns: Iterable[str], token: str) -> None:
        """A page is there; the next one is asked for once all of it is described."""
        self._under_way = False
        for arn in arns:
            if self._left > 0:
                self._listed.append(arn)
                self._left -= 1
        self._token = token if token and self._left > 0 else None

    def heard_description(self) -> None:
        """The first of those listed is described."""
        self._under_way = False
        self._listed.popleft()

    def rest(self, now_ms: int) -> None:
        """A reading failed for a reason that passes: it is repeated."""
        self._under_way = False
        self._at_ms = now_ms + self._pause_ms

    def give_up(self) -> None:
        """AWS refuses to be read: the next start tries again."""
        self._under_way = False
        self._token = None
        self._listed.clear()

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to look at."""
        return self._token is None and not self._listed

    def due(self, now_ms: int) -> Iterator[ListRevisions | DescribeRevision]:
        """The next reading."""
        if self.is_over or self._under_way or now_ms < self._at_ms:
            return
        yield (
            DescribeRevision(arn=self._listed[0]) if self._listed else ListRevisions(token=self._token or "")
        )

    def next_ms(self) -> int | None:
        """When the next reading is due; one under way is not waited for here."""
        return None if self.is_over or self._under_way else self._at_ms
