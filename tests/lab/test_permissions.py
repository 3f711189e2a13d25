"""Permissions, taken away one at a time: the service works on, does less, and says so once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs

from scheduler.adapters.aws.consoles import AwsConsoles
from scheduler.adapters.aws.container_logs import AwsContainerLogs
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import Container, ContainersSpec, TaskState
from scheduler.ports.logs import LogPlace, LogsDenied, LogSource
from scheduler.simulated_aws.callers import Caller
from scheduler.simulated_aws.group_features import CapacityProvider
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.daemons import start_task_of_a_service
from tests.lab.oracle import harms
from tests.lab.registries import pass_days
from tests.lab.worlds import FAMILY, MOST, REGULAR, VirtualService
from tests.policies import deployed, log_clients_of, proposed

PROVIDED = SimulationSettings(
    min_size=1,
    max_size=3,
    desired_capacity=1,
    capacity_providers=(CapacityProvider(name="ci", managed_scaling=False),),
    daemon_services=("router",),
)
ROLE = "arn:aws:iam::123456789012:role/ci-agent-build"
HAZARDS = "HAZARDS_UNREADABLE"


def a_month_later(service: VirtualService) -> None:
    """What nobody used is of no use any more."""
    pass_days(service, 32)


def with_a_lost_store(service: VirtualService) -> None:
    """The family is looked through for what the store knew."""
    service.wipe()
    service.let_pass(5)


def with_a_ghost(service: VirtualService) -> None:
    """An agent registers anew, and its old registration stays behind."""
    service.account.reregister(service.members()[0])
    service.let_pass(10)


def as_it_is(_: VirtualService) -> None:
    """Nothing more than growing, working and shrinking."""


@dataclass(frozen=True)
class Absence:
    """The condition that tells of a missing action, and what brings it about."""

    condition: str
    story: Callable[[VirtualService], None] = as_it_is


ABSENCES = {
    "ecs:DescribeClusters": Absence(HAZARDS),
    "ecs:DescribeCapacityProviders": Absence(HAZARDS),
    "autoscaling:DescribePolicies": Absence(HAZARDS),
    "autoscaling:DescribeScheduledActions": Absence(HAZARDS),
    "autoscaling:DescribeInstanceRefreshes": Absence(HAZARDS),
    "autoscaling:DescribeScalingActivities": Absence("LAUNCHES_UNREADABLE"),
    "autoscaling:SuspendProcesses": Absence("AZ_REBALANCE_NOT_SUSPENDED"),
    "ecs:DeregisterContainerInstance": Absence("INSTANCES_NOT_DEREGISTERED", with_a_ghost),
    "ecs:ListTaskDefinitions": Absence("REVISIONS_UNLISTED"),
    "ecs:DescribeTaskDefinition": Absence("REVISIONS_UNREADABLE", with_a_lost_store),
    "ecs:DeregisterTaskDefinition": Absence("REVISIONS_NOT_DEREGISTERED", a_month_later),
}

TOLD_OTHERWISE = {
    "ecs:DescribeServices": "in the log, and by FOREIGN_TASKS where a daemon runs",
    "iam:PassRole": "to whoever asked for a role: his task fails with AWS's words",
    "logs:GetLogEvents": "to whoever follows a log",
    "logs:CreateLogStream": "with the evidence of the sick instance",
    "logs:PutLogEvents": "with the evidence of the sick instance",
    "ec2:GetConsoleOutput": "with the evidence of the sick instance",
}


def bereft(action: str) -> VirtualService:
    """A service that may do everything but this."""
    return VirtualService(simulation=PROVIDED, iam=deployed(PROVIDED, family=FAMILY, without=action))


def test_the_absence_of_every_optional_action_is_tried() -> None:
    """An optional action that nobody takes away may turn out to be none."""
    optional = {action for action, sid in proposed() if sid.startswith("Optional")}
    assert optional == ABSENCES.keys() | TOLD_OTHERWISE.keys()


@pytest.mark.parametrize("action", sorted(ABSENCES))
def test_without_an_optional_action_everything_runs_and_it_is_told_once(action: str) -> None:
    """Growth, work and shrinking go on; a condition begins that names the action, and never anew.

    Each condition that begins is one line of the service's log and one event of WatchScaling.
    """
    absence = ABSENCES[action]
    service = bereft(action)
    service.submit(3, MOST)
    assert service.finish(limit_minutes=90)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=60)
    absence.story(service)
    begun = service.log(ScalingKind.CONDITION_BEGAN)
    told = [each.message for each in begun if each.code == absence.condition]
    assert len(told) == 1
    assert action in told[0]
    assert set(service.states()) <= {TaskState.SUCCEEDED}
    assert (harms(service.account.journal), service.strays()) == ([], [])


def test_without_passrole_only_tasks_with_roles_fail() -> None:
    """With AWS's words, at once; the others run."""
    service = bereft("iam:PassRole")
    spec = ContainersSpec(
        containers=(Container(name="agent", image="agent:1", resources=REGULAR),), task_role_arn=ROLE
    )
    service.submit(1, spec=spec)
    service.submit(2)
    assert service.finish()
    with_role, *others = service.tasks()
    reason = with_role.status.stop_reason
    assert reason is not None
    assert reason.category is StopCategory.REJECTED
    assert "iam:PassRole" in reason.message
    assert {each.status.state for each in others} == {TaskState.SUCCEEDED}


def test_with_passrole_a_role_of_ours_is_passed() -> None:
    """The policy names the roles."""
    service = VirtualService()
    spec = ContainersSpec(
        containers=(Container(name="agent", image="agent:1", resources=REGULAR),), task_role_arn=ROLE
    )
    service.submit(1, spec=spec)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 1}


def test_without_describeservices_a_daemon_is_somebody_elses_task() -> None:
    """Its instance is busy; a line of the log says so once, and builds go on."""
    service = bereft("ecs:DescribeServices")
    with capture_logs() as logs:
        start_task_of_a_service(service, "router")
        service.submit(3, MOST)
        assert service.finish(limit_minutes=90)
    assert [each["event"] for each in logs].count("daemons.undescribed") == 1
    assert "FOREIGN_TASKS" in service.conditions()
    assert service.states() == {TaskState.SUCCEEDED: 3}


@pytest.mark.parametrize("action", ["logs:GetLogEvents", "ecs:DescribeTaskDefinition"])
def test_a_log_that_may_not_be_read_names_the_action(action: str) -> None:
    """The caller of TailLogs is told which; builds do not notice."""
    service = bereft(action)
    service.account.call("ecs", "RegisterTaskDefinition", AWSLOGS_DEFINITION)
    clients = log_clients_of(Caller(service.account, deployed(PROVIDED, family=FAMILY, without=action)))
    source = LogSource(task_definition_arn=f"{FAMILY}:1", ecs_task_arn="task/ci/1", container="agent")
    with pytest.raises(LogsDenied, match=action):
        AwsContainerLogs(clients).read(source, LogPlace(), 10)


@pytest.mark.parametrize("action", ["ec2:GetConsoleOutput", "logs:CreateLogStream", "logs:PutLogEvents"])
def test_a_console_that_may_not_be_kept_says_why(action: str) -> None:
    """What could be read is there all the same."""
    service = VirtualService(simulation=replace(PROVIDED, instance_types=("m5.4xlarge",)))
    service.let_pass(10)
    clients = log_clients_of(Caller(service.account, deployed(PROVIDED, without=action)))
    evidence = AwsConsoles(clients, group="ci-agents").save(service.members()[0])
    assert f"not authorized to perform: {action}" in evidence.problem
    assert bool(evidence.output) == (action != "ec2:GetConsoleOutput")


def test_nothing_of_the_service_is_refused_with_the_whole_policy() -> None:
    """It asks for nothing that it may not do."""
    service = VirtualService(simulation=PROVIDED)
    service.submit(3, MOST)
    assert service.finish(limit_minutes=90)
    assert list(service.account.journal.of(Effect.ACCESS_DENIED)) == []


AWSLOGS_DEFINITION = {
    "family": FAMILY,
    "containerDefinitions": [
        {
            "name": "agent",
            "image": "agent:1",
            "memory": 100,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "ci-agents", "awslogs-stream-prefix": "ci"},
            },
        }
    ],
}
