"""The region: what every service of the account shares."""

from random import Random
from typing import Any

from scheduler.ports.clock import Clock
from scheduler.simulated_aws.ids import Arns, Ids
from scheduler.simulated_aws.journal import Effect, Journal
from scheduler.simulated_aws.settings import RangeMs, SimulationSettings
from scheduler.simulated_aws.timeline import Action, Timeline


class Region:
    """Time, draws, identifiers, the timeline and the journal of one simulated account."""

    def __init__(self, clock: Clock, settings: SimulationSettings, journal: Journal) -> None:
        self._clock = clock
        self.settings = settings
        self.journal = journal
        self.random = Random(settings.seed)
        self.ids = Ids(self.random)
        self.arns = Arns(region=settings.region, account_id=settings.account_id, cluster=settings.cluster)
        self.timeline = Timeline()
        self.now_ms = clock.now_ms()
        self.after_each: list[Action] = []
        """Called after everything that happened, due or asked for."""

    def advance(self) -> None:
        """Carry out what became due, each effect at its own time. A clock set back holds time still."""
        target_ms = max(self._clock.now_ms(), self.now_ms)
        while due := self.timeline.pop_due(target_ms):
            self.now_ms, action = max(due[0], self.now_ms), due[1]
            action()
            self.happened()
        self.now_ms = target_ms

    def happened(self) -> None:
        """Tell those who look on that something may have changed."""
        for look in self.after_each:
            look()

    def after(self, delay_ms: int, action: Action) -> None:
        """Have `action` carried out `delay_ms` from now."""
        self.timeline.at(self.now_ms + delay_ms, action)

    def draw_ms(self, duration_range: RangeMs) -> int:
        """A duration from the account's one source of draws."""
        return self.random.randint(*duration_range)

    def record(self, effect: Effect, **fields: Any) -> None:
        """Journal an effect at the present time."""
        self.journal.record(self.now_ms, effect, **fields)
