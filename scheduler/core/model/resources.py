"""Resources: the vector that tasks ask for and container instances offer."""

from dataclasses import dataclass

CPU_UNITS_PER_VCPU = 1024
"""ECS counts CPU in units of 1/1024 vCPU."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Resources:
    """An amount, compared dimension by dimension and never as one number.

    `cpu` in CPU units, `memory_mib` in MiB, `gpus` whole. Ordering (`<`) is lexicographic and only for
    sorting; whether something fits is `fits_in`.
    """

    cpu: int = 0
    memory_mib: int = 0
    gpus: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        """Sum by dimension."""
        return Resources(
            cpu=self.cpu + other.cpu,
            memory_mib=self.memory_mib + other.memory_mib,
            gpus=self.gpus + other.gpus,
        )

    def __sub__(self, other: "Resources") -> "Resources":
        """Difference by dimension; may go below zero."""
        return Resources(
            cpu=self.cpu - other.cpu,
            memory_mib=self.memory_mib - other.memory_mib,
            gpus=self.gpus - other.gpus,
        )

    def fits_in(self, room: "Resources") -> bool:
        """True when `room` has at least this much of every dimension; equal fits."""
        return self.cpu <= room.cpu and self.memory_mib <= room.memory_mib and self.gpus <= room.gpus

    def floored(self) -> "Resources":
        """The same with negative dimensions raised to zero."""
        return Resources(cpu=max(0, self.cpu), memory_mib=max(0, self.memory_mib), gpus=max(0, self.gpus))

    def smaller(self, other: "Resources") -> "Resources":
        """The smaller of both in each dimension."""
        return Resources(
            cpu=min(self.cpu, other.cpu),
            memory_mib=min(self.memory_mib, other.memory_mib),
            gpus=min(self.gpus, other.gpus),
        )

    def times_that_fit(self, room: "Resources") -> int:
        """How many of this fit into `room` at once. An empty ask fits without end, told as 2**31."""
        counts = [
            have // need
            for need, have in (
                (self.cpu, room.cpu),
                (self.memory_mib, room.memory_mib),
                (self.gpus, room.gpus),
            )
            if need > 0
        ]
        return max(0, min(counts)) if counts else 2**31

    def times(self, count: int) -> "Resources":
        """`count` of this together."""
        return Resources(cpu=self.cpu * count, memory_mib=self.memory_mib * count, gpus=self.gpus * count)

    def scaled(self, factor: float) -> "Resources":
        """The same with CPU and memory multiplied and truncated; GPUs are whole and stay."""
        return Resources(cpu=int(self.cpu * factor), memory_mib=int(self.memory_mib * factor), gpus=self.gpus)


NOTHING = Resources()
"""No resources at all."""
