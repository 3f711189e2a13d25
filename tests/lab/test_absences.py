"""What is absent: ghosts in ECS, members that never join, launches that fail, gaps in AWS's lists."""

from itertools import pairwise

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import acts, detached, harms, lowered
from tests.lab.worlds import MINUTE_MS, MOST, VirtualService

PATIENT = Policy(cluster_poll_ms=15_000, eager_poll_ms=5_000)
NO_ROOM = "We currently do not have sufficient m4.4xlarge capacity"


def a_service(size: int, *, run_minutes: int = 60, policy: Policy = PATIENT) -> VirtualService:
    """As many idle instances as the group is to have at least."""
    simulation = SimulationSettings(
        min_size=size,
        max_size=size + 5,
        desired_capacity=size,
        run_ms=(run_minutes * MINUTE_MS, run_minutes * MINUTE_MS),
    )
    service = VirtualService(simulation=simulation, policy=policy)
    assert service.run_until(lambda: service.engine.loop.digest.idle == size)
    service.let_pass(1)
    return service


def deregistered(service: VirtualService) -> list[int]:
    """When ECS was made to forget container instances, in minutes."""
    times = service.account.journal.of(Effect.CONTAINER_INSTANCE_DEREGISTERED)
    return [entry["time_ms"] // MINUTE_MS for entry in times]


def registrations(service: VirtualService, ec2_id: str) -> int:
    """How many container instances ECS lists for an EC2 instance."""
    rows = {each["ec2InstanceId"]: each["containerInstances"] for each in service.account.instances()}
    return len(rows.get(ec2_id, ()))


def test_an_agent_that_registers_anew_leaves_nothing_behind() -> None:
    """The old ARN is deregistered, the new one works, the instance stays."""
    service = a_service(2)
    ec2_id = service.members()[0]
    service.account.reregister(ec2_id)
    assert service.run_until(lambda: registrations(service, ec2_id) == 1, limit_minutes=5)
    service.submit(2, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=5)
    assert len(service.members()) == 2
    assert detached(service.account.journal, decrement=False) == []


def test_a_task_under_an_old_arn_is_waited_for_and_then_given_up() -> None:
    """ECS shows it RUNNING for good: its room is taken for as long as a lost agent is waited for."""
    service = a_service(2, run_minutes=10)
    service.submit(1, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 1, limit_minutes=5)
    ec2_id = service.tasks()[0].attempts[-1].ec2_instance_id
    service.account.reregister(ec2_id)
    service.submit(2, MOST)
    service.let_pass(15)
    assert registrations(service, ec2_id) == 2
    assert ec2_id not in {task.attempts[-1].ec2_instance_id for task in service.tasks()[1:]}
    assert service.run_until(lambda: registrations(service, ec2_id) == 1, limit_minutes=10)
    assert service.finish(limit_minutes=30)
    first, *others = service.tasks()
    assert first.status.stop_reason is not None
    assert first.status.stop_reason.category is StopCategory.INSTANCE_LOST
    assert {each.status.state for each in others} == {TaskState.SUCCEEDED}
    assert ec2_id in service.members()


def test_ghosts_are_deregistered_a_few_at_a_time() -> None:
    """Five end in EC2 behind disconnected agents: ECS forgets one in ten minutes, and none is missed."""
    service = a_service(6)
    ended = service.members()[:5]
    for each in ended:
        service.account.set_agent_connected(each, False)
        service.account.terminate_instance(each)
    assert service.run_until(lambda: len(deregistered(service)) == 5, limit_minutes=60)
    minutes = deregistered(service)
    assert all(later - sooner >= 9 for sooner, later in pairwise(minutes))
    assert len(service.members()) == 6
    assert detached(service.account.journal, decrement=False) == []


def test_an_instance_that_never_joins_is_replaced() -> None:
    """Ended by name and without decrement; the group launches another."""
    service = a_service(1)
    service.account.set_next_launches_never_join(1)
    service.submit(2, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=20)
    removed = service.log(ScalingKind.TERMINATE)
    assert [each.code for each in removed] == ["NEVER_JOINED"]
    assert service.desired == 2
    assert lowered(service.account.journal) == []


def test_replacing_what_never_joins_has_an_end() -> None:
    """Ten in an hour: then it is the image, no more are replaced, and a condition says so."""
    service = a_service(1, policy=Policy(max_replacements_per_hour=3, eager_poll_ms=5_000))
    service.account.set_next_launches_never_join(1_000)
    service.submit(2, MOST)
    assert service.run_until(lambda: "INSTANCES_NEVER_JOIN" in service.conditions(), limit_minutes=60)
    service.let_pass(20)
    assert len(service.log(ScalingKind.TERMINATE)) == 3


def test_failed_launches_are_told_once_each_and_growth_rests() -> None:
    """Three lines for three, by a restarted service too, and no more asks; then the work goes on."""
    service = a_service(1, run_minutes=3)
    service.account.fail_launches(3, NO_ROOM)
    service.submit(4, MOST)
    assert service.run_until(lambda: len(service.log(ScalingKind.LAUNCH_FAILED)) == 3, limit_minutes=20)
    service.let_pass(0.1)
    assert NO_ROOM in service.conditions()["LAUNCHES_FAIL"]
    assert service.desired == 4
    service.driver.crash()
    assert service.finish(limit_minutes=60)
    service.let_pass(1)
    assert len(service.log(ScalingKind.LAUNCH_FAILED)) == 3
    assert len(service.log(ScalingKind.GROW)) == 1
    assert "LAUNCHES_FAIL" not in service.conditions()


def test_launches_that_failed_before_a_service_began_are_not_its_news() -> None:
    """A group remembers its activities for weeks; a new store knows none of them."""
    old = a_service(1, run_minutes=3)
    old.account.fail_launches(1, NO_ROOM)
    old.submit(2, MOST)
    assert old.finish(limit_minutes=60)
    old.let_pass(5)
    new = VirtualService(seed=1, beside=old)
    new.let_pass(3)
    new.submit(3, MOST)
    assert new.finish(limit_minutes=60)
    assert new.log(ScalingKind.LAUNCH_FAILED) == []


def test_a_gap_in_the_list_of_instances_strands_none() -> None:
    """A draining instance is left out of a list or two: it is not forgotten in DRAINING."""
    service = VirtualService(simulation=SimulationSettings(min_size=1, max_size=4, desired_capacity=2))
    assert service.run_until(lambda: any(each.step is RemovalStep.DRAINING for each in service.removals()))
    service.account.faults.add(Fault(operation="ListContainerInstances", kind="partial", count=2))
    service.let_pass(2)
    service.submit(2, MOST)
    assert service.finish(limit_minutes=60)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert (harms(service.account.journal), service.strays()) == ([], [])


def test_gaps_in_the_list_of_instances_remove_nothing() -> None:
    """A third of them is missing from each list, for half an hour: all stay."""
    simulation = SimulationSettings(
        min_size=6, max_size=8, desired_capacity=6, container_instance_gap_share=0.3
    )
    service = VirtualService(simulation=simulation, policy=PATIENT)
    service.let_pass(2)
    before = len(service.account.journal.entries)
    service.let_pass(30)
    assert acts(service.account.journal, since=before) == []
