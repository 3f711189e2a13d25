"""Who is alone: which instances count as empty, and what one holds that a task has for itself."""

from collections.abc import Iterable

from scheduler.core.model.answers import EcsTask
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState
from scheduler.core.placement.free_index import Room
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.ledger import Ledger
from tests.builders import (
    M4_4XLARGE,
    REGULAR,
    a_group,
    a_member,
    an_ecs_task,
    an_instance,
    attempt,
    ec2_id,
    instance_arn,
)
from tests.clocks import START_MS

ASK = Resources(cpu=64, memory_mib=128)


def a_fleet(ledger: Ledger | None = None, *, remaining: Resources = M4_4XLARGE, tasks: int = 0) -> Fleet:
    """Instance 1, alone in its group, as two readings show it."""
    fleet = Fleet(Policy(), ledger or Ledger())
    fleet.see_group(a_group(a_member()))
    for at_ms in (START_MS, START_MS + 10_000):
        fleet.see_instances([an_instance(remaining=remaining, tasks=tasks)], at_ms)
    return fleet


def room(fleet: Fleet) -> Room:
    [(_, found)] = fleet.rooms.spots()
    return found


def daemon() -> EcsTask:
    """A daemon task on instance 1."""
    where = {"container_instance_arn": instance_arn(1), "service": "router", "ask": ASK}
    return an_ecs_task(attempt(), daemon=True, **where)


def census(fleet: Fleet, *, foreign: Iterable[str] = (), daemons: Iterable[EcsTask] = ()) -> None:
    fleet.see_foreign(dict.fromkeys(foreign, 1), fleet.daemons.see(daemons))


def test_an_instance_without_any_task_is_empty() -> None:
    """Nothing of ours is on it, nothing is taken, and nobody was seen."""
    assert room(a_fleet()).empty


def test_an_attempt_of_ours_is_somebody_until_it_is_closed() -> None:
    """From the intent on, whether it is known to run, lost or stopping."""
    ledger = Ledger()
    fleet = a_fleet(ledger)
    for state, is_empty in [
        (AttemptState.OPEN, False),
        (AttemptState.UNKNOWN, False),
        (AttemptState.STARTED, False),
        (AttemptState.ENDED, True),
    ]:
        ledger.record(attempt(state=state), REGULAR, TaskState.STOPPING)
        fleet.refresh(ec2_id(1))
        assert room(fleet).empty is is_empty


def test_a_task_of_others_is_somebody_even_if_it_asks_for_nothing() -> None:
    """From the census that finds it to the one that does not."""
    fleet = a_fleet()
    census(fleet, foreign=[instance_arn(1)])
    assert not room(fleet).empty
    census(fleet)
    assert room(fleet).empty


def test_room_that_others_hold_is_somebody() -> None:
    """What ECS counts as taken and nobody here knows."""
    assert not room(a_fleet(remaining=M4_4XLARGE - ASK)).empty


def test_a_daemon_is_nobody() -> None:
    """From the census that tells what it is to one that does not find it, and the room is still taken."""
    fleet = a_fleet(remaining=M4_4XLARGE - ASK, tasks=1)
    assert not room(fleet).empty
    census(fleet, daemons=[daemon()])
    assert room(fleet).empty
    census(fleet)
    assert not room(fleet).empty


def test_nothing_is_free_beside_an_exclusive_task() -> None:
    """Neither room nor a slot, until it is seen STOPPED."""
    ledger = Ledger()
    fleet = a_fleet(ledger)
    ledger.record(attempt(), REGULAR.alone(), TaskState.RUNNING)
    fleet.refresh(ec2_id(1))
    assert (room(fleet).free, room(fleet).slots, room(fleet).empty) == (NOTHING, 0, False)
    assert ledger.load(instance_arn(1)).taken == REGULAR
    ledger.record(attempt(state=AttemptState.ENDED), REGULAR.alone(), TaskState.RUNNING)
    fleet.refresh(ec2_id(1))
    assert (room(fleet).free, room(fleet).empty) == (M4_4XLARGE, True)


def test_what_began_under_an_earlier_arn_is_somebody_under_the_new_one() -> None:
    """An agent that registers anew leaves what runs under its old ARN."""
    ledger = Ledger()
    ledger.record(attempt(), REGULAR, TaskState.RUNNING)
    fleet = a_fleet(ledger)
    again = an_instance(2, ec2_instance_id=ec2_id(1))
    fleet.see_instances([an_instance(agent_connected=False, version=2), again], START_MS + 20_000)
    assert (room(fleet).arn, room(fleet).empty) == (instance_arn(2), False)


def test_a_silent_instance_tells_whether_it_is_empty() -> None:
    """Growth counts it for a task that wants an instance for itself only then."""
    ledger = Ledger()
    fleet = a_fleet(ledger)
    fleet.see_instances([an_instance(agent_connected=False, version=2)], START_MS + 20_000)
    assert [each.empty for each in fleet.supply(START_MS + 20_000).silent] == [True]
    ledger.record(attempt(), REGULAR.alone(), TaskState.RUNNING)
    [silent] = fleet.supply(START_MS + 20_000).silent
    assert (silent.free, silent.empty) == (NOTHING, False)
