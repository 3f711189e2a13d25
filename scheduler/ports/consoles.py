"""The consoles port: what an EC2 instance said before it is terminated."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleEvidence:
    """What was on the console, and where it is kept.

    `stream` is the log stream it was written to. Without one `output` is all there is of it, and whoever
    asked must keep it; `problem` says why, in one line, and is empty when nothing is missing.
    """

    output: str
    stream: str = ""
    problem: str = ""


class Consoles(Protocol):
    """Who calls: only `services/calls.py`, before an instance is terminated. Never raises for AWS's sake."""

    def save(self, ec2_instance_id: str) -> ConsoleEvidence:
        """Reads the console and writes it to the log group. Saved twice, it is there twice."""
        ...
