"""What the invariants look at: a scene while a plan is played, and its ending."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.budgets import Budgets
from scheduler.lab.chaos.plan import SLOW_EFFECT_MS, SLOW_OUTCOME_MS, MishapKind, Plan
from scheduler.lab.chaos.truth import EcsTask, Origin, Truth
from scheduler.lab.clock import START_MS
from scheduler.ports.store import Store

EVERYTHING = 1_000_000
"""More than a run ever stores of anything."""


FOR_EVER_MS = 10 * START_MS
"""Later than any run ends."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """One service and the truth. `book` is replaced when the store is lost, `budgets` at each start.

    `began_ms` is when its present life began, by its own clock: so its tasks are marked.
    """

    plan: Plan
    truth: Truth
    book: Book
    by: Origin = Origin.SERVICE
    budgets: Budgets = field(default_factory=lambda: Budgets(START_MS))
    began_ms: int = START_MS
    life_ms: int = START_MS
    """The same by the true clock."""

    lives: list[list[int]] = field(default_factory=lambda: [[START_MS, FOR_EVER_MS]])
    """From when to when the service lived with the present store, by its own clock."""

    errors_ms: set[int] = field(default_factory=lambda: {0})
    """By how much the clocks of its lives were wrong."""

    def befalls(self, kind: MishapKind) -> bool:
        """Whether the plan has such a mishap."""
        return any(each.kind is kind for each in self.plan.mishaps)

    def true_ms(self, at_ms: int) -> int:
        """What the true clock shows as that of the present life shows `at_ms`."""
        return at_ms - self.began_ms + self.life_ms

    def steered_ms(self) -> int:
        """When anybody else last set desired capacity."""
        return max((at_ms for by, at_ms in self.truth.steered_ms.items() if by is not self.by), default=0)

    def blind_ms(self) -> int:
        """For how long something can be so before the service can possibly know it, and act on it."""
        tuning, account = self.plan.tuning, self.plan.account
        slowest_ms = tuning.to_effect_ms[1] + tuning.to_outcome_ms[1]
        if self.befalls(MishapKind.SLOW_ANSWERS):
            slowest_ms = SLOW_EFFECT_MS[1] + SLOW_OUTCOME_MS[1]
        polls_ms = 2 * 1_000 * tuning.cluster_poll_s
        return polls_ms + 3 * slowest_ms + max(account.read_lag_ms, account.group_lag_ms) + 30_000

    def in_touch_ms(self) -> int:
        """Since when it can have known of AWS, and acted there: not while that is out of reach or refuses."""
        outages = (MishapKind.UNREACHABLE, MishapKind.CREDENTIALS_EXPIRED, MishapKind.ACCESS_DENIED)
        cut_off = any(map(self.befalls, outages))
        return max(self.life_ms, START_MS + 1_000 * self.plan.quiet_s if cut_off else 0)

    def spread_ms(self) -> int:
        """By how much older than it is something can look that an earlier life has stored."""
        return max(self.errors_ms) - min(self.errors_ms)

    def believed(self, task: EcsTask) -> bool:
        """Whether an ECS task is of this store, and its start neither given up nor forgotten."""
        unknown = task.attempt_id in self.book.given_up or task.attempt_id in self.book.forgotten
        return task.epoch == self.book.epoch and not unknown

    def worked_on_by_others(self) -> set[str]:
        """EC2 ids of instances where a task runs that this store does not know: busy until it ends."""
        tasks = self.truth.tasks.values()
        return {each.ec2_instance_id for each in tasks if each.alive and not self.believed(each)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A run at its end. `instances` are the account's rows, `settled` whether the group came to rest.

    `leftovers` are what the service still keeps in memory of what is over.
    """

    at_ms: int
    store: Store
    instances: list[dict[str, Any]]
    settled: bool
    inherited: frozenset[str]
    conditions: Mapping[str, str]
    leftovers: tuple[str, ...] = ()
