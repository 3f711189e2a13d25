"""STS: who the caller is, which is how credentials are checked."""

from scheduler.simulated_aws.callers import USER
from scheduler.simulated_aws.errors import validation_error
from scheduler.simulated_aws.operations import Service, operation
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape


class Sts:
    """The STS service of the account: every caller is its one user."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self.service = Service(
            operations={"GetCallerIdentity": operation(self._get_caller_identity)},
            missing=validation_error,
            unknown_operation_code="InvalidAction",
        )

    def _get_caller_identity(self, params: Shape) -> Shape:
        return {
            "UserId": "AIDA01234567SIMULATED",
            "Account": self._region.settings.account_id,
            "Arn": self._region.arns.user(USER),
        }
