"""Instance types: what EC2 declares of a type, and what its instances register with ECS."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CPU_UNITS_PER_VCPU = 1024
"""ECS: 1,024 CPU units are one vCPU (ECS API: ContainerDefinition, cpu)."""

REGISTERED_MEMORY_FACTOR = 0.983
"""The kernel keeps some memory for itself: an m4.4xlarge declares 65,536 MiB and registers 64,419."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """A type's declared size. `measured_memory_mib` is what its instances register, where that is known."""

    name: str
    vcpus: int
    memory_mib: int
    architecture: str = "x86_64"
    gpus: int = 0
    gpu_name: str = ""
    measured_memory_mib: int | None = None
    is_nitro: bool = True

    @property
    def cpu_units(self) -> int:
        """What its instances register of CPU."""
        return self.vcpus * CPU_UNITS_PER_VCPU

    @property
    def registered_memory_mib(self) -> int:
        """What its instances register of MEMORY."""
        return self.measured_memory_mib or int(self.memory_mib * REGISTERED_MEMORY_FACTOR)


_DECLARED = (
    InstanceType(name="m4.4xlarge", vcpus=16, memory_mib=65_536, measured_memory_mib=64_419, is_nitro=False),
    InstanceType(name="m5.large", vcpus=2, memory_mib=8_192),
    InstanceType(name="m5.xlarge", vcpus=4, memory_mib=16_384),
    InstanceType(name="m5.2xlarge", vcpus=8, memory_mib=32_768),
    InstanceType(name="m5.4xlarge", vcpus=16, memory_mib=65_536),
    InstanceType(name="c5.4xlarge", vcpus=16, memory_mib=32_768),
    InstanceType(name="r5.4xlarge", vcpus=16, memory_mib=131_072),
    InstanceType(name="m6g.4xlarge", vcpus=16, memory_mib=65_536, architecture="arm64"),
    InstanceType(name="g4dn.xlarge", vcpus=4, memory_mib=16_384, gpus=1, gpu_name="T4"),
)

INSTANCE_TYPES: Mapping[str, InstanceType] = MappingProxyType(
    {declared.name: declared for declared in _DECLARED}
)
"""EC2: Instance types, by name."""
