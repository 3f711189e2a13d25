"""The features that may be hazards, asked of AWS one description after the other."""

from collections.abc import Callable, Iterator

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.failures import cloud_errors, is_denied
from scheduler.adapters.aws.groups import find_group
from scheduler.adapters.aws.hazards import Features
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.paging import batches, pages
from scheduler.ports.cloud import CloudError


class FeatureReading:
    """One reading of a group's features. `denied` are the actions that IAM does not allow.

    A service without those permissions still works: what the other descriptions show is told. Whatever else
    goes wrong fails the reading.
    """

    def __init__(self, clients: AwsClients, *, cluster: str) -> None:
        self._clients = clients
        self._cluster = cluster
        self.denied: list[str] = []

    def of(self, group: str) -> Features:
        """The features of the group, as far as we may see them."""
        scaling = self._clients.autoscaling
        return Features(
            group=find_group(self._clients, group),
            scaling_policies=self._all(
                "DescribePolicies", scaling.describe_policies, "ScalingPolicies", group
            ),
            scheduled_actions=self._all(
                "DescribeScheduledActions",
                scaling.describe_scheduled_actions,
                "ScheduledUpdateGroupActions",
                group,
            ),
            instance_refreshes=self._all(
                "DescribeInstanceRefreshes",
                scaling.describe_instance_refreshes,
                "InstanceRefreshes",
                group,
            ),
            capacity_providers=self._capacity_providers(),
        )

    def _all(
        self, action: str, operation: Callable[..., Shape], member: str, group: str
    ) -> tuple[Shape, ...]:
        def read() -> Iterator[Shape]:
            for answer in pages(operation, token="NextToken", AutoScalingGroupName=group):
                yield from answer[member]

        return self._allowed(f"autoscaling:{action}", read)

    def _capacity_providers(self) -> tuple[Shape, ...]:
        """Those of the cluster: a group scaled by another cluster's is not ours to lead anyhow."""
        ecs = self._clients.ecs

        def clusters() -> Iterator[Shape]:
            yield from ecs.describe_clusters(clusters=[self._cluster])["clusters"]

        def providers() -> Iterator[Shape]:
            for batch in batches(names):
                for answer in pages(ecs.describe_capacity_providers, capacityProviders=batch):
                    yield from answer["capacityProviders"]

        found = self._allowed("ecs:DescribeClusters", clusters)
        names: list[str] = [name for each in found for name in each.get("capacityProviders", ())]
        return self._allowed("ecs:DescribeCapacityProviders", providers)

    def _allowed(self, action: str, read: Callable[[], Iterator[Shape]]) -> tuple[Shape, ...]:
        """What is read; nothing, and the action noted, where IAM is in the way."""
        try:
            with cloud_errors():
                return tuple(read())
        except CloudError as error:
            if not is_denied(error.failure):
                raise
        self.denied.append(action)
        return ()
