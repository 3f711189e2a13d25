"""Findings: what a check comes to, in one line."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is: with a problem the service cannot do its work, with a warning it does less of it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `remedy` is what to do about it, and empty where nothing is."""

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""

    def line(self) -> str:
        """For people."""
        told = f"{self.verdict:<11}  {self.check:<11}  {self.text}"
        return " ".join(told.splitlines()) + (f" -> {self.remedy}" if self.remedy else "")

    def json_line(self) -> str:
        """For programs."""
        return json.dumps(asdict(self))


def ok(check: str, text: str) -> Finding:
    """As it should be."""
    return Finding(check=check, verdict=Verdict.OK, text=text)


def warning(check: str, text: str, remedy: str) -> Finding:
    """The service works, and does less than it could."""
    return Finding(check=check, verdict=Verdict.WARNING, text=text, remedy=remedy)


def problem(check: str, text: str, remedy: str) -> Finding:
    """The service does not start, or cannot do its work."""
    return Finding(check=check, verdict=Verdict.PROBLEM, text=text, remedy=remedy)


def not_checked(check: str, text: str) -> Finding:
    """It cannot be known without doing it."""
    return Finding(check=check, verdict=Verdict.NOT_CHECKED, text=text)
