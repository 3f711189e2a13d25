"""Auto Scaling's operations on the group's warm pool."""

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.auto_scaling_checks import auto_scaling_page, check_group
from scheduler.simulated_aws.auto_scaling_group import AutoScalingGroup
from scheduler.simulated_aws.errors import validation_error
from scheduler.simulated_aws.group_features import WarmPoolConfiguration
from scheduler.simulated_aws.group_members import instance_shape
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.paging import cut
from scheduler.simulated_aws.shapes import Shape, present
from scheduler.simulated_aws.warm_pool import WarmInstance, WarmPool

_STATES = ("Stopped", "Running", "Hibernated")
_NO_LIMIT = -1
"""MaxGroupPreparedCapacity that is given to take the limit away (Auto Scaling API: PutWarmPool)."""


class WarmPoolOperations:
    """Put, described and deleted; what the pool does is `warm_pool.py`."""

    def __init__(self, group: AutoScalingGroup, name: str) -> None:
        self._group = group
        self._name = name

    def operations(self) -> dict[str, Operation]:
        """The part of Auto Scaling's dispatch table that is about it."""
        sizes = "MaxGroupPreparedCapacity MinSize PoolState"
        return {
            "PutWarmPool": operation(self._put, f"AutoScalingGroupName! {sizes}"),
            "DescribeWarmPool": operation(self._describe, "AutoScalingGroupName! MaxRecords NextToken"),
            "DeleteWarmPool": operation(self._delete, "AutoScalingGroupName! ForceDelete"),
        }

    def _put(self, params: Shape) -> Shape:
        check_group(params, self._name)
        state = params.get("PoolState", "Stopped")
        if state not in _STATES:
            raise validation_error(f"{state} is not a valid warm pool state.")
        prepared = params.get("MaxGroupPreparedCapacity", _NO_LIMIT)
        self._group.warm_pool.put(
            WarmPoolConfiguration(
                min_size=params.get("MinSize", 0),
                max_group_prepared_capacity=None if prepared == _NO_LIMIT else prepared,
                pool_state=state,
            )
        )
        return {}

    def _describe(self, params: Shape) -> Shape:
        check_group(params, self._name)
        pool = self._group.warm_pool
        request = auto_scaling_page(params, "DescribeWarmPool", limits.WARM_POOL_PAGE, default=50)
        page = cut(list(pool.instances.values()), lambda each: each.instance.sequence, request)
        return present(
            WarmPoolConfiguration=configuration_shape(pool),
            Instances=[self._shape(each) for each in page.items],
            NextToken=page.next_token,
        )

    def _delete(self, params: Shape) -> Shape:
        check_group(params, self._name)
        self._group.warm_pool.delete(force=params.get("ForceDelete", False))
        return {}

    def _shape(self, warm: WarmInstance) -> Shape:
        source = self._group.launch_source
        return instance_shape(warm.instance, source, lifecycle_state=warm.lifecycle_state)


def configuration_shape(pool: WarmPool) -> Shape | None:
    """Auto Scaling API: WarmPoolConfiguration; None without a pool."""
    if pool.configuration is None:
        return None
    return present(
        MinSize=pool.configuration.min_size,
        MaxGroupPreparedCapacity=pool.configuration.max_group_prepared_capacity,
        PoolState=pool.configuration.pool_state,
        Status="PendingDelete" if pool.is_going else None,
    )
