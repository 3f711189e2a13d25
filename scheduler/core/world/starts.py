"""Starts: which went well and which failed, to tell a sick container instance from a broken configuration.

Both look alike from one failure. What fails on one instance while it and others start well elsewhere follows
the instance, a *black hole*: it fails what it is given at once, so it looks free and is given more. What
fails wherever it goes while others start well there follows the *configuration*.
"""

from collections.abc import Container, Iterable
from typing import NamedTuple

from scheduler.core.model.attempt import Attempt, StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import QueuedTask

_HURTS_INSTANCE = (StopCategory.CANNOT_START, StopCategory.START_TIMEOUT)
_FAILED = (*_HURTS_INSTANCE, StopCategory.IMAGE)
_RAN = (StopCategory.EXIT, StopCategory.OOM, StopCategory.ESSENTIAL_EXITED)


class FailedStart(NamedTuple):
    """One launch that never ran. `key` is its configuration's; `begun_ms` is when it was decided."""

    at_ms: int
    begun_ms: int
    ec2_instance_id: str
    key: str
    image: str
    build_key: str
    category: StopCategory
    message: str

    @property
    def name(self) -> str:
        """Its configuration in an operator's words."""
        return self.build_key or self.image or self.key


def failed_start(attempt: Attempt, task: QueuedTask) -> FailedStart | None:
    """The failure that this attempt ended with, if it never ran for no fault of its instance's end."""
    reason = attempt.stop_reason
    if attempt.stopped_ms is None or attempt.started_ms is not None or reason is None:
        return None
    if reason.category not in _FAILED:
        return None
    return FailedStart(
        at_ms=attempt.stopped_ms,
        begun_ms=attempt.created_ms,
        ec2_instance_id=attempt.ec2_instance_id,
        key=task.definition_key,
        image=task.image,
        build_key=task.build_key,
        category=reason.category,
        message=next((each.reason for each in reason.containers if each.reason), reason.message),
    )


def good_start_ms(attempt: Attempt) -> int | None:
    """When the attempt's containers ran, if they did: by a reading, or because they ended by themselves."""
    if attempt.started_ms is not None:
        return attempt.started_ms
    reason = attempt.stop_reason
    return attempt.stopped_ms if reason is not None and reason.category in _RAN else None


class Starts:
    """Failures in a row, by EC2 instance and by configuration, and the last good start of each instance.

    A group that came down to one instance has it alone to tell of: good starts on those that are gone speak
    against it all the same, the last of them for all.
    """

    def __init__(self, policy: Policy) -> None:
        """Nothing was started."""
        self._policy = policy
        self._on: dict[str, list[FailedStart]] = {}
        self._of: dict[str, list[FailedStart]] = {}
        self._good_ms: dict[str, int] = {}
        self._good_of_gone_ms: int | None = None

    def fail(self, failure: FailedStart) -> None:
        """A start failed."""
        self._on.setdefault(failure.ec2_instance_id, []).append(failure)
        self._of.setdefault(failure.key, []).append(failure)

    def succeed(self, ec2_instance_id: str, key: str, at_ms: int) -> None:
        """A start went well: what failed before on its instance, or of its configuration, was a mishap."""
        self._good_ms[ec2_instance_id] = max(at_ms, self._good_ms.get(ec2_instance_id, 0))
        _drop(self._on, ec2_instance_id, at_ms)
        _drop(self._of, key, at_ms)

    def forget(self, there: Container[str], now_ms: int) -> None:
        """What is older than the window tells nothing, nor does what failed on instances that are gone."""
        from_ms = now_ms - self._policy.start_window_ms
        gone = [at_ms for each, at_ms in self._good_ms.items() if each not in there]
        gone += [] if self._good_of_gone_ms is None else [self._good_of_gone_ms]
        self._good_of_gone_ms = max((at_ms for at_ms in gone if at_ms > from_ms), default=None)
        for rows in (self._on, self._of):
            for name in list(rows):
                _drop(rows, name, from_ms, there)
        self._good_ms = {each: at for each, at in self._good_ms.items() if each in there and at > from_ms}

    def black_holes(self) -> dict[str, tuple[FailedStart, ...]]:
        """Instances on which so much failed in a row that it is they, with what failed."""
        rows = {ec2_id: self._blamed_on(ec2_id) for ec2_id in self._on}
        return {ec2_id: row for ec2_id, row in rows.items() if self._is_black_hole(ec2_id, row)}

    def follows(self, key: str, able: int) -> tuple[FailedStart, ...]:
        """What failed in a row of a configuration, if that is to blame; `able` instances work."""
        row = tuple(self._of.get(key, ()))
        instances = {each.ec2_instance_id for each in row}
        enough = len(row) >= self._policy.breaker_failures
        wide = len(instances) >= min(self._policy.breaker_failures, max(1, able))
        return row if enough and wide and instances & self._good_ms.keys() else ()

    def _blamed_on(self, ec2_instance_id: str) -> tuple[FailedStart, ...]:
        """Without images that could not be pulled, and what failed on other instances as well."""
        return tuple(
            each
            for each in self._on[ec2_instance_id]
            if each.category in _HURTS_INSTANCE and len(_instances(self._of.get(each.key, ()))) < 2
        )

    def _is_black_hole(self, ec2_instance_id: str, row: tuple[FailedStart, ...]) -> bool:
        # The image of a task that was accepted before a restart is not known: it may be any of the others.
        images = {each.image for each in row if each.image}
        builds = {each.build_key or each.key for each in row}
        various = min(len(images), len(builds)) >= self._policy.black_hole_configurations
        gone = self._good_of_gone_ms is not None
        elsewhere = gone or any(each != ec2_instance_id for each in self._good_ms)
        return len(row) >= self._policy.black_hole_failures and various and elsewhere


def _instances(row: Iterable[FailedStart]) -> set[str]:
    return {each.ec2_instance_id for each in row}


def _drop(
    rows: dict[str, list[FailedStart]], name: str, until_ms: int, there: Container[str] | None = None
) -> None:
    """Forgets what failed until then, or on instances that are not there."""
    kept = [
        each
        for each in rows.get(name, ())
        if each.at_ms > until_ms and (there is None or each.ec2_instance_id in there)
    ]
    if kept:
        rows[name] = kept
    else:
        rows.pop(name, None)
