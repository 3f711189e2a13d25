"""Cases M on instances: edges of time, batches with one bad id, duplicates, daemons and warm pools."""

from dataclasses import replace

import pytest

from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.core.world.arrivals import Arrivals
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from tests.builders import a_member, ec2_id
from tests.clocks import START_MS
from tests.conformance.scenes import DAY, Scene, Used
from tests.conformance.sick import PATIENT, a_service, detach, occupants, share
from tests.lab.oracle import acts, detached, lowered
from tests.lab.worlds import CLUSTER, FAMILY, MINUTE_MS, VirtualService

ONE = ec2_id(1)


def away_for(minutes: float, *, back_after: float | None = None) -> VirtualService:
    """A group of three of which one's agent is away for so long, or back for a moment in between."""
    service = a_service(3)
    ec2_id = service.members()[0]
    service.account.set_agent_connected(ec2_id, False)
    if back_after is not None:
        service.let_pass(back_after)
        service.account.set_agent_connected(ec2_id, True)
        service.let_pass(0.5)
        service.account.set_agent_connected(ec2_id, False)
        minutes -= back_after + 0.5
    service.let_pass(minutes)
    return service


@pytest.mark.parametrize(("seconds", "lost"), [(19 * 60 + 59, False), (20 * 60 + 30, True)])
def test_m03_an_agent_is_lost_after_twenty_minutes_and_not_a_second_before(seconds: int, lost: bool) -> None:
    """In one piece, from the reading that first shows it to one that still does: these are 10 s apart."""
    ends = detached(away_for(seconds / 60).account.journal, decrement=False)
    assert (len(ends) == 1) is lost


def test_m03_a_moment_of_connection_begins_the_twenty_minutes_anew() -> None:
    """Whenever it comes back."""
    assert detached(away_for(22, back_after=10).account.journal, decrement=False) == []


@pytest.mark.parametrize(("age_minutes", "expected"), [(1, True), (49, True), (51, False), (DAY, False)])
def test_m04_the_window_in_which_a_member_never_joined(age_minutes: float, expected: bool) -> None:
    """Up to 50 minutes old when it was first missed; differs from the seed: five minutes count from then."""
    scene = Scene((Used(50, 50),))
    scene.account.set_next_launches_never_join(1)
    scene.account.set_desired(2)
    scene.pass_ms(int(age_minutes * MINUTE_MS))
    scene.play(minutes=10)
    ends = [each.code for each in scene.service.log(ScalingKind.TERMINATE)]
    assert ends == [RemovalCause.NEVER_JOINED] * expected


def test_m04_five_minutes_without_it_and_not_less() -> None:
    """Three listings in less time are not enough. The rule alone: the loop reads seconds apart."""
    arrivals = Arrivals(PATIENT)
    for at_ms in (0, 150_000, 299_999):
        arrivals.see({ONE: a_member(1)}, (), START_MS + at_ms, anew=True)
    assert list(arrivals.overdue()) == []


def order_of_ends(service: VirtualService) -> list[str]:
    """What was done to end instances, in order."""
    kinds = (
        Effect.CONTAINER_INSTANCE_STATE_CHANGE,
        Effect.DETACH_INSTANCES,
        Effect.INSTANCE_TERMINATING,
    )
    return [each for each in acts(service.account.journal) if each in kinds]


def test_m15_a_healthy_instance_is_drained_detached_and_terminated_in_this_order() -> None:
    """Replaces the seed's deregister, detach, terminate: draining first lets nothing be lost."""
    service = a_service(2, min_size=1)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=20)
    assert order_of_ends(service) == [
        Effect.CONTAINER_INSTANCE_STATE_CHANGE,
        Effect.DETACH_INSTANCES,
        Effect.INSTANCE_TERMINATING,
    ]


def test_m15_a_disconnected_one_is_not_drained() -> None:
    """There is nobody to drain; it is detached without decrement and terminated."""
    service = a_service(3)
    service.account.set_agent_connected(service.members()[0], False)
    service.let_pass(40)
    assert order_of_ends(service) == [Effect.DETACH_INSTANCES, Effect.INSTANCE_TERMINATING]


def test_m16_one_bad_id_never_fails_the_others() -> None:
    """A batch that EC2 refuses as a whole is sent one by one, and the refused one is told."""
    service = a_service(4, min_size=1)
    service.account.faults.add(
        Fault(
            operation="TerminateInstances",
            kind="error_before",
            code="OperationNotPermitted",
            http_status=400,
            count=2,
        )
    )
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert (service.strays(), lowered(service.account.journal)) == ([], [])
    assert any(each.code == "INSTANCES_NOT_TERMINATED" for each in service.log(ScalingKind.CONDITION_BEGAN))


def test_m39_a_draining_instance_is_no_capacity() -> None:
    """Neither for placing nor for buying: members able to work, and what is needed, is what is asked for."""
    service = a_service(2, min_size=1)
    service.submit(1, share(90, 90))
    service.let_pass(1)
    idle = next(each for each in service.members() if each != occupants(service)[0])
    arn = next(
        each["containerInstances"][0]["containerInstanceArn"]
        for each in service.account.instances()
        if each["ec2InstanceId"] == idle
    )
    drain(service, arn)
    service.submit(1, share(20, 20))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=10)
    assert (service.desired, idle in occupants(service)) == (3, False)


def drain(service: VirtualService, arn: str) -> None:
    """Somebody else does."""
    service.account.call(
        "ecs",
        "UpdateContainerInstancesState",
        {"cluster": CLUSTER, "containerInstances": [arn], "status": "DRAINING"},
    )
    service.let_pass(0.5)


def test_m42_of_two_registrations_of_one_instance_the_connected_one_is_used() -> None:
    """Never an error: the task runs under the new ARN, and the old one is deregistered."""
    service = a_service(1)
    twice = service.members()[0]
    service.account.reregister(twice)
    service.submit(1, share(90, 90))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 1, limit_minutes=5)
    assert (occupants(service), service.desired) == ([twice], 1)
    (row,) = service.instances()
    assert service.run_until(lambda: len(service.engine.loop._world.fleet.instances) == 1, limit_minutes=30)
    assert detached(service.account.journal, decrement=False) == []
    assert row["ec2InstanceId"] == twice


def test_m43_an_instance_outside_the_group_is_terminated_without_a_detach() -> None:
    """The seed deregisters it and lets it run on."""
    service = a_service(3, min_size=2)
    stranger = service.members()[0]
    detach(service, stranger)
    service.let_pass(20)
    assert stranger not in [each["ec2InstanceId"] for each in service.instances()]
    assert detached(service.account.journal, decrement=True) == [stranger], "by the operator"


def test_m44_a_group_at_its_min_size_loses_nobody() -> None:
    """Nothing is drained, detached or told, however long both are idle."""
    service = a_service(2)
    service.let_pass(120)
    assert len(service.members()) == 2
    assert service.log(ScalingKind.DRAIN, ScalingKind.DETACH) == []


DAEMON = "log-router"


def play_daemon(service: VirtualService, *, cpu: int = 64, memory_mib: int = 128) -> None:
    """ECS's part: one task of the daemon service on each ACTIVE instance that has none."""
    registered = service.account.call(
        "ecs",
        "RegisterTaskDefinition",
        {
            "family": f"{FAMILY}-daemon",
            "containerDefinitions": [
                {
                    "name": "router",
                    "image": "router:1",
                    "cpu": cpu,
                    "memory": memory_mib,
                    "environment": [{"name": "SIMULATED_RUN_MS", "value": "86400000"}],
                }
            ],
        },
    )
    for each in service.account.instances():
        for instance in each["containerInstances"]:
            start_daemon(
                service, instance["containerInstanceArn"], registered["taskDefinition"]["taskDefinitionArn"]
            )


def start_daemon(service: VirtualService, arn: str, definition: str) -> None:
    service.account.call(
        "ecs",
        "StartTask",
        {
            "cluster": CLUSTER,
            "taskDefinition": definition,
            "containerInstances": [arn],
            "group": f"service:{DAEMON}",
            "startedBy": "ecs-svc/1",
        },
    )


@pytest.mark.parametrize(("daemons", "remain"), [((DAEMON,), 1), ((), 3)])
def test_m53_an_instance_with_nothing_but_daemons_is_idle(daemons: tuple[str, ...], remain: int) -> None:
    """It goes as if it were empty; a task of any other service makes it busy for good."""
    service = a_service(3, min_size=1, daemon_services=daemons)
    play_daemon(service)
    service.let_pass(15)
    assert len(service.members()) == remain
    assert ("FOREIGN_TASKS" in service.conditions()) is not bool(daemons)


def test_m53_a_role_that_may_not_describe_services_names_the_daemons() -> None:
    """`daemon_services` says what ECS is not asked for."""
    service = a_service(3, min_size=1, policy=replace(PATIENT, daemon_services=(DAEMON,)))
    service.account.faults.add(
        Fault(
            operation="DescribeServices",
            kind="error_before",
            code="AccessDeniedException",
            http_status=400,
            count=10_000,
        )
    )
    play_daemon(service)
    service.let_pass(15)
    assert len(service.members()) == 1


def test_m53_a_fresh_instance_waits_for_its_daemons_and_keeps_their_room() -> None:
    """A build that fills the rest of it leaves them theirs; nobody waits longer than the grace."""
    service = a_service(1, daemon_services=(DAEMON,), max_size=3)
    play_daemon(service, cpu=1_024, memory_mib=4_000)
    service.let_pass(2)
    service.submit(2, share(90, 90))
    assert service.run_until(lambda: service.desired == 2, limit_minutes=2)
    fleet = service.engine.loop._world.fleet
    assert service.run_until(lambda: len(fleet.instances) == 2, limit_minutes=5)
    registered_ms = service.clock.now_ms()
    assert service.run_until(lambda: service.states()[TaskState.ASSIGNED] == 1, limit_minutes=6)
    waited_ms = service.clock.now_ms() - registered_ms
    assert 0.5 * MINUTE_MS <= waited_ms <= PATIENT.daemon_grace_ms + 2 * PATIENT.cluster_poll_ms


def test_m53_a_fresh_instance_with_its_daemons_waits_no_longer() -> None:
    """ECS counts them at once: nobody waits for the next census."""
    service = a_service(1, daemon_services=(DAEMON,), max_size=3)
    play_daemon(service)
    service.let_pass(2)
    service.submit(2, share(90, 90))
    fleet = service.engine.loop._world.fleet
    assert service.run_until(lambda: len(fleet.instances) == 2, limit_minutes=5)
    registered_ms = service.clock.now_ms()
    play_daemon(service)
    assert service.run_until(lambda: len(occupants(service)) == 2, limit_minutes=6)
    assert service.clock.now_ms() - registered_ms < 0.5 * MINUTE_MS


@pytest.mark.parametrize("state", ["Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated", "Warmed:Pending"])
def test_a_warmed_member_is_owned_no_capacity_and_never_never_joined(state: str) -> None:
    """The group keeps it for later: nothing is awaited of it. Whole pools: `tests/lab/test_warm_pool.py`."""
    arrivals = Arrivals(PATIENT)
    members = {ONE: a_member(1, lifecycle_state=state)}
    for minute in range(30):
        arrivals.see(members, (), START_MS + minute * MINUTE_MS, anew=True)
    assert list(arrivals.overdue()) == []
