"""Daemons: tasks of services that run once on each container instance, and the room that is theirs.

Such a task makes no instance busy, for it has no other reason to be there (ECS Developer Guide: the daemon
scheduling strategy has one task on each active container instance). A fresh instance, or one that is taken
back, is theirs first: a build that took their room would keep them out for its whole life.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from scheduler.core.model.answers import EcsTask
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources


class Daemons:
    """Daemon tasks by ARN of their instance and name of their service, as the last census showed them."""

    def __init__(self, policy: Policy) -> None:
        """None were seen."""
        self._grace_ms = policy.daemon_grace_ms
        self._named = frozenset(policy.daemon_services)
        self._on: dict[str, dict[str, Resources]] = {}
        self._asks: dict[str, Resources] = {}
        self._active_ms: dict[str, int] = {}
        self._waiting: set[str] = set()

    def is_daemon(self, task: EcsTask) -> bool:
        """Whether a task is one, by ECS's word on its service or by the setting."""
        return task.daemon or task.service in self._named

    def see(self, tasks: Iterable[EcsTask]) -> Collection[str]:
        """A census; returns the ARNs on which it found others than the one before."""
        on: defaultdict[str, dict[str, Resources]] = defaultdict(dict)
        for task in filter(self.is_daemon, tasks):
            on[task.container_instance_arn][task.service] = task.ask
        before, self._on = self._on, dict(on)
        # The services that were seen anywhere are expected everywhere, each with what it asks for.
        self._asks = {service: ask for asks in on.values() for service, ask in asks.items()}
        return [arn for arn in {*before, *on} if before.get(arn) != on.get(arn)]

    def see_instances(self, instances: Mapping[str, ContainerInstance], as_of_ms: int) -> Collection[str]:
        """A reading of the instances; returns those that were waited on, to be judged anew."""
        active = {arn for arn, each in instances.items() if each.status == "ACTIVE"}
        self._active_ms = {arn: self._active_ms.get(arn, as_of_ms) for arn in active}
        before = self._waiting
        self._waiting = {
            arn
            for arn, since_ms in (self._active_ms.items() if self._asks else ())
            if as_of_ms - since_ms < self._grace_ms and self._missing(arn)
        }
        return before | self._waiting

    def footprint(self) -> Resources:
        """What all that were seen anywhere ask for together: each instance is to hold them."""
        return sum(self._asks.values(), NOTHING)

    def count(self, arn: str) -> int:
        """How many are on an instance."""
        return len(self._on.get(arn, ()))

    def room(self, instance: ContainerInstance, attempts: int) -> Resources | None:
        """The room to keep for those that are to come; None: there is nothing to wait for.

        ECS counts them before a census shows them.
        """
        if instance.arn not in self._waiting or instance.tasks - attempts >= len(self._asks):
            return None
        return sum((self._asks[each] for each in self._missing(instance.arn)), NOTHING)

    def _missing(self, arn: str) -> Collection[str]:
        return self._asks.keys() - self._on.get(arn, {}).keys()
