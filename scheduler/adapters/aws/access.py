"""Access: whether AWS lets us in, asked once at the start and told in one sentence."""

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.failures import (
    NEVER_CONNECTED,
    NO_CREDENTIALS,
    REFUSED_CREDENTIALS,
    failure_of,
    is_denied,
)


class AccessProblem(Exception):
    """AWS cannot be used as things are; the message is one line for an operator."""


def check_access(clients: AwsClients, cluster: str) -> str:
    """Who we are to AWS, once it has answered a first reading of the cluster; see `check_caller`."""
    caller = check_caller(clients, cluster)
    try:
        clients.ecs.list_container_instances(cluster=cluster, maxResults=1)
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise _problem(error, cluster, clients.region) from error
    return caller


def check_caller(clients: AwsClients, cluster: str) -> str:
    """Who we are to AWS.

    A private network may have no way to STS: that alone is no problem, and the answer is empty.
    """
    try:
        return str(clients.sts.get_caller_identity()["Arn"])
    except NEVER_CONNECTED:
        return ""
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise _problem(error, cluster, clients.region) from error


def _problem(error: Exception, cluster: str, region: str) -> AccessProblem:
    failure = failure_of(error)
    said = f"{failure.code}: {failure.message}"
    if isinstance(error, NO_CREDENTIALS):
        return AccessProblem(f"No AWS credentials: give the service a role or a profile ({said})")
    if isinstance(error, NEVER_CONNECTED):
        return AccessProblem(f"AWS cannot be reached in {region} ({said})")
    if failure.code in REFUSED_CREDENTIALS:
        return AccessProblem(f"AWS refuses the credentials ({said})")
    if failure.code == "ClusterNotFoundException":
        return AccessProblem(f"No ECS cluster with the name {cluster} in {region}")
    if is_denied(failure):
        return AccessProblem(f"The role may not do what the service needs ({said})")
    return AccessProblem(f"AWS does not answer as it should in {region} ({said})")
