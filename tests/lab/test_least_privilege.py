"""Least privilege: whole services use every action that the proposed policy allows, and no other.

Every service of the lab runs under that policy, as the demo does, so nothing that is used is missing from it.
Here is the other way: the policies of some runs write down what they are asked for.
"""

from scheduler.adapters.aws.consoles import AwsConsoles
from scheduler.adapters.aws.container_logs import AwsContainerLogs
from scheduler.core.model.task import Container, ContainersSpec
from scheduler.ports.logs import LogPlace, LogSource
from scheduler.simulated_aws.callers import Caller
from scheduler.simulated_aws.group_features import CapacityProvider
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.daemons import start_task_of_a_service
from tests.lab.registries import pass_days
from tests.lab.worlds import FAMILY, MOST, REGULAR, VirtualService
from tests.policies import deployed, log_clients_of, proposed

PROVIDED = SimulationSettings(
    min_size=1,
    max_size=3,
    desired_capacity=1,
    instance_types=("m5.4xlarge",),
    capacity_providers=(CapacityProvider(name="ci", managed_scaling=False),),
    daemon_services=("router",),
)
CONFIGURED = SimulationSettings(desired_capacity=1, launch_source="launch_configuration")
ROLE = "arn:aws:iam::123456789012:role/ci-agent-build"
CONTAINERS = (Container(name="agent", image="agent:1", resources=REGULAR),)


def asked_in_a_life() -> set[str]:
    """A daemon, growth, a role, a cancellation, shrinking, a ghost, a lost store, a month of rest."""
    policy = deployed(PROVIDED, family=FAMILY)
    service = VirtualService(simulation=PROVIDED, iam=policy)
    start_task_of_a_service(service, "router")
    service.submit(3, MOST)
    service.submit(1, spec=ContainersSpec(containers=CONTAINERS, task_role_arn=ROLE))
    service.let_pass(3)
    service.cancel(service.tasks()[0].task_id)
    assert service.finish(limit_minutes=90)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=60)
    service.account.reregister(service.members()[0])
    service.let_pass(10)
    service.wipe()
    service.let_pass(5)
    pass_days(service, 32)
    assert list(service.account.journal.of(Effect.ACCESS_DENIED)) == []
    return policy.asked


def asked_for_a_launch_configuration() -> set[str]:
    """The older way to say what a group launches."""
    policy = deployed(CONFIGURED, family=FAMILY)
    VirtualService(simulation=CONFIGURED, iam=policy).let_pass(2)
    return policy.asked


def asked_for_logs_and_consoles() -> set[str]:
    """What a container wrote, and what an instance said."""
    policy = deployed(PROVIDED, family=FAMILY)
    service = VirtualService(simulation=PROVIDED)
    service.let_pass(10)
    service.account.call("ecs", "RegisterTaskDefinition", _logging_definition())
    clients = log_clients_of(Caller(service.account, policy))
    evidence = AwsConsoles(clients, group="ci-agents").save(service.members()[0])
    assert evidence.problem == ""
    clients.logs_in("eu-west-1").create_log_stream(logGroupName="ci-agents", logStreamName="ci/agent/1")
    source = LogSource(task_definition_arn=f"{FAMILY}:1", ecs_task_arn="task/ci/1", container="agent")
    AwsContainerLogs(clients).read(source, LogPlace(), 10)
    return policy.asked


def test_what_is_allowed_is_used_and_what_is_used_is_allowed() -> None:
    """Both ways, action by action."""
    used = asked_in_a_life() | asked_for_a_launch_configuration() | asked_for_logs_and_consoles()
    allowed = {action for action, _ in proposed()}
    assert sorted(used - allowed) == []
    assert sorted(allowed - used) == []


def _logging_definition() -> dict[str, object]:
    options = {"awslogs-group": "ci-agents", "awslogs-stream-prefix": "ci"}
    logs = {"logDriver": "awslogs", "options": options}
    containers = [{"name": "agent", "image": "agent:1", "memory": 100, "logConfiguration": logs}]
    return {"family": FAMILY, "containerDefinitions": containers}
