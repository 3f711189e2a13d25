"""The verdict: what the service said, held against the books of the simulated AWS."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ecs_scheduler.v1.task_pb2 import Task
from scheduler.adapters.aws.consoles import STREAM_PREFIX
from scheduler.cli import words
from scheduler.cli.demo.books import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that must hold, and whether it does."""

    good: bool
    text: str


def findings(tasks: Collection[Task], expected: int, books: Books, min_size: int) -> Iterator[Finding]:
    """All that must hold of a demo that went well."""
    yield _succeeded(tasks, expected, books)
    yield _started_once(tasks, books)
    yield _none_busy(books)
    yield _back_at_min(books, min_size)
    yield _allowed(books)
    yield _consoles(books)
    yield _mishaps(books)


def findings_so_far(tasks: Collection[Task], expected: int, books: Books) -> Iterator[Finding]:
    """What can be said of a demo that was given up: nothing of agents that it did not see to their end."""
    yield _succeeded(tasks, expected, books)
    yield _none_twice(books)
    yield _none_busy(books)


def _succeeded(tasks: Collection[Task], expected: int, books: Books) -> Finding:
    """By the service's word, and by the exit codes that AWS saw."""
    said = {task.task_id for task in tasks if words.state(task.state) == "SUCCEEDED"}
    seen = books.good_ends.keys()
    if said == seen and len(said) == expected:
        return Finding(good=True, text=f"all {expected} agents succeeded, with exit code 0")
    text = f"{len(said)} of {expected} agents succeeded by the service, {len(seen)} by their exit codes"
    return Finding(good=False, text=text)


def _started_once(tasks: Collection[Task], books: Books) -> Finding:
    """Every task has one start, and nothing else has any."""
    starts = books.starts
    text = f"{len(tasks)} agents, {starts.total()} starts"
    if starts == Counter({task.task_id: 1 for task in tasks}):
        return Finding(good=True, text=f"each was started exactly once: {text}")
    return Finding(good=False, text=f"not each was started exactly once: {text}")


def _none_twice(books: Books) -> Finding:
    twice = sorted(task_id for task_id, starts in books.starts.items() if starts > 1)
    if twice:
        return Finding(good=False, text=f"started more than once: {', '.join(twice)}")
    return Finding(good=True, text=f"none of {len(books.starts)} agents that were started was started twice")


def _none_busy(books: Books) -> Finding:
    ended = sum(each.ending for each in books.instances.values())
    if books.busy_ends:
        busy = ", ".join(sorted(set(books.busy_ends)))
        return Finding(good=False, text=f"container instances were terminated while busy: {busy}")
    return Finding(good=True, text=f"none of {ended} terminated container instances was busy")


def _back_at_min(books: Books, min_size: int) -> Finding:
    size = f"desired {books.desired}, running {books.alive}"
    if books.desired == books.alive == min_size:
        return Finding(good=True, text=f"the group is back at its min size: {size}")
    return Finding(good=False, text=f"the group is not back at its min size of {min_size}: {size}")


def _allowed(books: Books) -> Finding:
    """The account is as strict as the policy that the project proposes."""
    if books.denied:
        return Finding(good=False, text=f"IAM did not allow {', '.join(sorted(books.denied))}")
    return Finding(good=True, text="all of it within deploy/iam-policy.json: IAM refused nothing")


def _consoles(books: Books) -> Finding:
    """What an instance said that never joined goes with it, unless it was saved."""
    lost = books.never_joined - books.consoles
    if lost:
        return Finding(good=False, text=f"the console output is lost of {', '.join(sorted(lost))}")
    streams = ", ".join(f"{STREAM_PREFIX}/{each}" for each in sorted(books.never_joined))
    return Finding(good=True, text=f"replaced, with its console output saved: {streams or 'none'}")


def _mishaps(books: Books) -> Finding:
    """A demo without them would prove less than it says."""
    came = {
        "lost answers of StartTask": books.lost_answers,
        "failed launches": books.failed_launches,
        "lost agents": len(books.lost_agents),
        "instances that never joined": len(books.never_joined),
    }
    text = "on the way: " + ", ".join(f"{name} {count}" for name, count in came.items())
    return Finding(good=all(came.values()), text=text if all(came.values()) else f"not all came {text}")
