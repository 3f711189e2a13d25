"""Many configurations on a virtual service, and what the account's family holds of them."""

from scheduler.core.model.revision import DAY_MS
from scheduler.core.model.task import Container, ContainersSpec, TaskState
from scheduler.simulated_aws.journal import Effect
from tests.lab.worlds import FAMILY, REGULAR, VirtualService

HASH = "ecs-scheduler:config-hash"
"""The tag that names a revision's configuration."""


def of_image(number: int) -> ContainersSpec:
    """One configuration of its own."""
    return ContainersSpec(containers=(Container(name="agent", image=f"agent:{number}", resources=REGULAR),))


def submit_each(service: VirtualService, count: int, *, times: int = 1) -> None:
    """Submits `count` configurations, one after the other, so many times."""
    for _ in range(times):
        for number in range(count):
            service.submit(1, spec=of_image(number))


def registered(service: VirtualService) -> list[str]:
    """The hashes of our registrations, in their order."""
    entries = service.account.journal.of(Effect.REGISTER_TASK_DEFINITION)
    return [entry["tags"][HASH] for entry in entries if HASH in entry["tags"]]


def deregistered(service: VirtualService) -> list[str]:
    """The ARNs of revisions that were deregistered, in their order."""
    entries = service.account.journal.of(Effect.DEREGISTER_TASK_DEFINITION)
    return [entry["taskDefinitionArn"] for entry in entries]


def active(service: VirtualService) -> list[str]:
    """The ARNs of the family's ACTIVE revisions, at most the oldest hundred."""
    answer = service.account.call("ecs", "ListTaskDefinitions", {"familyPrefix": FAMILY})
    return list(answer["taskDefinitionArns"])


def is_scanned(service: VirtualService) -> bool:
    """True once the family was looked through."""
    return service.engine.loop._world.family_scan.is_over


def pass_days(service: VirtualService, days: float) -> None:
    """Days in which nobody asks for anything; the service sleeps through them."""
    service.clock.advance_ms(int(days * DAY_MS))
    service.let_pass(3)


def all_succeeded(service: VirtualService) -> bool:
    """True when every task came to a good end."""
    return set(service.states()) == {TaskState.SUCCEEDED}
