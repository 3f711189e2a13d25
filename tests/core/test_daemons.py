"""Daemons: tasks that make no instance busy, and whose room is kept on fresh ones."""

from scheduler.core.model.answers import EcsTask
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.world.daemons import Daemons
from tests.builders import an_ecs_task, an_instance, attempt, instance_arn
from tests.clocks import START_MS

POLICY = Policy(daemon_services=("named",))
ASK = Resources(cpu=64, memory_mib=128)


def daemon(instance: int, service: str = "router", **changes: object) -> EcsTask:
    """A task of a daemon service on an instance."""
    fields = {"container_instance_arn": instance_arn(instance), "service": service, "ask": ASK}
    return an_ecs_task(attempt(), **({"daemon": True} | fields | changes))


def read(daemons: Daemons, *numbers: int, at_s: int = 0, status: str = "ACTIVE") -> None:
    """A reading of these instances."""
    instances = {instance_arn(each): an_instance(each, status=status) for each in numbers}
    daemons.see_instances(instances, START_MS + at_s * 1_000)


def after(*tasks: EcsTask, old: tuple[int, ...] = (1,)) -> Daemons:
    """These instances are there for long, and a census showed these tasks."""
    daemons = Daemons(POLICY)
    read(daemons, *old, at_s=-3_600)
    daemons.see(tasks)
    return daemons


def kept(daemons: Daemons, number: int, *, tasks: int = 0) -> Resources | None:
    return daemons.room(an_instance(number, tasks=tasks), 0)


def test_a_fresh_instance_waits_for_what_runs_on_others() -> None:
    """With room for each of their services, for a minute at most."""
    daemons = after(daemon(1), daemon(1, "metrics"))
    read(daemons, 1, 2)
    assert (kept(daemons, 1), kept(daemons, 2)) == (None, ASK.times(2))
    read(daemons, 1, 2, at_s=POLICY.daemon_grace_ms // 1_000)
    assert kept(daemons, 2) is None


def test_it_waits_no_longer_than_until_they_are_counted() -> None:
    """By ECS's count of its tasks, before a census shows them."""
    daemons = after(daemon(1))
    read(daemons, 1, 2)
    assert kept(daemons, 2, tasks=1) is None


def test_without_daemons_nobody_waits() -> None:
    """A task of another service is none, and is not counted as one."""
    daemons = after(daemon(1, daemon=False))
    read(daemons, 1, 2)
    assert (kept(daemons, 2), daemons.count(instance_arn(1))) == (None, 0)


def test_one_that_is_taken_back_waits_again() -> None:
    """ECS ends daemons on an instance that is drained, and starts them anew."""
    daemons = after(daemon(1))
    read(daemons, 1, 2, at_s=-1_800)
    read(daemons, 1, 2, at_s=-900, status="DRAINING")
    read(daemons, 1, 2)
    assert kept(daemons, 2) == ASK


def test_their_footprint_is_that_of_all_services_seen_anywhere() -> None:
    """Each once: every instance is to hold one task of each."""
    assert after(daemon(1), daemon(2), daemon(2, "metrics")).footprint() == ASK.times(2)
    assert after().footprint() == NOTHING


def test_a_service_that_is_named_is_one() -> None:
    """Whatever ECS says of it, or may not be asked."""
    assert after(daemon(1, "named", daemon=False)).count(instance_arn(1)) == 1
