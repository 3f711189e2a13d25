"""The carrier: revisions are tagged as ours, known again by their tags, and let go."""

import pytest

from scheduler.core.model.answers import Accepted, Registered, RevisionDescribed, RevisionsListed
from scheduler.core.model.calls import DeregisterTaskDefinition, DescribeRevision, ListRevisions
from scheduler.simulated_aws.journal import Effect
from tests.lab.worlds import FAMILY
from tests.services.test_carrier import KEY, REGISTER, Shell


@pytest.fixture
def shell() -> Shell:
    return Shell()


def key_of(shell: Shell, arn: str) -> str:
    return shell.ask(DescribeRevision(arn=arn), RevisionDescribed).definition_key


def test_a_revision_says_whose_it_is(shell: Shell) -> None:
    """Its hash, its cluster, its service and the store that had it registered."""
    shell.ask(REGISTER, Registered)
    [entry] = shell.account.journal.of(Effect.REGISTER_TASK_DEFINITION)
    tags = {key.removeprefix("ecs-scheduler:"): value for key, value in entry["tags"].items()}
    assert (tags["config-hash"], tags["cluster"], tags["service"]) == (KEY, "ci", "lab")
    assert tags.keys() == {"config-hash", "cluster", "service", "epoch", "since"}


def test_a_revision_of_ours_is_known_by_its_tags(shell: Shell) -> None:
    """As it was registered, whatever store asks."""
    arn = shell.ask(REGISTER, Registered).task_definition_arn
    assert shell.ask(ListRevisions(), RevisionsListed) == RevisionsListed(arns=(arn,))
    assert key_of(shell, arn) == KEY


def test_a_revision_of_others_has_no_key(shell: Shell) -> None:
    """Nobody here has anything to do with it."""
    shell.account.register_revisions(FAMILY, 1)
    [arn] = shell.ask(ListRevisions(), RevisionsListed).arns
    assert key_of(shell, arn) == ""


def test_a_revision_is_deregistered(shell: Shell) -> None:
    """It is listed no more."""
    arn = shell.ask(REGISTER, Registered).task_definition_arn
    shell.ask(DeregisterTaskDefinition(task_definition_arn=arn, definition_key=KEY), Accepted)
    assert shell.ask(ListRevisions(), RevisionsListed).arns == ()
