"""The calls port: how the loop's calls leave it, and come back as outcomes."""

from typing import Protocol

from scheduler.core.model.calls import Call


class Calls(Protocol):
    """Who calls: the driver, after the records of the same plan are durable.

    Each call is carried out once; its Outcome is put into the loop's inbox, ever. Submitting never
    blocks and never fails.
    """

    def submit(self, call: Call) -> None:
        """Hands the call over."""
        ...
