"""Sizes of Bamboo containers as amounts: the main container's and the extra ones'."""

from collections.abc import Mapping

from scheduler.core.model.resources import Resources
from scheduler.core.model.task import ContainerSize

# The keys admit None because a spec may lack a size until it is validated; no table has an entry for it.

MAIN_SIZES: Mapping[ContainerSize | None, Resources] = {
    ContainerSize.XSMALL: Resources(cpu=512, memory_mib=2_000),
    ContainerSize.SMALL: Resources(cpu=1_024, memory_mib=4_000),
    ContainerSize.REGULAR: Resources(cpu=2_048, memory_mib=8_000),
    ContainerSize.LARGE: Resources(cpu=3_072, memory_mib=12_000),
    ContainerSize.XLARGE: Resources(cpu=4_096, memory_mib=16_000),
    ContainerSize.XXLARGE: Resources(cpu=5_120, memory_mib=20_000),
    ContainerSize.LARGE_4X: Resources(cpu=10_240, memory_mib=40_000),
    ContainerSize.LARGE_8X: Resources(cpu=20_480, memory_mib=80_000),
}
"""What an agent reserves."""

EXTRA_SIZES: Mapping[ContainerSize | None, Resources] = {
    ContainerSize.SMALL: Resources(cpu=256, memory_mib=1_000),
    ContainerSize.REGULAR: Resources(cpu=512, memory_mib=2_000),
    ContainerSize.LARGE: Resources(cpu=1_024, memory_mib=4_000),
    ContainerSize.XLARGE: Resources(cpu=2_048, memory_mib=8_000),
    ContainerSize.XXLARGE: Resources(cpu=3_072, memory_mib=12_000),
    ContainerSize.LARGE_4X: Resources(cpu=6_144, memory_mib=24_000),
    ContainerSize.LARGE_8X: Resources(cpu=12_288, memory_mib=48_000),
}
"""What a container beside an agent reserves. XSMALL is an agent's size alone."""

LEAST_MEMORY_MIB = 6
"""Docker since 20.10 creates no container that reserves less, or has a lower limit. ECS itself takes 4
(ECS API: ContainerDefinition, memory and memoryReservation)."""

SIDEKICK = Resources(memory_mib=LEAST_MEMORY_MIB)
"""The sidekick only lends its volume and runs nothing: it reserves the least that starts (ADR 0022)."""
