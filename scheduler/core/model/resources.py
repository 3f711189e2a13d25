"""Resources: the vector that tasks ask for and container instances offer."""

from dataclasses import dataclass, replace
from enum import StrEnum

CPU_UNITS_PER_VCPU = 1024
"""ECS counts CPU in units of 1/1024 vCPU."""


class Architecture(StrEnum):
    """CPU architectures, in ECS's words (ECS API: RuntimePlatform, cpuArchitecture)."""

    ANY = ""
    X86_64 = "X86_64"
    ARM64 = "ARM64"


class _Hashed:
    """Keeps a hash beside the value, where neither comparison nor serialisation sees it."""

    __slots__ = ("_hash",)

    _hash: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Resources(_Hashed):
    """An amount, compared dimension by dimension and never as one number.

    `cpu` in CPU units, `memory_mib` in MiB, `gpus` whole. `architecture` is not counted but matched: an ask
    of ANY fits on each, and room of ANY (nobody told) holds no ask of a particular one. An `exclusive` ask
    is for a container instance that nobody else is on: it needs this much, and takes all of it. Of room it
    says nothing, since whether anybody is on an instance is not an amount: who counts what is free tells it.
    What is calculated has architecture and `exclusive` of the left operand. Ordering (`<`) is lexicographic
    and only for sorting; whether something fits is `fits_in`.
    """

    cpu: int = 0
    memory_mib: int = 0
    gpus: int = 0
    architecture: Architecture = Architecture.ANY
    exclusive: bool = False

    def __hash__(self) -> int:
        """Calculated once: a decision looks every waiting shape up in several tables."""
        try:
            return self._hash
        except AttributeError:
            amount = hash((self.cpu, self.memory_mib, self.gpus, self.architecture, self.exclusive))
            object.__setattr__(self, "_hash", amount)
            return amount

    def __add__(self, other: "Resources") -> "Resources":
        """Sum by dimension."""
        return Resources(
            cpu=self.cpu + other.cpu,
            memory_mib=self.memory_mib + other.memory_mib,
            gpus=self.gpus + other.gpus,
            architecture=self.architecture,
            exclusive=self.exclusive,
        )

    def __sub__(self, other: "Resources") -> "Resources":
        """Difference by dimension; may go below zero."""
        return Resources(
            cpu=self.cpu - other.cpu,
            memory_mib=self.memory_mib - other.memory_mib,
            gpus=self.gpus - other.gpus,
            architecture=self.architecture,
            exclusive=self.exclusive,
        )

    def suits(self, room: "Resources") -> bool:
        """True when `room` is of an architecture that this may run on, however much of it there is."""
        return not self.architecture or self.architecture == room.architecture

    def fits_in(self, room: "Resources") -> bool:
        """True when `room` suits and has at least this much of every dimension; equal fits."""
        return (
            self.cpu <= room.cpu
            and self.memory_mib <= room.memory_mib
            and self.gpus <= room.gpus
            and self.suits(room)
        )

    def on(self, architecture: Architecture) -> "Resources":
        """The same amount of this architecture."""
        if architecture is self.architecture:
            return self
        return replace(self, architecture=architecture)

    def alone(self, exclusive: bool = True) -> "Resources":
        """The same amount, of an instance for itself."""
        return replace(self, exclusive=exclusive)

    def floored(self) -> "Resources":
        """The same with negative dimensions raised to zero."""
        if self.cpu >= 0 and self.memory_mib >= 0 and self.gpus >= 0:
            return self
        return Resources(
            cpu=max(0, self.cpu),
            memory_mib=max(0, self.memory_mib),
            gpus=max(0, self.gpus),
            architecture=self.architecture,
            exclusive=self.exclusive,
        )

    def smaller(self, other: "Resources") -> "Resources":
        """The smaller of both in each dimension."""
        if self.cpu <= other.cpu and self.memory_mib <= other.memory_mib and self.gpus <= other.gpus:
            return self
        return Resources(
            cpu=min(self.cpu, other.cpu),
            memory_mib=min(self.memory_mib, other.memory_mib),
            gpus=min(self.gpus, other.gpus),
            architecture=self.architecture,
            exclusive=self.exclusive,
        )

    def times_that_fit(self, room: "Resources") -> int:
        """How many of this fit into `room` at once. An empty ask fits without end, told as 2**31.

        One that is exclusive fits once, into the room of an instance that nobody is on.
        """
        if not self.suits(room):
            return 0
        counts = [
            have // need
            for need, have in (
                (self.cpu, room.cpu),
                (self.memory_mib, room.memory_mib),
                (self.gpus, room.gpus),
            )
            if need > 0
        ]
        times = max(0, min(counts)) if counts else 2**31
        return min(times, 1) if self.exclusive else times

    def times(self, count: int) -> "Resources":
        """`count` of this together."""
        return Resources(
            cpu=self.cpu * count,
            memory_mib=self.memory_mib * count,
            gpus=self.gpus * count,
            architecture=self.architecture,
            exclusive=self.exclusive,
        )

    def with_memory_share(self, share: float) -> "Resources":
        """The same with this share of the memory, truncated."""
        return replace(self, memory_mib=int(self.memory_mib * share))


NOTHING = Resources()
"""No resources at all."""
