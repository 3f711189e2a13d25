"""Admission: what becomes a task, and what is refused at once."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.agents import AgentSettings, expand
from scheduler.core.model.allow_lists import DEFAULT_ALLOW_LISTS, AllowLists
from scheduler.core.model.digest import ClusterDigest, empty_digest
from scheduler.core.model.group import InstanceType
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import Container, ContainersSpec, Secret, TaskRequest
from scheduler.services.errors import InvalidRequest, NeverFits, NotAllowed
from scheduler.services.fingerprint import fingerprint
from scheduler.services.placement import PlacementService
from scheduler.services.writer import Writer
from tests.builders import M4_4XLARGE, REGULAR, a_type, request, task_id
from tests.clocks import START_MS, VirtualClock
from tests.services.fakes import CountedIds

AGENTS = AgentSettings(family="agents", cluster="ci")
UUID = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a10"


@dataclass
class Cluster:
    """A service, and the cluster as the loop last saw it."""

    digest: ClusterDigest = field(default_factory=lambda: empty_digest("ci"))
    allowed: AllowLists = DEFAULT_ALLOW_LISTS

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        writer = Writer(
            self.store,
            committed=lambda message: None,
            advanced=lambda: None,
            health=lambda writable: None,
        )
        self.service = PlacementService(
            writer=writer,
            store=self.store,
            clock=VirtualClock(),
            ids=CountedIds(),
            agents=AGENTS,
            digest=lambda: self.digest,
            allowed=self.allowed,
        )

    def launches(self, *types: InstanceType) -> "Cluster":
        self.digest = replace(self.digest, types=types)
        return self


def asking(ask: Resources = REGULAR, **changes: Any) -> TaskRequest:
    agent = Container(name="agent", image="agent:1", resources=ask, essential=True)
    known: dict[str, Any] = {"request_id": UUID, "spec": ContainersSpec(containers=(agent,))}
    return request(**(known | changes))


def test_a_request_becomes_a_task() -> None:
    """The record holds all that the store and the World need: id, time, ask, definition, fingerprint."""
    asked = asking()
    record = Cluster().service.admit(asked)
    expansion = expand(asked.spec, AGENTS)
    assert (record.task_id, record.at_ms, record.request) == (task_id(1), START_MS, asked)
    assert (record.ask, record.main_container) == (REGULAR, "agent")
    assert (record.definition_key, record.fingerprint) == (expansion.definition_key, fingerprint(asked))


def test_every_violation_is_named() -> None:
    """A client learns all that is wrong with its request from one answer."""
    with pytest.raises(InvalidRequest) as caught:
        Cluster().service.admit(asking(tenant="Not A Tenant", priority=1_001, request_id="7"))
    assert [each.field_path for each in caught.value.violations] == ["request_id", "tenant", "priority"]


def test_an_invalid_request_is_not_judged_by_the_cluster() -> None:
    """What is wrong in itself is told first: it would be wrong on any cluster."""
    cluster = Cluster().launches(a_type(allocatable=Resources(cpu=1, memory_mib=1)))
    with pytest.raises(InvalidRequest):
        cluster.service.admit(asking(tenant=""))


@pytest.mark.parametrize(
    ("ask", "lacking"),
    [
        (Resources(cpu=16_385, memory_mib=1_000), ("cpu",)),
        (Resources(cpu=16_384, memory_mib=64_420), ("memory_mib",)),
        (Resources(cpu=16_385, memory_mib=64_419), ("cpu",)),
        (Resources(cpu=1, memory_mib=1_000, gpus=1), ("gpus",)),
        (Resources(cpu=20_000, memory_mib=80_000, gpus=1), ("cpu", "memory_mib", "gpus")),
    ],
)
def test_what_never_fits_is_refused_with_its_dimensions(ask: Resources, lacking: tuple[str, ...]) -> None:
    """No type of the group will ever hold it: each dimension and the largest type are named."""
    cluster = Cluster().launches(a_type("m4.large", Resources(cpu=2_048, memory_mib=7_000)), a_type())
    with pytest.raises(NeverFits) as caught:
        cluster.service.admit(asking(ask))
    assert (caught.value.lacking, caught.value.largest.name) == (lacking, "m4.4xlarge")


def test_an_exact_fit_is_admitted() -> None:
    """Equal fits: a task may ask for a whole instance."""
    assert Cluster().launches(a_type()).service.admit(asking(M4_4XLARGE)).ask == M4_4XLARGE


def test_any_type_that_holds_it_is_enough() -> None:
    """The types are judged each by itself, on all dimensions: not only the last one, not their sum."""
    wide = a_type("c5.9xlarge", Resources(cpu=36_864, memory_mib=70_000))
    tall = a_type("r5.2xlarge", Resources(cpu=8_192, memory_mib=62_000, gpus=1))
    service = Cluster().launches(tall, wide).service
    service.admit(asking(Resources(cpu=8_192, memory_mib=62_000, gpus=1)))
    with pytest.raises(NeverFits):
        service.admit(asking(Resources(cpu=36_864, memory_mib=62_000, gpus=1)))


def test_unknown_types_admit_everything() -> None:
    """Before the group's types were read nobody is refused: the loop decides later."""
    huge = Resources(cpu=1_000_000, memory_mib=10_000_000)
    assert Cluster().service.admit(asking(huge)).ask == huge


def test_a_full_cluster_refuses_nobody() -> None:
    """What runs or is free does not matter: the task waits in the queue."""
    cluster = Cluster().launches(a_type())
    cluster.digest = replace(cluster.digest, registered=M4_4XLARGE, free=Resources())
    assert cluster.service.admit(asking()).ask == REGULAR


def test_an_accepted_request_stays_accepted() -> None:
    """Its repetition is let through to the earlier task, although no type holds it any more."""
    cluster = Cluster()
    cluster.store.commit([[cluster.service.admit(asking())]])
    cluster.launches(a_type(allocatable=Resources(cpu=1, memory_mib=1)))
    assert cluster.service.admit(asking()).request == asking()
    with pytest.raises(NeverFits):
        cluster.service.admit(asking(request_id=UUID.replace("3", "4")))


def privileged(**changes: Any) -> TaskRequest:
    dind = Container(name="agent", image="docker:dind", resources=REGULAR, privileged=True)
    return request(request_id=UUID, spec=ContainersSpec(containers=(dind,)), **changes)


def test_what_the_operator_has_not_allowed_is_refused() -> None:
    """A privileged container, here to a tenant that may run none; the field is named."""
    cluster = Cluster(allowed=AllowLists(privileged_tenants=("other",)))
    with pytest.raises(NotAllowed) as caught:
        cluster.service.admit(privileged())
    assert [each.field_path for each in caught.value.violations] == ["containers.containers[0].privileged"]
    assert Cluster().service.admit(privileged()).request == privileged()


def test_an_accepted_request_outlives_the_right_to_make_it() -> None:
    """The operator has changed the list since: the client that repeats its request learns of its task."""
    cluster = Cluster(allowed=AllowLists(privileged_tenants=("other",)))
    cluster.store.commit([[Cluster().service.admit(privileged())]])
    assert cluster.service.admit(privileged()).request == privileged()


def test_secrets_without_a_role_to_fetch_them_are_refused() -> None:
    """ECS would refuse the definition for good."""
    agent = Container(
        name="agent", image="a:1", resources=REGULAR, secrets=(Secret(name="A", value_from="b"),)
    )
    with pytest.raises(InvalidRequest) as caught:
        Cluster().service.admit(request(request_id=UUID, spec=ContainersSpec(containers=(agent,))))
    assert [each.field_path for each in caught.value.violations] == ["containers.execution_role_arn"]


def test_a_definition_that_ecs_would_not_take_for_its_size_is_refused() -> None:
    """64 KiB as JSON; every part of it is within its own limits. One that was accepted stays accepted."""
    agent = Container(name="agent", image="a:1", resources=REGULAR, entry_point=("x" * 8_000,) * 9)
    big = request(request_id=UUID, spec=ContainersSpec(containers=(agent,)))
    with pytest.raises(InvalidRequest) as caught:
        Cluster().service.admit(big)
    assert [each.field_path for each in caught.value.violations] == ["containers"]
    assert "64,512 bytes" in caught.value.violations[0].expected


def test_an_architecture_that_no_type_has_never_fits() -> None:
    """It is one of the dimensions that are named, with the largest type for comparison."""
    arm = a_type(allocatable=M4_4XLARGE.on(Architecture.ARM64))
    x86 = ContainersSpec(
        containers=(Container(name="agent", image="a:1", resources=REGULAR),),
        architecture=Architecture.X86_64,
    )
    with pytest.raises(NeverFits) as caught:
        Cluster().launches(arm).service.admit(request(request_id=UUID, spec=x86))
    assert caught.value.lacking == ("architecture",)


def test_the_largest_type_that_suits_is_named() -> None:
    """Not a larger one of another architecture, which would hold it."""
    small = a_type("m6g.large", allocatable=Resources(cpu=1024, memory_mib=1024).on(Architecture.ARM64))
    large = a_type(allocatable=M4_4XLARGE.on(Architecture.X86_64))
    agent = Container(name="agent", image="a:1", resources=REGULAR)
    spec = ContainersSpec(containers=(agent,), architecture=Architecture.ARM64)
    with pytest.raises(NeverFits) as caught:
        Cluster().launches(small, large).service.admit(request(request_id=UUID, spec=spec))
    assert (caught.value.largest.name, caught.value.lacking) == ("m6g.large", ("cpu", "memory_mib"))
