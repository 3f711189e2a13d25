"""ECS's operations on the cluster itself and on capacity providers."""

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.checks import check_cluster, check_ids, wants_tags
from scheduler.simulated_aws.container_instances import ContainerInstances
from scheduler.simulated_aws.errors import ApiError, invalid_parameter
from scheduler.simulated_aws.group_features import FARGATE_PROVIDERS, CapacityProvider
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.paging import PageRequest, cut
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present


class Clusters:
    """DescribeClusters and DescribeCapacityProviders."""

    def __init__(self, region: Region, instances: ContainerInstances, group_arn: str) -> None:
        self._region = region
        self._instances = instances
        self._group_arn = group_arn

    def operations(self) -> dict[str, Operation]:
        """The part of ECS's dispatch table that is about clusters."""
        return {
            "DescribeClusters": operation(self._describe_clusters, "clusters include"),
            "DescribeCapacityProviders": operation(
                self._describe_capacity_providers, "capacityProviders include maxResults nextToken"
            ),
        }

    def _describe_clusters(self, params: Shape) -> Shape:
        # "If you do not specify a cluster, the default cluster is assumed" (ECS API: DescribeClusters).
        references = params.get("clusters") or ["default"]
        check_ids(references, limits.DESCRIBE_CLUSTERS, of="clusters")
        wants_tags(params)
        answer: Shape = {"clusters": [], "failures": []}
        for reference in references:
            try:
                check_cluster({"cluster": reference}, self._region.settings.cluster, self._region.arns)
                answer["clusters"].append(self._cluster_shape())
            except ApiError:
                arn = self._region.arns.cluster.rpartition("/")[0] + "/" + resource_id(reference)
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
        return answer

    def _cluster_shape(self) -> Shape:
        settings = self._region.settings
        present_instances = [i for i in self._instances if i.status != "INACTIVE"]
        providers = [provider.name for provider in settings.capacity_providers]
        defaults = settings.default_capacity_providers
        return {
            "clusterArn": self._region.arns.cluster,
            "clusterName": settings.cluster,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": len(present_instances),
            "runningTasksCount": sum(i.running_tasks for i in present_instances),
            "pendingTasksCount": sum(i.pending_tasks for i in present_instances),
            "activeServicesCount": 0,
            "statistics": [],
            "tags": [],
            "settings": [],
            "capacityProviders": list(dict.fromkeys([*providers, *defaults])),
            "defaultCapacityProviderStrategy": [
                {"capacityProvider": name, "weight": 1, "base": 0} for name in defaults
            ],
        }

    def _describe_capacity_providers(self, params: Shape) -> Shape:
        wants_tags(params)
        shapes = {shape["name"]: shape for shape in self._provider_shapes()}
        references = params.get("capacityProviders") or sorted(shapes)
        check_ids(references, limits.DESCRIBE_CAPACITY_PROVIDERS, of="capacityProviders")
        names = {reference: resource_id(reference) for reference in references}
        found = sorted({name for name in names.values() if name in shapes})
        page = cut(found, lambda name: name, _page_request(params))
        return present(
            capacityProviders=[shapes[name] for name in page.items],
            failures=[
                {"arn": self._region.arns.capacity_provider(name), "reason": "MISSING"}
                for name in names.values()
                if name not in shapes
            ],
            nextToken=page.next_token,
        )

    def _provider_shapes(self) -> list[Shape]:
        """The account's own, and Fargate's, which every account has."""
        own = self._region.settings.capacity_providers
        fargate = [self._provider_shape(name) for name in FARGATE_PROVIDERS]
        return [*(self._provider_shape(p.name) | self._group_shape(p) for p in own), *fargate]

    def _provider_shape(self, name: str) -> Shape:
        return {
            "capacityProviderArn": self._region.arns.capacity_provider(name),
            "name": name,
            "status": "ACTIVE",
            "tags": [],
        }

    def _group_shape(self, provider: CapacityProvider) -> Shape:
        """ECS API: AutoScalingGroupProvider; managed scaling is what fights over the desired capacity."""
        other = provider.auto_scaling_group
        group_provider = {
            "autoScalingGroupArn": self._group_arn
            if other is None
            else self._region.arns.group(other, other),
            "managedScaling": {
                "status": _enabled(provider.managed_scaling),
                "targetCapacity": 100,
                "minimumScalingStepSize": 1,
                "maximumScalingStepSize": 10_000,
                "instanceWarmupPeriod": 300,
            },
            "managedTerminationProtection": _enabled(provider.managed_termination_protection),
            "managedDraining": _enabled(provider.managed_draining),
        }
        return {"autoScalingGroupProvider": group_provider}


def _enabled(feature: bool) -> str:
    return "ENABLED" if feature else "DISABLED"


def _page_request(params: Shape) -> PageRequest:
    most = limits.CAPACITY_PROVIDERS_PAGE.value
    size = params.get("maxResults") or most
    if not 1 <= size <= most:
        raise invalid_parameter(f"maxResults must be between 1 and {most}.")
    filters = sorted((k, v) for k, v in params.items() if k not in ("nextToken", "maxResults"))
    scope = f"DescribeCapacityProviders{filters}"
    return PageRequest(size=size, token=params.get("nextToken"), scope=scope, refusal=invalid_parameter)
