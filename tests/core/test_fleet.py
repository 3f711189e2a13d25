"""The fleet and the ledger: what is free, what others hold, and what EC2 still owes."""

from typing import Any

import pytest

from scheduler.core.model.attempt import CLOSED_ATTEMPT_STATES, AttemptState
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.ledger import Ledger, Load
from tests.builders import (
    M4_4XLARGE,
    REGULAR,
    a_group,
    a_member,
    an_ecs_task,
    an_instance,
    attempt,
    instance_arn,
)
from tests.clocks import START_MS

POLICY = Policy()
SMALL = Resources(cpu=1024, memory_mib=4006)
HALF = Resources(cpu=8192, memory_mib=32209)


def a_fleet(*, holding: Ledger | None = None, **changes: Any) -> Fleet:
    """Instance 1, alone in its group."""
    fleet = Fleet(POLICY, holding or Ledger())
    fleet.see_group(a_group(a_member()))
    fleet.see_instances([an_instance(**changes)], START_MS)
    return fleet


def free(fleet: Fleet) -> list[Resources]:
    return [Resources(cpu=r.cpu, memory_mib=r.memory_mib, gpus=r.gpus) for _, r in fleet.rooms.spots()]


@pytest.mark.parametrize("state", AttemptState)
def test_room_is_held_from_the_intent_until_the_attempt_is_closed(state: AttemptState) -> None:
    """Open, started, unknown or adopted: taken. Refused, abandoned or ended: free."""
    ledger = Ledger()
    ledger.record(attempt(), REGULAR, TaskState.ASSIGNED)
    ledger.record(attempt(state=state), REGULAR, TaskState.ASSIGNED)
    held = Load(taken=REGULAR, attempts=1, starting=1)
    assert ledger.load(instance_arn(1)) == (Load() if state in CLOSED_ATTEMPT_STATES else held)


def test_a_running_task_has_no_start_slot() -> None:
    """Its images are pulled; its room stays taken."""
    ledger = Ledger()
    ledger.record(attempt(), REGULAR, TaskState.STARTING)
    ledger.record(attempt(state=AttemptState.STARTED), REGULAR, TaskState.RUNNING)
    assert ledger.load(instance_arn(1)) == Load(taken=REGULAR, attempts=1, starting=0)


def test_our_ledger_beats_what_ecs_shows_as_remaining() -> None:
    """A stopping task's room looks free to ECS; it is not, until it was seen STOPPED."""
    ledger = Ledger()
    ledger.record(attempt(), HALF, TaskState.RUNNING)
    assert free(a_fleet(holding=ledger, remaining=M4_4XLARGE)) == [M4_4XLARGE - HALF]


def test_room_that_others_hold_is_not_free() -> None:
    """Tasks that the store does not know are occupied room, from the first reading on."""
    assert free(a_fleet(remaining=M4_4XLARGE - HALF)) == [HALF + Resources(cpu=0, memory_mib=1)]


def test_room_that_waits_for_daemons_says_so() -> None:
    """It has no slot before they have come, though nothing starts there."""
    fleet = Fleet(POLICY, Ledger())
    fleet.see_group(a_group(a_member(1), a_member(2)))
    fleet.see_instances([an_instance(1)], START_MS - POLICY.daemon_grace_ms)
    fleet.daemons.see([an_ecs_task(attempt(), daemon=True, service="router", ask=SMALL)])
    fleet.see_instances([an_instance(1), an_instance(2)], START_MS)
    rooms = {room.arn: (room.slots > 0, room.awaits_daemons) for _, room in fleet.rooms.spots()}
    assert rooms == {instance_arn(1): (True, False), instance_arn(2): (False, True)}


def test_one_reading_that_lags_makes_nobody_a_stranger() -> None:
    """A task of ours that just ended may still be counted there: two readings have to agree."""
    fleet = a_fleet()
    fleet.see_instances([an_instance(version=2, remaining=NOTHING)], START_MS)
    assert free(fleet) == [M4_4XLARGE]
    fleet.see_instances([an_instance(version=3, remaining=NOTHING)], START_MS)
    assert free(fleet) == [NOTHING]


def test_a_reading_without_news_judges_nobody_anew() -> None:
    """A thousand instances are read every few seconds; what is unchanged costs a comparison."""
    fleet = a_fleet()
    ((_, before),) = fleet.rooms.spots()
    fleet.see_instances([an_instance()], START_MS + 5_000)
    ((_, after),) = fleet.rooms.spots()
    assert after is before
    fleet.see_instances([an_instance(version=2)], START_MS + 10_000)
    ((_, after),) = fleet.rooms.spots()
    assert after is not before


def test_an_older_version_is_dropped() -> None:
    """ECS answers out of order; the version grows with every event on an instance."""
    fleet = a_fleet(version=5)
    fleet.see_instances([an_instance(version=4, agent_connected=False)], START_MS)
    assert fleet.health[instance_arn(1)] is InstanceHealth.SCHEDULABLE


def test_an_instance_that_is_not_in_a_complete_reading_is_gone() -> None:
    """It is in no count and holds no room."""
    fleet = a_fleet()
    fleet.see_instances([], START_MS)
    assert (len(fleet.rooms), +fleet.counts, fleet.ec2_ids, fleet.instances) == (0, {}, {}, {})


def test_leaving_the_group_takes_an_instance_out_of_the_index() -> None:
    """Whoever the group no longer lists, or is taking away, gets no tasks; coming back gives room back."""
    fleet = a_fleet()
    for members, count in (((), 0), ((a_member(),), 1), ((a_member(lifecycle_state="Terminating"),), 0)):
        fleet.see_group(a_group(*members))
        assert len(fleet.rooms) == count


@pytest.mark.parametrize(
    ("changes", "owed"),
    [({}, 0), ({"status": "DRAINING"}, 0), ({"status": "REGISTERING"}, 1)],
)
def test_in_flight_is_what_is_desired_less_who_can_work(changes: dict[str, Any], owed: int) -> None:
    """Members that can take no task are no capacity, whatever the group calls them."""
    assert a_fleet(**changes).in_flight(START_MS) == owed


def test_the_free_room_of_a_blinking_instance_is_capacity_for_buying() -> None:
    """It gets no task at once, but agents blink several times an hour: no other is bought for that."""
    ledger = Ledger()
    ledger.record(attempt(), REGULAR, TaskState.RUNNING)
    fleet = a_fleet(holding=ledger, agent_connected=False)
    assert len(fleet.rooms) == 0
    supply = fleet.supply(START_MS + POLICY.purchase_grace_ms - 1)
    assert (supply.in_flight, [each.free for each in supply.silent]) == (0, [M4_4XLARGE - REGULAR])


def test_a_disconnected_instance_is_lost_after_its_grace() -> None:
    """The group does not replace it: it is neither capacity nor in flight, and growth buys on top of it."""
    supply = a_fleet(agent_connected=False).supply(START_MS + POLICY.purchase_grace_ms)
    assert (supply.in_flight, supply.silent) == (0, ())


def test_a_disconnected_instance_that_leaves_is_replaced_by_its_group() -> None:
    """EC2 owes its successor, within the grace and after it."""
    fleet = a_fleet(agent_connected=False)
    fleet.see_group(a_group(a_member(lifecycle_state="Terminating:Wait")))
    assert [fleet.in_flight(START_MS + age_ms) for age_ms in (0, POLICY.purchase_grace_ms)] == [1, 1]


def test_an_instance_that_registered_again_counts_once() -> None:
    """Its old ARN stays in the cluster, disconnected for ever; able is who is able by EC2 id."""
    fleet = Fleet(POLICY, Ledger())
    fleet.see_group(a_group(a_member(), desired=3))
    old = an_instance(2, ec2_instance_id=an_instance().ec2_instance_id, agent_connected=False)
    for now_ms in (START_MS, START_MS + POLICY.purchase_grace_ms):
        fleet.see_instances([an_instance(), old], now_ms)
        supply = fleet.supply(now_ms)
        assert (len(fleet.muster(now_ms).working), supply.in_flight, supply.silent) == (1, 2, ())


def test_types_in_flight_are_those_that_the_group_lists() -> None:
    """Members that cannot work yet, whatever they were asked as; one that leaves is none of them."""
    coming = a_member(2, lifecycle_state="Pending", instance_type="m5.large")
    leaving = a_member(3, lifecycle_state="Terminating", instance_type="m5.xlarge")
    fleet = Fleet(POLICY, Ledger())
    fleet.see_group(a_group(a_member(instance_type="m4.4xlarge"), coming, leaving))
    fleet.see_instances([an_instance()], START_MS)
    assert fleet.supply(START_MS).launched_types == ("m5.large",)


def test_an_instance_arrives_once() -> None:
    """When it can work for the first time, not when it comes back from a blink."""
    fleet = a_fleet(status="REGISTERING")
    assert fleet.take_arrivals() == []
    for version, connected in ((2, True), (3, False), (4, True)):
        fleet.see_instances([an_instance(version=version, agent_connected=connected)], START_MS)
    assert [each.version for each in fleet.take_arrivals()] == [2]
    assert fleet.take_arrivals() == []


def test_nothing_is_kept_of_an_instance_that_is_gone() -> None:
    """Whichever list it leaves first: if it were ever seen again, it would be a newcomer."""
    fleet = a_fleet()
    assert len(fleet.take_arrivals()) == 1
    fleet.see_instances([], START_MS)
    fleet.see_group(a_group())
    fleet.see_group(a_group(a_member()))
    fleet.see_instances([an_instance(version=9)], START_MS)
    assert [each.version for each in fleet.take_arrivals()] == [9]


def test_an_instance_offers_what_others_leave() -> None:
    """Our own tasks do not count against it; one that is gone offers nothing."""
    ledger = Ledger()
    ledger.record(attempt(), REGULAR, TaskState.RUNNING)
    fleet = a_fleet(holding=ledger, remaining=M4_4XLARGE - REGULAR - SMALL)
    assert fleet.offered(instance_arn(1)) == M4_4XLARGE - SMALL
    assert fleet.offered(instance_arn(2)) is None


def test_a_blink_starts_the_grace_anew() -> None:
    """Only continuous silence counts."""
    fleet = a_fleet(agent_connected=False)
    fleet.see_instances([an_instance(version=2)], START_MS + 60_000)
    fleet.see_instances([an_instance(version=3, agent_connected=False)], START_MS + 61_000)
    assert len(fleet.supply(START_MS + POLICY.purchase_grace_ms).silent) == 1


def test_before_the_group_was_read_nobody_is_schedulable() -> None:
    """An instance in the cluster may be anybody's."""
    fleet = Fleet(POLICY, Ledger())
    fleet.see_instances([an_instance()], START_MS)
    assert +fleet.counts == {InstanceHealth.NOT_IN_GROUP: 1}
    assert fleet.in_flight(START_MS) == 0


def test_a_type_is_learned_from_its_smallest_instance() -> None:
    """Dimension by dimension."""
    fleet = a_fleet()
    fleet.see_group(a_group(a_member(), a_member(2)))
    other = an_instance(2, registered=Resources(cpu=16384, memory_mib=64000))
    fleet.see_instances([an_instance(), other], START_MS)
    assert fleet.registered_by_type == {"m4.4xlarge": Resources(cpu=16384, memory_mib=64000)}


@pytest.mark.parametrize("changes", [{}, {"status": "DRAINING"}, {"agent_connected": False}])
def test_nothing_is_learned_from_who_cannot_work(changes: dict[str, Any]) -> None:
    """A stranger, or a member in trouble, may be set up differently: its size says nothing of the type."""
    fleet = a_fleet()
    members = [a_member(), a_member(2)] if changes else [a_member()]
    fleet.see_group(a_group(*members))
    fleet.see_instances([an_instance(), an_instance(2, registered=HALF, **changes)], START_MS)
    assert fleet.registered_by_type == {"m4.4xlarge": M4_4XLARGE}


def test_idle_is_without_any_task() -> None:
    """Neither ours nor a stranger's."""
    ledger = Ledger()
    fleet = a_fleet(holding=ledger)
    assert fleet.idle() == 1
    ledger.record(attempt(), REGULAR, TaskState.ASSIGNED)
    assert fleet.idle() == 0
    assert a_fleet(remaining=HALF).idle() == 0


def test_an_old_instance_takes_tasks_while_its_group_cannot_grow() -> None:
    """The group's word changes it at once, without a reading of the instances in between."""
    fleet = Fleet(POLICY, Ledger())
    fleet.see_group(a_group(a_member(), max_size=2))
    fleet.see_instances([an_instance(launched_ms=START_MS - 8 * 86_400_000)], START_MS)
    found = []
    for max_size in (1, 2, 1):
        fleet.see_group(a_group(a_member(), max_size=max_size))
        found.append(fleet.health[instance_arn(1)])
    assert found == [InstanceHealth.SCHEDULABLE, InstanceHealth.STALE, InstanceHealth.SCHEDULABLE]


def two_arns(ledger: Ledger) -> Fleet:
    """Instance 1 registered again, as ARN 2."""
    fleet = a_fleet(holding=ledger)
    silent = an_instance(version=2, agent_connected=False)
    fleet.see_instances([silent, an_instance(2, ec2_instance_id=silent.ec2_instance_id)], START_MS)
    return fleet


def test_room_under_an_old_arn_is_free_under_the_new_one_when_it_ends() -> None:
    """At once: the attempt that is closed is judged under every ARN that its instance has."""
    ledger = Ledger()
    ledger.record(attempt(), HALF, TaskState.RUNNING)
    fleet = two_arns(ledger)
    assert free(fleet) == [M4_4XLARGE - HALF]
    ledger.record(attempt(state=AttemptState.ENDED), HALF, TaskState.RUNNING)
    fleet.refresh(an_instance().ec2_instance_id)
    assert free(fleet) == [M4_4XLARGE]


def test_what_is_on_an_instance_is_on_it_under_every_arn() -> None:
    """Our attempts make both busy; a task of others makes the instance occupied."""
    ledger = Ledger()
    ledger.record(attempt(), HALF, TaskState.RUNNING)
    fleet = two_arns(ledger)
    assert [fleet.is_busy(instance_arn(number)) for number in (1, 2)] == [True, True]
    ledger.record(attempt(state=AttemptState.ENDED), HALF, TaskState.RUNNING)
    assert not fleet.is_occupied(an_instance().ec2_instance_id)
    fleet.see_foreign({instance_arn(2): 1})
    assert fleet.is_occupied(an_instance().ec2_instance_id)
    assert fleet.is_connected(an_instance().ec2_instance_id)
    assert not fleet.is_connected("i-unknown")
