"""Wishes: what is admitted, and what is refused at once."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest, empty_digest
from scheduler.core.model.scaling import ScaleWish, WishKind
from scheduler.services.asking import Ask, AskInstances, AskPlan
from scheduler.services.autoscaling import AutoscalingService, InstanceFilter, ScaleOrder, same_wish
from scheduler.services.errors import GroupNotFound, GroupUnread, InvalidRequest, SizeOutOfRange
from scheduler.services.writer import Writer
from tests.api.instances import an_instance_digest
from tests.builders import a_group, a_wish, ec2_id
from tests.clocks import START_MS, VirtualClock

UUID = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a10"


@dataclass
class Cluster:
    """A service, the cluster as the loop last saw it, and what the loop is asked."""

    digest: ClusterDigest = field(default_factory=lambda: replace(empty_digest("ci"), group=a_group()))
    asked: list[Ask] = field(default_factory=list)

    def __post_init__(self) -> None:
        writer = Writer(
            MemoryStore(),
            committed=lambda message: None,
            advanced=lambda: None,
            health=lambda writable: None,
        )
        self.service = AutoscalingService(
            lambda: self.digest, ask=self.asked.append, writer=writer, clock=VirtualClock(), group="ci"
        )


def ordering(**changes: Any) -> ScaleOrder:
    fields: dict[str, Any] = {"request_id": UUID, "group": "", "kind": WishKind.FLOOR, "size": 5}
    return ScaleOrder(**(fields | changes))


def test_an_order_becomes_a_wish() -> None:
    """The wish names the group and has its times."""
    wish = Cluster().service.admit(ordering(expiry_ms=60_000))
    assert wish == a_wish(request_id=UUID, size=5, expires_ms=START_MS + 60_000)


def test_a_dry_run_needs_no_wish() -> None:
    """Without a wish it asks about the present one; a real one has nothing to do then."""
    assert Cluster().service.admit(ordering(kind=None, size=0, dry_run=True)) is None
    with pytest.raises(InvalidRequest):
        Cluster().service.admit(ordering(kind=None, size=0))


def test_every_violation_is_named() -> None:
    """A client learns all that is wrong with its request from one answer."""
    with pytest.raises(InvalidRequest) as caught:
        Cluster().service.admit(ordering(request_id="7", kind=None, expiry_ms=0))
    paths = [each.field_path for each in caught.value.violations]
    assert paths == ["request_id", "expiry", "wish", "expiry"]


@pytest.mark.parametrize("size", [-1, 51])
def test_the_groups_limits_bind(size: int) -> None:
    """A size that the group does not allow is refused, and both limits are at hand."""
    with pytest.raises(SizeOutOfRange, match="min size 0 and max size 50"):
        Cluster().service.admit(ordering(size=size))


@pytest.mark.parametrize("size", [0, 50])
def test_the_limits_themselves_are_allowed(size: int) -> None:
    """Both ends are sizes of the group."""
    wish = Cluster().service.admit(ordering(size=size, group="ci"))
    assert wish is not None
    assert wish.size == size


def test_another_group() -> None:
    """The service leads one group."""
    with pytest.raises(GroupNotFound, match="it leads ci"):
        Cluster().service.admit(ordering(group="builds"))


def test_a_group_that_was_not_read() -> None:
    """Limits that nobody knows allow no size; clearing needs none, and the present wish is known."""
    cluster = Cluster(digest=empty_digest("ci"))
    with pytest.raises(GroupUnread):
        cluster.service.admit(ordering())
    assert cluster.service.admit(ordering(kind=WishKind.CLEAR, size=0)) is not None
    cluster.digest = replace(cluster.digest, wish=a_wish(request_id=UUID))
    assert cluster.service.admit(ordering()) is not None


def test_questions_go_to_the_loop() -> None:
    """Plans and container instances are the loop's to tell."""
    cluster = Cluster()
    cluster.service.plan(a_wish(), lambda plan: None)
    cluster.service.container_instances(lambda instances: None)
    plan, instances = cluster.asked
    assert isinstance(plan, AskPlan)
    assert plan.wish == a_wish()
    assert isinstance(instances, AskInstances)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (a_wish(5, at_ms=START_MS + 9, expires_ms=START_MS + 69), True),
        (a_wish(5, request_id="another", expires_ms=START_MS + 60), True),
        (a_wish(5, expires_ms=START_MS + 61), False),
        (a_wish(5), False),
        (a_wish(5, kind=WishKind.TARGET, expires_ms=START_MS + 60), False),
        (a_wish(6, expires_ms=START_MS + 60), False),
        (a_wish(5, group="builds", expires_ms=START_MS + 60), False),
    ],
)
def test_same_wish(other: ScaleWish, same: bool) -> None:
    """Two are the same when a client asked for the same, whenever that was."""
    assert same_wish(a_wish(5, expires_ms=START_MS + 60), other) is same


def test_filter_wants_all_that_is_set() -> None:
    """Health and ids must both match; what is not set matches all."""
    digest = an_instance_digest(1)
    ids = frozenset({ec2_id(1)})
    assert InstanceFilter().matches(digest)
    assert InstanceFilter(health=InstanceHealth.SCHEDULABLE, ec2_instance_ids=ids).matches(digest)
    assert not InstanceFilter(health=InstanceHealth.DRAINING, ec2_instance_ids=ids).matches(digest)
    assert not InstanceFilter(ec2_instance_ids=frozenset({ec2_id(2)})).matches(digest)
