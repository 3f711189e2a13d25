"""Exclusive tasks through the whole service: alone where they run, bought for, and kept so by a restart."""

from collections import defaultdict

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import Container, ContainersSpec, TaskState
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import MINUTE_MS, REGULAR, VirtualService

FIVE_MINUTES = (5 * MINUTE_MS, 5 * MINUTE_MS)
ONE_THERE = SimulationSettings(min_size=1, max_size=6, desired_capacity=1, run_ms=FIVE_MINUTES)
NO_MORE = SimulationSettings(min_size=1, max_size=1, desired_capacity=1, run_ms=FIVE_MINUTES)


def spec(ask: Resources = REGULAR, *, exclusive: bool = True) -> ContainersSpec:
    agent = Container(name="agent", image="agent:1", resources=ask)
    return ContainersSpec(containers=(agent,), exclusive=exclusive)


def most_at_once(service: VirtualService) -> int:
    """How many tasks an instance had at most while one of them was exclusive, by AWS's own journal."""
    exclusive = {task.task_id for task in service.tasks() if task.ask.exclusive}
    alive: defaultdict[str, dict[str, str]] = defaultdict(dict)
    place: dict[str, str] = {}
    most = 0
    for entry in service.account.journal.entries:
        if entry["effect"] == Effect.START_TASK:
            arn = place[entry["taskArn"]] = entry["containerInstanceArn"]
            alive[arn][entry["taskArn"]] = entry["tags"]["ecs-scheduler:task"]
            if exclusive.intersection(alive[arn].values()):
                most = max(most, len(alive[arn]))
        elif entry["effect"] == Effect.TASK_STATE_CHANGE and entry["lastStatus"] == "STOPPED":
            alive[place[entry["taskArn"]]].pop(entry["taskArn"])
    return most


def test_each_is_alone_and_the_group_grows_for_it() -> None:
    """Two of them and three that share: three instances, and no fourth is ever bought."""
    service = VirtualService(simulation=ONE_THERE)
    service.submit(1, spec=spec(exclusive=False))
    service.submit(2, spec=spec())
    service.submit(2, spec=spec(exclusive=False))
    assert service.run_until(lambda: service.states() == {TaskState.RUNNING: 5})
    assert service.desired == 3
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 5}
    assert most_at_once(service) == 1


def test_an_instance_that_is_empty_is_not_bought_again() -> None:
    """What idles is taken at once."""
    service = VirtualService(simulation=ONE_THERE)
    service.submit(1, spec=spec())
    assert service.run_until(lambda: service.states() == {TaskState.RUNNING: 1})
    assert service.desired == 1


def test_where_nothing_can_be_bought_it_waits_until_everybody_has_left() -> None:
    """And whoever comes later goes before it while somebody is there, as with any task that is large."""
    service = VirtualService(simulation=NO_MORE)
    service.submit(2, spec=spec(exclusive=False))
    assert service.run_until(lambda: service.states() == {TaskState.RUNNING: 2})
    service.submit(1, spec=spec())
    service.submit(1, spec=spec(exclusive=False))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 3)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 4}
    assert most_at_once(service) == 1


def test_what_no_type_holds_fails_and_says_so() -> None:
    """It may have an instance for itself, but not more than that."""
    service = VirtualService(simulation=ONE_THERE)
    service.submit(1, spec=spec(Resources(cpu=2048, memory_mib=900_000)))
    assert service.finish(limit_minutes=5)
    [task] = service.tasks()
    assert task.status.stop_reason is not None
    assert task.status.stop_reason.category is StopCategory.NEVER_FITS


def test_it_stays_alone_after_a_restart() -> None:
    """Whether it runs or waits when the process dies."""
    service = VirtualService(simulation=ONE_THERE)
    service.submit(1, spec=spec())
    assert service.run_until(lambda: service.states() == {TaskState.RUNNING: 1})
    service.driver.crash()
    service.submit(2, spec=spec(exclusive=False))
    service.submit(1, spec=spec())
    assert service.run_until(lambda: service.states() == {TaskState.RUNNING: 4})
    assert service.desired == 3
    assert service.finish()
    assert most_at_once(service) == 1
