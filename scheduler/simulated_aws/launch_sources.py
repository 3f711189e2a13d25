"""Launch sources: the launch template, mixed-instances policy or launch configuration of the group.

A mixed-instances policy names types in its overrides, or has requirements there or in its launch template,
and the group chooses among the types that match (EC2 Auto Scaling API: LaunchTemplateOverrides).
"""

from scheduler.simulated_aws.attributes import AMI_ID
from scheduler.simulated_aws.errors import ApiError, invalid_parameter_value
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES, InstanceType
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, utc

_LATEST = ("1", "$Latest", "$Default")
_MIXED = ("mixed_instances", "requirements_in_overrides", "requirements_in_template")


class LaunchSource:
    """Where the group takes its instances' type and image from: exactly one of the three kinds is set."""

    def __init__(self, region: Region) -> None:
        settings = region.settings
        self._region = region
        self._kind = settings.launch_source
        self._types = [INSTANCE_TYPES[name] for name in settings.instance_types]
        self._weights = dict(zip(settings.instance_types, settings.weighted_capacities, strict=False))
        self._name = f"{settings.auto_scaling_group}-launch"
        self._template_id = region.ids.ec2("lt")
        self._configuration_id = region.ids.uuid()
        self._created_ms = region.now_ms

    def draw_type(self) -> InstanceType:
        """The type of the next launch: of a mixed-instances group the group chooses, not the caller."""
        return self._region.random.choice(self._types) if self._kind in _MIXED else self._types[0]

    def group_members(self) -> Shape:
        """What the group's description says of it (Auto Scaling API: AutoScalingGroup)."""
        if self._kind == "launch_configuration":
            return {"LaunchConfigurationName": self._name}
        if self._kind == "launch_template":
            return {"LaunchTemplate": self._specification("$Latest")}
        return {"MixedInstancesPolicy": self._policy()}

    def weight(self, instance_type: InstanceType) -> int:
        """How many units of capacity an instance is (User Guide: instance weighting); 1 without weights."""
        return self._weights.get(instance_type.name, 1)

    def instance_members(self, instance_type: InstanceType) -> Shape:
        """What a member's description says of it (Auto Scaling API: Instance)."""
        if self._kind == "launch_configuration":
            return {"LaunchConfigurationName": self._name}
        return {"LaunchTemplate": self._specification("1"), **self._weight_member(instance_type)}

    def _weight_member(self, instance_type: InstanceType) -> Shape:
        """A string, though it is a number (Auto Scaling API: Instance, WeightedCapacity)."""
        weight = self._weights.get(instance_type.name)
        return {} if weight is None else {"WeightedCapacity": str(weight)}

    def configurations(self, names: list[str]) -> list[Shape]:
        """The account's launch configurations; unknown names just do not match."""
        if self._kind != "launch_configuration" or (names and self._name not in names):
            return []
        return [
            {
                "LaunchConfigurationName": self._name,
                "LaunchConfigurationARN": self._region.arns.launch_configuration(
                    self._name, self._configuration_id
                ),
                "ImageId": AMI_ID,
                "InstanceType": self._types[0].name,
                "SecurityGroups": [],
                "BlockDeviceMappings": [],
                "InstanceMonitoring": {"Enabled": True},
                "EbsOptimized": False,
                "CreatedTime": utc(self._created_ms),
            }
        ]

    def template_versions(self, params: Shape) -> list[Shape]:
        """The versions of the one launch template (EC2 API: DescribeLaunchTemplateVersions)."""
        self._check_template(params)
        versions = params.get("Versions") or ["1"]
        if unknown := [version for version in versions if version not in _LATEST]:
            raise ApiError(
                "InvalidLaunchTemplateId.VersionNotFound",
                f"Could not find launch template version {unknown[0]}.",
            )
        return [
            {
                "LaunchTemplateId": self._template_id,
                "LaunchTemplateName": self._name,
                "VersionNumber": 1,
                "DefaultVersion": True,
                "CreateTime": utc(self._created_ms),
                "CreatedBy": self._region.arns.user("simulated"),
                "LaunchTemplateData": {"ImageId": AMI_ID, **self._template_type()},
            }
        ]

    def _check_template(self, params: Shape) -> None:
        template_id, name = params.get("LaunchTemplateId"), params.get("LaunchTemplateName")
        if (template_id is None) == (name is None):
            raise invalid_parameter_value("Specify either LaunchTemplateId or LaunchTemplateName.")
        exists = self._kind != "launch_configuration"
        if template_id is not None and not (exists and template_id == self._template_id):
            raise ApiError(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, {template_id}, does not exist.",
            )
        if name is not None and not (exists and name == self._name):
            raise ApiError(
                "InvalidLaunchTemplateName.NotFoundException",
                f"The specified launch template, {name}, does not exist.",
            )

    def _specification(self, version: str) -> Shape:
        return {
            "LaunchTemplateId": self._template_id,
            "LaunchTemplateName": self._name,
            "Version": version,
        }

    def _template_type(self) -> Shape:
        """With InstanceRequirements there is no InstanceType (EC2 API: ResponseLaunchTemplateData)."""
        if self._kind == "requirements_in_template":
            return {"InstanceRequirements": self._requirements()}
        return {"InstanceType": self._types[0].name}

    def _overrides(self) -> list[Shape]:
        """Auto Scaling API: LaunchTemplateOverrides, with a type or with requirements and never with both."""
        if self._kind == "requirements_in_overrides":
            return [{"InstanceRequirements": self._requirements()}]
        if self._kind == "requirements_in_template":
            return []
        return [{"InstanceType": each.name, **self._weight_member(each)} for each in self._types]

    def _requirements(self) -> Shape:
        """What these types have in common and no other has: both APIs' InstanceRequirements are alike.

        "All other instance types are ignored, even if they match your specified attributes"
        (AllowedInstanceTypes).
        """
        vcpus = [each.vcpus for each in self._types]
        memory_mib = [each.memory_mib for each in self._types]
        return {
            "VCpuCount": {"Min": min(vcpus), "Max": max(vcpus)},
            "MemoryMiB": {"Min": min(memory_mib), "Max": max(memory_mib)},
            "AllowedInstanceTypes": [each.name for each in self._types],
        }

    def _policy(self) -> Shape:
        return {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": self._specification("$Latest"),
                "Overrides": self._overrides(),
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "prioritized",
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 100,
                "SpotAllocationStrategy": "lowest-price",
            },
        }
