"""Autoscaling, as the API sees it: the cluster as the loop last saw it."""

from collections.abc import Callable

from scheduler.core.model.digest import ClusterDigest


class AutoscalingService:
    """Shows capacity and demand. How many instances there should be is decided by the control loop."""

    def __init__(self, digest: Callable[[], ClusterDigest]) -> None:
        """`digest` gives what the loop last published."""
        self._digest = digest

    def cluster(self) -> ClusterDigest:
        """The last digest; it never asks AWS."""
        return self._digest()
