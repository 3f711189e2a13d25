"""What a whole service tells of itself, on a virtual clock."""

from dataclasses import dataclass, field

from scheduler.bootstrap import Engine, build_engine
from scheduler.core.model.policy import Policy
from scheduler.ports.telemetry import Metric, Title
from scheduler.services.reporter import Reporting
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import MOST, VirtualService
from tests.services.telling import Recorder, by_tag

SMALL_GROUP = SimulationSettings(min_size=1, max_size=3, desired_capacity=1)
TWO_AT_LEAST = SimulationSettings(min_size=2, max_size=3, desired_capacity=2)
PATIENT = Policy(cluster_poll_ms=15_000, eager_poll_ms=5_000)

BEYOND_THE_BURST = {
    Metric.AWS_CALLS,
    Metric.AWS_ERRORS,
    Metric.AWS_THROTTLES,
    Metric.DROPPED,
    Metric.RESERVATION_HITS,
}
"""What boto3 and the sender count, and what nobody has reserved."""


@dataclass
class TellingService(VirtualService):
    """A service that tells a recorder."""

    simulation: SimulationSettings = field(default_factory=lambda: SMALL_GROUP)
    told: Recorder = field(default_factory=Recorder)

    def _engine(self) -> Engine:
        return build_engine(
            self.settings,
            clock=self.clock,
            ids=self.ids,
            cloud=self.cloud,
            store=self.store,
            reporting=Reporting(self.told, lambda: 0.0),
        )


def test_a_burst_is_told_from_its_queue_to_its_end() -> None:
    """Every metric of the loop, growth, the clamp, and at last the removal of what is idle."""
    service = TellingService()
    service.submit(6, MOST)
    assert service.finish()
    service.let_pass(20)
    assert {each.metric for each in service.told.samples} == set(Metric) - BEYOND_THE_BURST
    assert set(service.told.titles()) == {
        Title.GROUP_GROWN,
        Title.GROUP_AT_MAX_SIZE,
        Title.CONDITION_ENDED,
        Title.INSTANCE_REMOVED,
    }
    assert len(service.told.values(Metric.TIME_TO_RUNNING)) == 6
    assert by_tag(service.told.samples, Metric.QUEUE_DEPTH) == {"bamboo": 0}


def test_the_parts_of_the_way_to_running_add_up() -> None:
    """Nothing of it is lost between them."""
    service = TellingService()
    service.submit(3)
    assert service.finish()
    parts = (Metric.TIME_QUEUED, Metric.TIME_LAUNCHING, Metric.TIME_STARTING)
    values = zip(*(service.told.values(each) for each in parts), strict=True)
    totals = service.told.values(Metric.TIME_TO_RUNNING)
    assert [round(sum(each), 3) for each in values] == [round(each, 3) for each in totals]


def test_no_tag_ever_names_a_task_an_instance_or_a_build() -> None:
    """Each would be a series of its own, kept and paid for."""
    service = TellingService()
    service.submit(6, MOST)
    assert service.finish()
    service.let_pass(20)
    tags = {each.tag for each in service.told.samples}
    ids = {task.task_id for task in service.tasks()} | {task.build_key for task in service.tasks()} - {""}
    ids |= {each["ec2InstanceId"] for each in service.account.instances()}
    assert not tags & ids
    assert len(tags) <= 12


def test_an_instance_whose_agent_is_lost_has_the_known_title() -> None:
    """Users' monitors match it; what is done on the way is no news of its own."""
    service = TellingService(simulation=TWO_AT_LEAST, policy=PATIENT)
    assert service.run_until(lambda: service.engine.loop.digest.idle == 2)
    service.account.set_agent_connected(service.members()[0], False)
    service.let_pass(30)
    assert service.told.titles() == [Title.DISCONNECTED_REPLACED]


def test_an_instance_that_never_joins_has_the_known_title() -> None:
    """It is told of when it is replaced."""
    service = TellingService(policy=PATIENT)
    assert service.run_until(lambda: service.engine.loop.digest.idle == 1)
    service.account.set_next_launches_never_join(1)
    service.submit(2, MOST)
    assert service.run_until(lambda: len(service.told.titles()) == 2, limit_minutes=20)
    assert service.told.titles() == [Title.GROUP_GROWN, Title.NEVER_JOINED_REPLACED]


def test_launches_that_fail_are_told_one_by_one() -> None:
    """Each with the reason that AWS gave."""
    service = TellingService(policy=PATIENT)
    assert service.run_until(lambda: service.engine.loop.digest.idle == 1)
    service.account.fail_launches(2, "no capacity")
    service.submit(3, MOST)
    assert service.finish()
    failed = [each.text for each in service.told.notices if each.title is Title.LAUNCH_FAILED]
    assert len(failed) == 2
    assert all("no capacity" in each for each in failed)


def test_a_service_that_only_looks_tells_of_no_acts() -> None:
    """It counts and measures, and replaces nothing."""
    service = TellingService(simulation=TWO_AT_LEAST, observe_only=True)
    service.submit(2)
    service.let_pass(5)
    assert Title.GROUP_GROWN not in service.told.titles()
    assert by_tag(service.told.samples, Metric.QUEUE_DEPTH) == {"bamboo": 2}


def test_a_crash_forgets_no_queue() -> None:
    """The next life tells of the tasks that the store kept."""
    service = TellingService()
    service.submit(40, MOST)
    service.let_pass(1)
    service.told.samples.clear()
    service.driver.crash()
    service.let_pass(1)
    assert by_tag(service.told.samples, Metric.QUEUE_DEPTH)["bamboo"] > 30
