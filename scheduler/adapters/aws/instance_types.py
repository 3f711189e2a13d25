"""The instance types that a group can launch: from whichever source it launches by, with EC2's sizes.

Attribute-based selection names none (EC2 Auto Scaling API: InstanceRequirements). Its AllowedInstanceTypes
may be patterns, and its other attributes narrow them, so an operator says which types that comes to. A group
that names its types is believed: it is the group that launches them, whatever was said of it once.
"""

from collections.abc import Iterable, Iterator, Sequence

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.paging import batches, pages
from scheduler.core.model.answers import Failure
from scheduler.core.model.group import InstanceType
from scheduler.core.model.resources import CPU_UNITS_PER_VCPU, Architecture, Resources
from scheduler.ports.cloud import CloudError

_SETTING = "ECS_SCHEDULER_INSTANCE_TYPES"

_BY_REQUIREMENTS = ""
"""Stands for the name of a type that the group chooses by requirements."""


def launchable_types(
    clients: AwsClients, group: Shape, named_types: Sequence[str] = ()
) -> tuple[InstanceType, ...]:
    """The group's types at declared size, smallest first; `named_types` where it goes by requirements."""
    names = set(_type_names(clients, group))
    if _BY_REQUIREMENTS in names:
        if not named_types:
            raise _unnamed(group, f"chooses its instance types by requirements: name them in {_SETTING}")
        names = (names - {_BY_REQUIREMENTS}) | set(named_types)
    types = [
        _instance_type(declared)
        for batch in batches(sorted(names))
        for answer in pages(clients.ec2.describe_instance_types, token="NextToken", InstanceTypes=batch)
        for declared in answer["InstanceTypes"]
    ]
    return tuple(sorted(types, key=lambda each: (each.allocatable, each.name)))


def _type_names(clients: AwsClients, group: Shape) -> Iterable[str]:
    """A group has one launch source (Auto Scaling API: AutoScalingGroup); the others are absent."""
    if mixed := group.get("MixedInstancesPolicy"):
        return _mixed_types(clients, mixed["LaunchTemplate"], group)
    if template := group.get("LaunchTemplate"):
        return [_template_type(clients, template, group)]
    if configuration := group.get("LaunchConfigurationName"):
        return [_configuration_type(clients, configuration, group)]
    raise _unnamed(group, "has no launch template or configuration")


def _mixed_types(clients: AwsClients, mixed: Shape, group: Shape) -> Iterator[str]:
    """The overrides' types; an override without one, and no overrides at all, mean a template's own."""
    for override in mixed.get("Overrides") or [{}]:
        if "InstanceRequirements" in override or "InstanceType" in override:
            yield override.get("InstanceType", _BY_REQUIREMENTS)
        else:
            base = mixed["LaunchTemplateSpecification"]
            yield _template_type(clients, override.get("LaunchTemplateSpecification", base), group)


def _template_type(clients: AwsClients, template: Shape, group: Shape) -> str:
    """The type of one version. `$Latest` and `$Default` are versions to EC2 too; absent means `$Default`."""
    by_id = "LaunchTemplateId" in template
    key = "LaunchTemplateId" if by_id else "LaunchTemplateName"
    answer = clients.ec2.describe_launch_template_versions(
        **{key: template[key], "Versions": [template.get("Version", "$Default")]}
    )
    return _only_type((each["LaunchTemplateData"] for each in answer["LaunchTemplateVersions"]), group)


def _configuration_type(clients: AwsClients, name: str, group: Shape) -> str:
    answer = clients.autoscaling.describe_launch_configurations(LaunchConfigurationNames=[name])
    return _only_type(answer["LaunchConfigurations"], group)


def _only_type(sources: Iterable[Shape], group: Shape) -> str:
    source = next(iter(sources), {})
    if "InstanceRequirements" in source:
        return _BY_REQUIREMENTS
    if not source.get("InstanceType"):
        raise _unnamed(group, "launches from a source that names no instance type")
    return str(source["InstanceType"])


def _instance_type(declared: Shape) -> InstanceType:
    """An InstanceTypeInfo of DescribeInstanceTypes."""
    return InstanceType(
        name=declared["InstanceType"],
        allocatable=Resources(
            cpu=declared["VCpuInfo"]["DefaultVCpus"] * CPU_UNITS_PER_VCPU,
            memory_mib=declared["MemoryInfo"]["SizeInMiB"],
            gpus=sum(gpu["Count"] for gpu in declared.get("GpuInfo", {}).get("Gpus", ())),
            architecture=_architecture(declared.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
        ),
    )


def _architecture(supported: Sequence[str]) -> Architecture:
    """The one that ECS knows: some types support `i386` beside `x86_64` (EC2 API: ProcessorInfo)."""
    known = (each for each in Architecture if each and each.lower() in supported)
    return next(known, Architecture.ANY)


def _unnamed(group: Shape, why: str) -> CloudError:
    message = f"The Auto Scaling group {group['AutoScalingGroupName']} {why}"
    return CloudError(Failure(definite=True, code="INSTANCE_TYPES_UNKNOWN", message=message))
