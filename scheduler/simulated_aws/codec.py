"""Which codec speaks for a request: the SigV4 credential scope names the service, its model the protocol.

Facts: in botocore 1.44.5's models ECS and CloudWatch Logs are `json` 1.1, Auto Scaling and STS `query`, EC2
`ec2`; none of them lists another protocol. Signatures are not verified: a simulated account has no secrets.
"""

import re
from collections.abc import Mapping
from functools import cache

from scheduler.simulated_aws.codec_base import SERVICES, Codec, service_model
from scheduler.simulated_aws.codec_json import JsonCodec
from scheduler.simulated_aws.codec_query import Ec2Dialect, QueryCodec, QueryDialect
from scheduler.simulated_aws.errors import ApiError

# AWS docs, "Authenticating Requests: Using the Authorization Header":
# Credential=<access key id>/<date>/<region>/<service>/aws4_request
_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]+/(?P<service>[^/,\s]+)/aws4_request")


def codec_of_request(headers: Mapping[str, str]) -> Codec:
    """The codec of the service that the request was signed for; `ApiError` if there is none."""
    authorization = headers.get("Authorization")
    if not authorization:
        raise ApiError("MissingAuthenticationToken", "The request is not signed.", http_status=403)
    scope = _CREDENTIAL_SCOPE.search(authorization)
    if scope is None:
        raise ApiError("IncompleteSignature", "The Authorization header has no credential scope.")
    if scope["service"] not in SERVICES:
        raise ApiError("InvalidAction", f"The service {scope['service']} is not simulated.")
    return codec_of_service(scope["service"])


def codec_of_stray(headers: Mapping[str, str]) -> Codec:
    """The codec to refuse a request with that belongs to no service: by the form it came in."""
    return codec_of_service("ecs" if "X-Amz-Target" in headers else "sts")


@cache
def codec_of_service(service: str) -> Codec:
    """The codec of one of `SERVICES`."""
    model = service_model(service)
    if model.resolved_protocol == "json":
        return JsonCodec(model)
    return QueryCodec(model, Ec2Dialect() if model.resolved_protocol == "ec2" else QueryDialect())
