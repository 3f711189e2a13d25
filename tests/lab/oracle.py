"""What the journal of the simulated account tells of a run: the truth, whatever the service believes."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from scheduler.simulated_aws.journal import Effect, Journal

ACTS = (
    Effect.SET_DESIRED_CAPACITY,
    Effect.DETACH_INSTANCES,
    Effect.SUSPEND_PROCESSES,
    Effect.CONTAINER_INSTANCE_STATE_CHANGE,
    Effect.CONTAINER_INSTANCE_DEREGISTERED,
    Effect.INSTANCE_TERMINATING,
    Effect.REGISTER_TASK_DEFINITION,
    Effect.START_TASK,
    Effect.STOP_TASK,
)
"""What a scheduler does to an account, and what comes of it."""


class Harm(NamedTuple):
    """An instance was taken away while these tasks were alive on it."""

    act: str
    ec2_instance_id: str
    tasks: frozenset[str]


def harms(journal: Journal) -> list[Harm]:
    """Every instance that was detached or terminated with a task on it that had not stopped."""
    return list(_harms(journal))


def _harms(journal: Journal) -> Iterator[Harm]:
    instance_of: dict[str, str] = {}
    task_on: dict[str, str] = {}
    alive: defaultdict[str, set[str]] = defaultdict(set)
    for entry in journal.entries:
        match entry["effect"]:
            case Effect.CONTAINER_INSTANCE_REGISTERED:
                instance_of[entry["containerInstanceArn"]] = entry["ec2InstanceId"]
            case Effect.START_TASK:
                task_on[entry["taskArn"]] = instance_of[entry["containerInstanceArn"]]
                alive[task_on[entry["taskArn"]]].add(entry["taskArn"])
            case Effect.TASK_STATE_CHANGE if entry["lastStatus"] == "STOPPED":
                alive[task_on[entry["taskArn"]]].discard(entry["taskArn"])
            case Effect.DETACH_INSTANCES | Effect.INSTANCE_TERMINATING:
                ids = entry.get("ec2InstanceIds") or [entry["ec2InstanceId"]]
                yield from (
                    Harm(entry["effect"], each, frozenset(alive[each])) for each in ids if alive[each]
                )


def acts(journal: Journal, *, since: int = 0) -> list[str]:
    """Names of what was done, in order, from entry `since` on."""
    return [entry["effect"] for entry in journal.entries[since:] if entry["effect"] in ACTS]


def lowered(journal: Journal) -> list[dict[str, Any]]:
    """Sets of desired capacity to less than it was."""
    sets = journal.of(Effect.SET_DESIRED_CAPACITY)
    return [entry for entry in sets if entry["desiredCapacity"] < entry["previous"]]


def detached(journal: Journal, *, decrement: bool) -> list[str]:
    """EC2 ids that were detached, in order."""
    return [
        ec2_id
        for entry in journal.of(Effect.DETACH_INSTANCES)
        if entry["decrement"] is decrement
        for ec2_id in entry["ec2InstanceIds"]
    ]


def statuses(journal: Journal, ec2_instance_id: str) -> list[str]:
    """The statuses that a container instance was given, in order."""
    changes = journal.of(Effect.CONTAINER_INSTANCE_STATE_CHANGE)
    return [entry["status"] for entry in changes if entry["ec2InstanceId"] == ec2_instance_id]
