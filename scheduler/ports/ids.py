"""The ids port: identities are asked for, so that the core needs no randomness."""

from typing import Protocol


class Ids(Protocol):
    """Who calls: the control loop (attempts) and the submission of tasks. Every id is new."""

    def task_id(self, now_ms: int) -> str:
        """`t-` and 26 characters `[0-9a-z]` that sort by `now_ms`."""
        ...

    def attempt_id(self) -> str:
        """A UUID4 with hyphens: 36 characters, what ECS allows for `startedBy`."""
        ...
