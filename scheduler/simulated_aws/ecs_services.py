"""ECS's services, as far as anybody asks: which are daemons. Whoever plays them starts their tasks."""

from scheduler.simulated_aws.checks import check_ids
from scheduler.simulated_aws.limits import DESCRIBE_SERVICES
from scheduler.simulated_aws.operations import Operation, operation
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape


class EcsServices:
    """DescribeServices of the services that the settings name."""

    def __init__(self, region: Region) -> None:
        self._region = region

    def operations(self) -> dict[str, Operation]:
        """The part of ECS's dispatch table that is about services."""
        return {"DescribeServices": operation(self._describe, "cluster services! include")}

    def _describe(self, params: Shape) -> Shape:
        """HTTP 200 with a failure for each that is unknown (ECS Developer Guide: API failure reasons)."""
        names = params["services"]
        check_ids(names, DESCRIBE_SERVICES, of="Services")
        known = [each for each in names if each in self._region.settings.daemon_services]
        return {
            "services": [
                {"serviceName": each, "status": "ACTIVE", "schedulingStrategy": "DAEMON"} for each in known
            ],
            "failures": [{"arn": each, "reason": "MISSING"} for each in names if each not in known],
        }
