"""The cloud port's contract: the revisions of a family, found again by their tags and let go."""

import pytest

from scheduler.core.model.answers import DEFINITION_GONE
from scheduler.simulated_aws.faults import FaultKind
from tests.contract.cloud_worlds import SimulatedWorld, World, definition, failure_in

FAMILY = "agents"
TAGS = {"ecs-scheduler:config-hash": "abc", "ecs-scheduler:service": "ci/ci-agents"}


def listed(world: World, token: str = "") -> list[int]:
    """Revision numbers of a page."""
    arns = world.cloud.revisions(FAMILY, token).arns
    return [int(arn.rpartition(":")[2]) for arn in arns]


class TestRevisions:
    def test_a_family_is_listed_from_its_newest_revision(self, world: World) -> None:
        """The revisions in use are the young ones."""
        for _ in range(3):
            world.register()
        assert listed(world) == [3, 2, 1]

    def test_other_families_are_not_listed(self, world: World) -> None:
        """A prefix is a whole name."""
        world.cloud.register_task_definition(definition() | {"family": "agents-of-others"}, {})
        assert (listed(world), world.cloud.revisions(FAMILY, "").token) == ([], "")

    def test_a_large_family_comes_in_pages(self, simulated: SimulatedWorld) -> None:
        """A token leads from one to the next, and there is none behind the last."""
        simulated.account.register_revisions(FAMILY, 150)
        first = simulated.cloud.revisions(FAMILY, "")
        assert listed(simulated) + listed(simulated, first.token) == list(range(150, 0, -1))
        assert simulated.cloud.revisions(FAMILY, first.token).token == ""

    def test_tags_come_back_as_they_were_given(self, world: World) -> None:
        """They are what says whose a revision is."""
        arn = world.cloud.register_task_definition(definition(), TAGS)
        assert world.cloud.revision_tags(arn) == TAGS

    def test_a_revision_without_tags_has_none(self, simulated: SimulatedWorld) -> None:
        """That of somebody who tags nothing is no failure."""
        simulated.account.register_revisions(FAMILY, 1)
        [arn] = simulated.cloud.revisions(FAMILY, "").arns
        assert simulated.cloud.revision_tags(arn) == {}

    def test_a_revision_that_is_not_there_has_none_either(self, simulated: SimulatedWorld) -> None:
        """Somebody deleted it since it was listed."""
        assert simulated.cloud.revision_tags(simulated.register() + "0") == {}

    @pytest.mark.parametrize("operation", ["ListTaskDefinitions", "DescribeTaskDefinition"])
    def test_a_reading_that_fails_is_no_empty_reading(
        self, simulated: SimulatedWorld, operation: str
    ) -> None:
        """Else revisions of ours would be taken for others'."""
        arn = simulated.register()
        simulated.fail_reading(operation, "throttle")
        read = {
            "ListTaskDefinitions": lambda: simulated.cloud.revisions(FAMILY, ""),
            "DescribeTaskDefinition": lambda: simulated.cloud.revision_tags(arn),
        }
        assert failure_in(read[operation]).throttled


class TestDeregistration:
    def test_a_deregistered_revision_is_listed_no_more(self, world: World) -> None:
        """The others are."""
        first = world.register()
        world.register()
        world.cloud.deregister_task_definition(first)
        assert listed(world) == [2]

    def test_deregistering_again_is_no_failure(self, world: World) -> None:
        """A lost answer is asked for again."""
        arn = world.register()
        for _ in range(2):
            world.cloud.deregister_task_definition(arn)
        assert listed(world) == []

    def test_deregistering_what_is_not_there_is_no_failure(self, simulated: SimulatedWorld) -> None:
        """Somebody deleted it: it is as it should be."""
        simulated.cloud.deregister_task_definition(simulated.register() + "0")

    def test_a_deregistered_revision_starts_tasks_for_a_while(self, simulated: SimulatedWorld) -> None:
        """For up to ten minutes, and then it is gone: its configuration is registered anew."""
        launch = simulated.launch()
        simulated.cloud.deregister_task_definition(launch.task_definition_arn)
        assert simulated.cloud.start_task(launch)
        simulated.clock.advance_ms(simulated.account.settings.inactive_definition_usable_ms)
        failure = failure_in(lambda: simulated.cloud.start_task(launch))
        assert (failure.code, failure.blames_request) == (DEFINITION_GONE, False)

    @pytest.mark.parametrize(("kind", "definite"), [("throttle", True), ("dropped_after", False)])
    def test_it_is_sent_once(self, simulated: SimulatedWorld, kind: FaultKind, definite: bool) -> None:
        """The scheduler decides when it is sent again."""
        arn = simulated.register()
        simulated.fault("DeregisterTaskDefinition", kind)
        failure = failure_in(lambda: simulated.cloud.deregister_task_definition(arn))
        assert (failure.definite, simulated.calls("DeregisterTaskDefinition")) == (definite, 1)
