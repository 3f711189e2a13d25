"""What else changes the group: its scaling policies, scheduled actions and instance refreshes."""

from collections.abc import Iterable

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.auto_scaling_checks import auto_scaling_page, check_group
from scheduler.simulated_aws.group_features import InstanceRefresh, ScalingPolicy, ScheduledAction
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.paging import cut
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present, utc


class GroupPlans:
    """Shown as the settings have them, there to be found: the simulated group does not follow them."""

    def __init__(self, region: Region) -> None:
        settings = region.settings
        self._region = region
        self._group = settings.auto_scaling_group
        self._policies = [self._policy_shape(policy) for policy in settings.scaling_policies]
        self._actions = [self._action_shape(action) for action in settings.scheduled_actions]
        self._refreshes = [self._refresh_shape(refresh) for refresh in settings.instance_refreshes]

    def operations(self) -> dict[str, Operation]:
        """The part of Auto Scaling's dispatch table that is about them."""
        return {
            "DescribePolicies": operation(
                self._describe_policies, "AutoScalingGroupName PolicyNames PolicyTypes MaxRecords NextToken"
            ),
            "DescribeScheduledActions": operation(
                self._describe_actions, "AutoScalingGroupName ScheduledActionNames MaxRecords NextToken"
            ),
            "DescribeInstanceRefreshes": operation(
                self._describe_refreshes, "AutoScalingGroupName! InstanceRefreshIds MaxRecords NextToken"
            ),
        }

    def _describe_policies(self, params: Shape) -> Shape:
        found = _named(self._policies, "PolicyName", params.get("PolicyNames"))
        found = _named(found, "PolicyType", params.get("PolicyTypes"))
        return self._page(params, "DescribePolicies", ("ScalingPolicies", "PolicyName"), found)

    def _describe_actions(self, params: Shape) -> Shape:
        found = _named(self._actions, "ScheduledActionName", params.get("ScheduledActionNames"))
        members = ("ScheduledUpdateGroupActions", "ScheduledActionName")
        return self._page(params, "DescribeScheduledActions", members, found)

    def _describe_refreshes(self, params: Shape) -> Shape:
        found = _named(self._refreshes, "InstanceRefreshId", params.get("InstanceRefreshIds"))
        members = ("InstanceRefreshes", "InstanceRefreshId")
        return self._page(params, "DescribeInstanceRefreshes", members, found)

    def _page(self, params: Shape, name: str, members: tuple[str, str], found: list[Shape]) -> Shape:
        check_group(params, self._group)
        answer, key = members
        request = auto_scaling_page(params, name, limits.PLANS_PAGE, default=50)
        in_order = sorted(found, key=lambda shape: str(shape[key]))
        page = cut(in_order, lambda shape: str(shape[key]), request)
        return present(**{answer: list(page.items)}, NextToken=page.next_token)

    def _policy_shape(self, policy: ScalingPolicy) -> Shape:
        """Auto Scaling API: ScalingPolicy."""
        return {
            "AutoScalingGroupName": self._group,
            "PolicyName": policy.name,
            "PolicyARN": self._region.arns.scaling_policy(self._group, policy.name),
            "PolicyType": policy.policy_type,
            "StepAdjustments": [],
            "Alarms": [],
            "Enabled": policy.enabled,
        }

    def _action_shape(self, action: ScheduledAction) -> Shape:
        """Auto Scaling API: ScheduledUpdateGroupAction."""
        return present(
            AutoScalingGroupName=self._group,
            ScheduledActionName=action.name,
            ScheduledActionARN=self._region.arns.scheduled_action(self._group, action.name),
            Recurrence=action.recurrence,
            MinSize=action.min_size,
            MaxSize=action.max_size,
            DesiredCapacity=action.desired_capacity,
        )

    def _refresh_shape(self, refresh: InstanceRefresh) -> Shape:
        """Auto Scaling API: InstanceRefresh."""
        return {
            "InstanceRefreshId": self._region.ids.uuid(),
            "AutoScalingGroupName": self._group,
            "Status": refresh.status,
            "StartTime": utc(self._region.now_ms),
        }


def _named(shapes: list[Shape], member: str, wanted: Iterable[str] | None) -> list[Shape]:
    """Unknown names just do not match; no names match everything."""
    return [shape for shape in shapes if shape[member] in wanted] if wanted else shapes
