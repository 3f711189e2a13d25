"""The world of one plan: the stage, the service on it, and for a while maybe a second one."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.inheritance import inherit
from scheduler.lab.chaos.plan import Mishap, Plan
from scheduler.lab.chaos.service import Service
from scheduler.lab.chaos.stage import Stage
from scheduler.lab.chaos.stores import Backup
from scheduler.lab.chaos.truth import Origin


class World(Stage):
    """The stage and who plays on it. Agendas are the service's: what is due goes on its driver's heap."""

    def __init__(self, plan: Plan, directory: Path, *, telling: bool) -> None:
        """Starts the service."""
        super().__init__(plan, directory, telling=telling)
        self.coverage: Counter[tuple[str, str]] = Counter()
        self.inherited: set[str] = set()
        """EC2 ids that nobody puts right: whoever had begun with them knows nothing of it any more."""

        self.at_last: list[Callable[[], None]] = []
        """What is to be done when everything is mended."""

        self.service = Service(self, Origin.SERVICE, inherit(self) if plan.revisions else ())
        self.rival: Service | None = None
        self.wire.later = self.service.driver.at

    # ---- time and instances

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Does something a while from now."""
        self.service.driver.at(self.clock.now_ms() + int(seconds * 1_000), act)

    def advance(self) -> None:
        """Does what is due next, whoever is to do it."""
        driver = self.service.driver
        rival = self.rival.driver if self.rival else None
        if rival is not None and rival.has_plans and rival.next_ms() < driver.next_ms():
            driver = rival
        driver.advance()

    def registered(self) -> list[str]:
        """EC2 ids of running instances with a container instance, oldest first."""
        rows = self.account.instances()
        return [
            each["ec2InstanceId"]
            for each in rows
            if each["state"] == "running" and each["containerInstances"]
        ]

    def met(self, mishap: Mishap) -> None:
        """Counts which states and steps a mishap met."""
        for state in self.service.book.met():
            self.coverage[mishap.kind, state] += 1

    # ---- lives and stores

    def kill(self, down_s: float) -> None:
        """The service is killed, and restarts a while later."""
        self.tell("process", f"is killed, and restarts {down_s:g} s later")
        self.service.kill(down_s)

    def lose_store(self) -> None:
        """It comes back with an empty store."""
        self._disown(self.service.book)
        self.service.lose_store()

    def restore_store(self, backup: Backup, *, down_s: float = 1) -> None:
        """It comes back, a while later, with an earlier copy of its store."""
        self.tell("process", f"is killed; its store is again as it was after {len(backup.history)} commits")
        self._disown(self.service.book)
        self.service.restore(backup, down_s=down_s)

    def set_clock(self, offset_ms: int) -> None:
        """The machine's clock is wrong by so much; a process reads it once, when it begins."""
        self.tell("process", f"will find a clock that is wrong by {offset_ms / 1_000:g} s")
        self.service.offset_ms = offset_ms

    def begin_rival(self) -> Service | None:
        """A second service of the same pair begins; None if there is one already, or was."""
        if self.rival is not None:
            return None
        self.tell("rival", "a second service of the same pair begins")
        self.rival = Service(self, Origin.RIVAL)
        return self.rival

    def end_rival(self) -> None:
        """It ends for good."""
        if self.rival is not None and self.rival.driver.up:
            self.tell("rival", "the second service is killed")
            self.rival.driver.end()
            self._disown(self.rival.book)

    def close(self) -> None:
        """Nothing holds a file any more."""
        for each in (self.service, self.rival) if self.rival else (self.service,):
            each.store.inner.close()

    def _disown(self, book: Book) -> None:
        """What somebody was about to remove stays as it is when his book is lost."""
        truth = self.wire.truth
        drained = {truth.ec2_ids[arn] for arn, is_ in truth.statuses.items() if is_ == "DRAINING"}
        self.inherited |= (truth.detached | drained | book.removals.keys()) - truth.terminated_ms.keys()
