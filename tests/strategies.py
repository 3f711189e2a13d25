"""Hypothesis strategies: cases that are drawn, coarse enough that ties and exact fits are common."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st

from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex
from tests.builders import M4_4XLARGE, a_task, instance_arn

MODEST = settings(max_examples=50, deadline=None)
"""For properties that every run proves anew: few examples, and no deadline on a busy machine."""

G4DN_12XLARGE = Resources(cpu=49152, memory_mib=189000, gpus=4)
"""A size class with GPUs."""

TINY = Resources(cpu=7, memory_mib=5)
"""A size class in which rounding would show."""

M6G_4XLARGE = M4_4XLARGE.on(Architecture.ARM64)
"""A size class of another architecture."""

SIZES = (M4_4XLARGE, M6G_4XLARGE, G4DN_12XLARGE, TINY)

SHAPES = (
    Resources(cpu=1, memory_mib=1),
    Resources(cpu=2048, memory_mib=8006),
    Resources(cpu=8356, memory_mib=32854),
    Resources(cpu=12288, memory_mib=2000),
    Resources(cpu=2048, memory_mib=48000),
    Resources(cpu=4096, memory_mib=16104, gpus=1),
    M4_4XLARGE,
    Resources(cpu=2048, memory_mib=8006, architecture=Architecture.ARM64),
    Resources(cpu=2048, memory_mib=8006, architecture=Architecture.X86_64),
)
"""Shapes that tasks ask for: tiny, an eighth, 51 %, long on one side, with a GPU, a whole instance,
and for one architecture alone."""

asks = st.sampled_from(SHAPES) | st.builds(
    Resources,
    cpu=st.integers(0, 50000),
    memory_mib=st.integers(0, 190000),
    gpus=st.integers(0, 5),
    architecture=st.sampled_from(Architecture),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """What is free on one instance: the free index's input, kept by the test as its model."""

    arn: str
    registered: Resources
    free: Resources
    launched_ms: int
    slots: int
    empty: bool = False


def index_of(spares: list[Spare]) -> FreeIndex:
    """A fresh index of these."""
    index = FreeIndex()
    for each in spares:
        put(index, each)
    return index


def put(index: FreeIndex, spare: Spare) -> None:
    """Tells the index what is free on one instance."""
    index.put(
        spare.arn,
        registered=spare.registered,
        free=spare.free,
        launched_ms=spare.launched_ms,
        slots=spare.slots,
        empty=spare.empty,
    )


@st.composite
def spare_rooms(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> Spare:
    """One instance with some of it free, in tenths so that equal scores are common."""
    size = draw(st.sampled_from(SIZES))
    cpu_tenths, memory_tenths = draw(st.integers(0, 10)), draw(st.integers(0, 10))
    free = Resources(
        cpu=size.cpu * cpu_tenths // 10,
        memory_mib=size.memory_mib * memory_tenths // 10,
        gpus=draw(st.integers(0, size.gpus)),
        architecture=size.architecture,
    )
    return Spare(
        arn=instance_arn(draw(numbers)),
        registered=size,
        free=free,
        launched_ms=draw(st.integers(0, 2)),
        slots=draw(st.integers(0, 4)),
        empty=draw(st.booleans()),
    )


fleets = st.lists(
    spare_rooms(st.integers(1, 30)),
    max_size=12,
    unique_by=lambda spare: spare.arn,
)
"""Up to twelve different instances."""


@st.composite
def queues(draw: st.DrawFn, max_size: int = 25) -> list[QueuedTask]:
    """Waiting tasks of two tenants, two priorities and few shapes, in order of acceptance."""
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from(["bamboo", "other"]), st.sampled_from([0, 5]), st.sampled_from(SHAPES)),
            max_size=max_size,
        )
    )
    return [
        a_task(number, tenant=tenant, priority=priority, ask=ask)
        for number, (tenant, priority, ask) in enumerate(drawn, start=1)
    ]


suspicions = st.frozensets(
    st.tuples(st.integers(1, 30).map(instance_arn), st.sampled_from(SHAPES)), max_size=8
)
"""Pairs of an instance and a shape that it refused."""
