"""Revisions: the task definitions that this service has registered, by the tags that say so."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.core.model.mark import TAG_PREFIX, Mark, mark_of

DAY_MS = 86_400_000
"""A revision's last use is kept by day, so that a busy one is written down once a day."""

DEREGISTER_DEFINITION = "deregister_definition"
"""The kind of the intent of a deregistration; its key is the revision's ARN."""

_KEY, _CLUSTER = TAG_PREFIX + "config-hash", TAG_PREFIX + "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of ours: whose configuration it is, and the last day on which a task used it."""

    arn: str
    definition_key: str
    used_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose revisions are ours: the same service on the same cluster, whatever store it had."""

    mark: Mark
    cluster: str

    def tags(self, definition_key: str) -> dict[str, str]:
        """How a revision is tagged when it is registered."""
        return {_KEY: definition_key, _CLUSTER: self._cluster_name} | self.mark.tags()

    def key_in(self, tags: Mapping[str, str]) -> str:
        """The content hash of a revision of ours; empty for one of anybody else."""
        found = mark_of(tags)
        if found is None or found.service_id != self.mark.service_id:
            return ""
        return tags.get(_KEY, "") if tags.get(_CLUSTER) == self._cluster_name else ""

    @property
    def _cluster_name(self) -> str:
        """Settings may name the cluster by its ARN, and later not."""
        return self.cluster.rpartition("/")[2]
