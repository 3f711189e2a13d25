"""Launch times of EC2 instances: asked once, since they never change."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock

import structlog

from scheduler.adapters.aws.ec2_instances import described
from scheduler.adapters.aws.failures import cloud_errors
from scheduler.adapters.aws.operations import Ec2Reads
from scheduler.adapters.aws.texts import milliseconds
from scheduler.ports.cloud import CloudError

_KNOWN_AT_MOST = 10_000
"""Twice what a cluster can hold (ECS Developer Guide: Service quotas, 5,000 container instances)."""


log = structlog.get_logger()


class LaunchTimes:
    """Remembers when instances were launched. Any thread may ask."""

    def __init__(self, ec2: Ec2Reads) -> None:
        self._ec2 = ec2
        self._lock = Lock()
        self._complaint = ""
        self._known: OrderedDict[str, int] = OrderedDict()

    def of(self, instance_ids: Sequence[str]) -> dict[str, int]:
        """Launch times in ms by instance id.

        An id that EC2 does not know (yet, or any more) has none, and while EC2 cannot be asked no new one
        has: they only break ties, which is not worth a reading of the cluster. They are asked for again.
        """
        with self._lock:
            unseen = [each for each in instance_ids if each not in self._known]
        fresh = self._ask_if_possible(unseen) if unseen else {}
        with self._lock:
            known = {each: self._known[each] for each in instance_ids if each in self._known}
            self._remember(fresh, used=known)
        return known | fresh

    def _remember(self, fresh: dict[str, int], *, used: Iterable[str]) -> None:
        for instance_id in used:
            self._known.move_to_end(instance_id)
        self._known.update(fresh)
        while len(self._known) > _KNOWN_AT_MOST:
            self._known.popitem(last=False)

    def _ask_if_possible(self, instance_ids: Sequence[str]) -> dict[str, int]:
        try:
            with cloud_errors():
                fresh = {
                    each["InstanceId"]: milliseconds(each["LaunchTime"])
                    for each in described(self._ec2, instance_ids)
                }
        except CloudError as error:
            self._complain(str(error))
            return {}
        self._complaint = ""
        return fresh

    def _complain(self, reason: str) -> None:
        """Once, not with each reading of the cluster."""
        if reason != self._complaint:
            log.warning("launch_times.unread", reason=reason)
        self._complaint = reason
