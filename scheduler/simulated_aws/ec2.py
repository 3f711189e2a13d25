"""EC2's operations: instances, their console output, launch templates and instance types."""

import re
from collections.abc import Callable

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.console_output import console_shape
from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.errors import ApiError, invalid_parameter_value
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES, InstanceType
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.limits import Limit
from scheduler.simulated_aws.operations import Service, operation
from scheduler.simulated_aws.paging import PageRequest, cut
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present

_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")

# What the model knows beside tag:<key> (EC2 API: DescribeInstances, Filters).
_FILTERS: dict[str, Callable[[Ec2Instance], str]] = {
    "instance-id": lambda instance: instance.instance_id,
    "instance-state-name": lambda instance: instance.state,
    "instance-type": lambda instance: instance.instance_type.name,
    "availability-zone": lambda instance: instance.availability_zone,
    "private-ip-address": lambda instance: instance.private_ip_address,
}


class Ec2:
    """The EC2 service of the account."""

    def __init__(self, region: Region, instances: Ec2Instances, launch_source: LaunchSource) -> None:
        self._region = region
        self._instances = instances
        self._launch_source = launch_source
        self.service = Service(
            operations={
                "DescribeInstances": operation(
                    self._describe_instances, "InstanceIds Filters MaxResults NextToken"
                ),
                "GetConsoleOutput": operation(self._get_console_output, "InstanceId! Latest"),
                "TerminateInstances": operation(self._terminate_instances, "InstanceIds! DryRun"),
                "DescribeInstanceTypes": operation(
                    self._describe_instance_types, "InstanceTypes MaxResults NextToken"
                ),
                "DescribeLaunchTemplateVersions": operation(
                    self._describe_launch_template_versions, "LaunchTemplateId LaunchTemplateName Versions"
                ),
            },
            missing=lambda message: ApiError("MissingParameter", message),
            unknown_operation_code="InvalidAction",
        )

    def _describe_instances(self, params: Shape) -> Shape:
        ids = params.get("InstanceIds", [])
        # "You cannot specify this parameter and the instance IDs parameter in the same call" (MaxResults).
        if ids and "MaxResults" in params:
            raise ApiError("InvalidParameterCombination", "MaxResults cannot be combined with InstanceIds.")
        candidates = self._found(ids) if ids else list(self._instances.by_id.values())
        for wanted in params.get("Filters", []):
            matches = _filter(wanted)
            candidates = [instance for instance in candidates if matches(instance)]
        request = _page_request(
            params, "DescribeInstances", limits.DESCRIBE_INSTANCES_PAGE, everything=len(candidates)
        )
        page = cut(candidates, lambda instance: instance.sequence, request)
        return present(
            Reservations=[self._reservation(instance) for instance in page.items], NextToken=page.next_token
        )

    def _reservation(self, instance: Ec2Instance) -> Shape:
        return {
            "ReservationId": instance.reservation_id,
            "OwnerId": self._region.settings.account_id,
            "Groups": [],
            "Instances": [instance.shape()],
        }

    def _found(self, ids: list[str]) -> list[Ec2Instance]:
        """All of `ids` or a refusal: one bad id fails the whole call (EC2 API: Error codes)."""
        if malformed := [i for i in ids if not _INSTANCE_ID.fullmatch(i)]:
            raise ApiError("InvalidInstanceID.Malformed", f'Invalid id: "{malformed[0]}"')
        unknown = [i for i in ids if i not in self._instances.by_id]
        if len(unknown) == 1:
            raise ApiError("InvalidInstanceID.NotFound", f"The instance ID '{unknown[0]}' does not exist")
        if unknown:
            raise ApiError(
                "InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(unknown)}' do not exist"
            )
        return sorted((self._instances.by_id[i] for i in set(ids)), key=lambda instance: instance.sequence)

    def _terminate_instances(self, params: Shape) -> Shape:
        ids = params["InstanceIds"]
        limits.refuse_above(
            limits.TERMINATE_INSTANCES, len(ids), of="InstanceIds", refusal=invalid_parameter_value
        )
        found = self._found(ids)
        if params.get("DryRun", False):
            # "Otherwise, it is UnauthorizedOperation" (EC2 API: TerminateInstances, DryRun; Error codes).
            raise ApiError(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", http_status=412
            )
        return {"TerminatingInstances": [self._terminate(instance) for instance in found]}

    def _terminate(self, instance: Ec2Instance) -> Shape:
        previous = instance.state_shape()
        self._instances.terminate(instance)
        return {
            "InstanceId": instance.instance_id,
            "PreviousState": previous,
            "CurrentState": instance.state_shape(),
        }

    def _get_console_output(self, params: Shape) -> Shape:
        [instance] = self._found([params["InstanceId"]])
        latest = params.get("Latest", False)
        # "This option is supported on instances that are built on the AWS Nitro System" (GetConsoleOutput).
        if latest and not instance.instance_type.is_nitro:
            raise ApiError("UnsupportedOperation", "This instance type does not support the latest output.")
        return console_shape(instance, self._region, latest=latest)

    def _describe_instance_types(self, params: Shape) -> Shape:
        names = params.get("InstanceTypes") or sorted(INSTANCE_TYPES)
        limits.refuse_above(
            limits.INSTANCE_TYPES, len(names), of="InstanceTypes", refusal=invalid_parameter_value
        )
        if unknown := [name for name in names if name not in INSTANCE_TYPES]:
            raise ApiError(
                "InvalidInstanceType",
                f"The following supplied instance types do not exist: [{', '.join(unknown)}]",
            )
        request = _page_request(params, "DescribeInstanceTypes", limits.INSTANCE_TYPES, everything=len(names))
        page = cut([INSTANCE_TYPES[name] for name in sorted(set(names))], lambda t: t.name, request)
        return present(InstanceTypes=[_type_shape(t) for t in page.items], NextToken=page.next_token)

    def _describe_launch_template_versions(self, params: Shape) -> Shape:
        return {"LaunchTemplateVersions": self._launch_source.template_versions(params)}


def _filter(wanted: Shape) -> Callable[[Ec2Instance], bool]:
    name, values = wanted.get("Name", ""), frozenset(wanted.get("Values", ()))
    if name.startswith("tag:"):
        return lambda instance: instance.tags.get(name[len("tag:") :]) in values
    if name not in _FILTERS:
        raise invalid_parameter_value(f"The filter '{name}' is invalid")
    return lambda instance: _FILTERS[name](instance) in values


def _page_request(params: Shape, operation_name: str, limit: Limit, *, everything: int) -> PageRequest:
    """Without MaxResults EC2 answers everything (EC2 API: pagination)."""
    size = params.get("MaxResults")
    least, most = limits.EC2_PAGE_MINIMUM.value, limit.value
    if size is not None and not least <= size <= most:
        raise invalid_parameter_value(f"MaxResults must be between {least} and {most}.")
    scope = operation_name + str(
        sorted((k, str(v)) for k, v in params.items() if k not in ("NextToken", "MaxResults"))
    )
    return PageRequest(
        size=size or max(everything, 1),
        token=params.get("NextToken"),
        scope=scope,
        refusal=lambda message: ApiError("InvalidNextToken", message),
    )


def _type_shape(instance_type: InstanceType) -> Shape:
    """EC2 API: InstanceTypeInfo."""
    gpu = {
        "Name": instance_type.gpu_name,
        "Manufacturer": "NVIDIA",
        "Count": instance_type.gpus,
    }
    return present(
        InstanceType=instance_type.name,
        CurrentGeneration=True,
        BareMetal=False,
        ProcessorInfo={"SupportedArchitectures": [instance_type.architecture]},
        VCpuInfo={"DefaultVCpus": instance_type.vcpus},
        MemoryInfo={"SizeInMiB": instance_type.memory_mib},
        GpuInfo={"Gpus": [gpu]} if instance_type.gpus else None,
    )
