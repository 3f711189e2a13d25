"""What holds the service: somebody else's group, a second scheduler, an operator who only wants to look."""

from collections.abc import Sequence

from scheduler.core.model.policy import Policy
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import acts, detached, harms
from tests.lab.worlds import CLUSTER, GROUP, MINUTE_MS, MOST, VirtualService, let_pass_together

BUSY = SimulationSettings(min_size=1, max_size=8, desired_capacity=3)
LONG = (20 * MINUTE_MS, 25 * MINUTE_MS)


def marks_of(service: VirtualService, others: Sequence[VirtualService]) -> list[int]:
    """For each start on the account, the index of the scheduler whose mark it carries."""
    epochs = [each.store.epoch for each in others]
    starts = service.account.journal.of(Effect.START_TASK)
    return [epochs.index(entry["tags"]["ecs-scheduler:epoch"]) for entry in starts]


def a_service_of_another_group() -> VirtualService:
    """The cluster's two instances are in another group, and the group's three in another cluster."""
    service = VirtualService(
        simulation=SimulationSettings(min_size=0, max_size=8, desired_capacity=2),
        policy=Policy(eager_poll_ms=5_000),
    )
    service.account.call(
        "autoscaling",
        "DetachInstances",
        {
            "AutoScalingGroupName": GROUP,
            "InstanceIds": service.members(),
            "ShouldDecrementDesiredCapacity": True,
        },
    )
    service.account.set_next_launches_never_join(3)
    service.account.set_desired(3)
    service.clock.advance_ms(2 * MINUTE_MS)
    return service


def test_a_group_that_is_not_in_the_cluster_is_left_alone() -> None:
    """None of its members registers: no act at all, and a condition that names both."""
    service = a_service_of_another_group()
    before = len(service.account.journal.entries)
    service.submit(3)
    service.let_pass(40)
    assert acts(service.account.journal, since=before) == []
    message = service.conditions()["GROUP_NOT_IN_CLUSTER"]
    assert f"group {GROUP} " in message
    assert f"cluster {CLUSTER}, where 2 others are" in message


def test_a_cluster_that_does_not_exist_is_left_alone() -> None:
    """Nothing of it can be read: no act at all."""
    service = VirtualService(simulation=BUSY, cluster="other")
    service.submit(3)
    service.let_pass(20)
    assert acts(service.account.journal)[1:] == []
    assert "CONTAINER_INSTANCES_UNREADABLE" in service.conditions()


def test_what_is_observed_is_told_once_and_not_done() -> None:
    """Observe-only: no act, and the scaling log has what would be done, each once."""
    service = VirtualService(simulation=BUSY, observe_only=True)
    service.submit(6, MOST)
    service.let_pass(30)
    assert acts(service.account.journal)[1:] == []
    assert service.states() == {TaskState.QUEUED: 6}
    assert service.run_until(lambda: service.states() == {TaskState.EXPIRED: 6}, limit_minutes=5)
    service.let_pass(10)
    assert acts(service.account.journal)[1:] == []
    told = [each for each in service.log() if each.held]
    assert {each.held for each in told} == {"OBSERVE_ONLY"}
    kinds = [each.kind for each in told]
    assert kinds.count(ScalingKind.GROW) == 1
    drained = [each.ec2_instance_id for each in told if each.kind is ScalingKind.DRAIN]
    assert len(drained) == len(set(drained)) == 2


def test_a_second_scheduler_waits_until_the_first_has_stopped() -> None:
    """Of two with one service id and two stores the later one does nothing while the first starts tasks."""
    first = VirtualService(simulation=BUSY)
    first.submit(1)
    first.let_pass(1)
    second = VirtualService(seed=1, beside=first)
    pair = (first, second)
    for _ in range(10):
        first.submit(1)
        second.submit(1)
        let_pass_together(pair, 1)
    assert set(marks_of(first, pair)) == {0}
    assert "SECOND_SCHEDULER" in second.conditions()
    assert second.states() == {TaskState.QUEUED: 10}
    before = len(first.account.journal.entries)
    second.let_pass(1)
    assert acts(first.account.journal, since=before) == []
    assert second.finish(limit_minutes=30)
    assert second.states() == {TaskState.SUCCEEDED: 10}
    assert "SECOND_SCHEDULER" not in second.conditions()
    assert harms(first.account.journal) == []


def test_a_lost_store_costs_no_task() -> None:
    """Fifty run when it is wiped: none is stopped, their room is taken, no instance goes under them."""
    simulation = SimulationSettings(min_size=1, max_size=12, desired_capacity=7, run_ms=LONG)
    service = VirtualService(simulation=simulation)
    service.submit(50)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 50, limit_minutes=10)
    service.wipe()
    service.let_pass(5)
    assert "50 tasks" in service.conditions()["FOREIGN_TASKS"]
    service.submit(10)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 10, limit_minutes=10)
    assert {task.attempts[-1].number for task in service.tasks()} == {1}
    assert service.run_until(lambda: service.has_size(1), limit_minutes=60)
    assert harms(service.account.journal) == []
    assert list(service.account.journal.of(Effect.STOP_TASK)) == []
    assert service.starts().total() == 60
    assert len(detached(service.account.journal, decrement=True)) >= 6
    assert "FOREIGN_TASKS" not in service.conditions()
