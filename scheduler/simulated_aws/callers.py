"""Callers: who uses the account with an IAM policy of his own, and is refused in AWS's words."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.iam_policy import AccessRequest, IamPolicy, Verdict
from scheduler.simulated_aws.ids import Arns
from scheduler.simulated_aws.journal import Journal

USER = "simulated"
"""The name of the IAM user that every caller of the account is."""

# How each service says it: code, preface, status (API references: Common errors; EC2 API: Error codes).
_REFUSALS: Mapping[str, tuple[str, str, int]] = {
    "ecs": ("AccessDeniedException", "", 400),
    "logs": ("AccessDeniedException", "", 400),
    "autoscaling": ("AccessDenied", "", 403),
    "ec2": ("UnauthorizedOperation", "You are not authorized to perform this operation. ", 403),
}


class Account(Protocol):
    """What a caller calls; `SimulatedAws` is one."""

    journal: Journal

    def call(
        self, service: str, operation: str, params: dict[str, Any], policy: IamPolicy | None = None
    ) -> dict[str, Any]:
        """See `SimulatedAws.call`."""
        ...

    def advance(self) -> None:
        """See `SimulatedAws.advance`."""
        ...


class Caller:
    """The account as it shows itself to somebody with a policy."""

    def __init__(self, account: Account, policy: IamPolicy) -> None:
        self._account = account
        self._policy = policy
        self.journal = account.journal

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """As the account's, if the policy allows it."""
        return self._account.call(service, operation, params, self._policy)

    def advance(self) -> None:
        """As the account's."""
        self._account.advance()


def first_refused(
    policy: IamPolicy, requests: Iterable[AccessRequest]
) -> tuple[AccessRequest, Verdict] | None:
    """The first of the requests that the policy does not allow; one is enough to refuse the call."""
    for request in requests:
        verdict = policy.verdict(request)
        if verdict is not Verdict.ALLOWED:
            return request, verdict
    return None


def refusal(service: str, request: AccessRequest, verdict: Verdict, arns: Arns) -> ApiError:
    """IAM User Guide: Troubleshoot access denied error messages."""
    code, preface, status = _REFUSALS[service]
    why = (
        "with an explicit deny in an identity-based policy"
        if verdict is Verdict.DENIED
        else f"because no identity-based policy allows the {request.action} action"
    )
    what = f"is not authorized to perform: {request.action} on resource: {request.resource}"
    return ApiError(code, f"{preface}User: {arns.user(USER)} {what} {why}", status)
