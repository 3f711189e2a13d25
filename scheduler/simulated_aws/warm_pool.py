"""The warm pool: instances that are launched ahead of time, kept, and put into the group when it grows.

Facts: EC2 Auto Scaling User Guide, Warm pools; ECS Developer Guide, Configuring pre-initialized instances.
"""

from dataclasses import dataclass
from functools import partial

from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.group_features import WarmPoolConfiguration
from scheduler.simulated_aws.launches import Launches
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.timeline import Action


@dataclass(slots=True, eq=False)
class WarmInstance:
    """One instance of the pool, from its launch until the group takes it or it is terminated."""

    instance: Ec2Instance
    lifecycle_state: str = "Warmed:Pending"

    @property
    def ready(self) -> bool:
        """Whether the group may take it."""
        return self.lifecycle_state in ("Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated")


class WarmPool:
    """The group's pool, if it has one. `on_change` is called when the group may have to react."""

    def __init__(
        self, region: Region, ec2_instances: Ec2Instances, launches: Launches, on_change: Action
    ) -> None:
        self._region = region
        self._ec2 = ec2_instances
        self._launches = launches
        self._on_change = on_change
        self.configuration = region.settings.warm_pool
        self.is_going = False
        self.instances: dict[str, WarmInstance] = {}
        ec2_instances.on_running.append(self._booted)
        ec2_instances.on_stopped.append(self._stopped)
        ec2_instances.on_shutting_down.append(self._shutting_down)
        ec2_instances.on_terminated.append(self._terminated)

    def put(self, configuration: WarmPoolConfiguration) -> None:
        """Create the pool, or change it; what is in it already stays as it is."""
        self.configuration, self.is_going = configuration, False
        self._on_change()

    def delete(self, *, force: bool) -> None:
        """End the pool and its instances; `force`: the pool is not shown until they have ended."""
        self.is_going = True
        if force:
            self.configuration = None
        self._on_change()

    def fill(self, zone: str, *, desired: int, max_size: int) -> None:
        """As many as the pool is to have: launch what lacks, and terminate what is too many."""
        there = [each for each in self.instances.values() if "Terminat" not in each.lifecycle_state]
        wanted = self._size(desired, max_size)
        for _ in range(wanted - len(there)):
            instance = self._launches.warm(zone)
            if instance is None:
                return
            instance.agent_waits = self._region.settings.warm_pool_agents_wait
            self.instances[instance.instance_id] = WarmInstance(instance)
        for each in there[wanted:]:
            self._ec2.terminate(each.instance)
        if self.is_going and not self.instances:
            self.configuration, self.is_going = None, False

    def take(self, zone: str) -> Ec2Instance | None:
        """One for the group, of this zone if there is one; without any the group launches cold."""
        ready = [each for each in self.instances.values() if each.ready]
        chosen = min(ready, key=lambda each: each.instance.availability_zone != zone, default=None)
        if chosen is None:
            return None
        del self.instances[chosen.instance.instance_id]
        self._ec2.put_to_work(chosen.instance)
        return chosen.instance

    def _size(self, desired: int, max_size: int) -> int:
        """By default the difference between the maximum and the desired capacity (PutWarmPool)."""
        configuration = self.configuration
        if configuration is None or self.is_going:
            return 0
        prepared = configuration.max_group_prepared_capacity
        most = max_size if prepared is None else prepared
        return max(configuration.min_size, most - desired)

    def _booted(self, instance: Ec2Instance) -> None:
        """User data runs, and its agent starts if it does not wait; then the instance rests."""
        if self._is_in(instance, "Warmed:Pending"):
            delay_ms = self._region.draw_ms(self._region.settings.warm_up_ms)
            self._region.after(delay_ms, partial(self._warmed_up, instance))

    def _warmed_up(self, instance: Ec2Instance) -> None:
        if not self._is_in(instance, "Warmed:Pending") or self.configuration is None:
            return
        if self.configuration.pool_state == "Running":
            self.instances[instance.instance_id].lifecycle_state = "Warmed:Running"
        else:
            self._ec2.stop(instance)

    def _stopped(self, instance: Ec2Instance) -> None:
        if self._is_in(instance, "Warmed:Pending") and self.configuration is not None:
            state = f"Warmed:{self.configuration.pool_state}"
            self.instances[instance.instance_id].lifecycle_state = state

    def _shutting_down(self, instance: Ec2Instance) -> None:
        """Whoever ends it: the pool is filled up again."""
        if instance.instance_id in self.instances:
            self.instances[instance.instance_id].lifecycle_state = "Warmed:Terminating"
            self._on_change()

    def _terminated(self, instance: Ec2Instance) -> None:
        if self.instances.pop(instance.instance_id, None) is not None:
            self._on_change()

    def _is_in(self, instance: Ec2Instance, state: str) -> bool:
        warm = self.instances.get(instance.instance_id)
        return warm is not None and warm.lifecycle_state == state
