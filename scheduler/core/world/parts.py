"""The parts that the World is made of, side by side; what connects them is in `world.py` and `hearing.py`."""

from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded, IntentRecorded
from scheduler.core.model.resources import Resources
from scheduler.core.world.agenda import Agenda
from scheduler.core.world.attempts import Attempts
from scheduler.core.world.backlog import Backlog
from scheduler.core.world.deadlines import Deadlines
from scheduler.core.world.definitions import Definitions
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.growth_book import GrowthBook
from scheduler.core.world.ledger import Ledger


class Parts:
    """Small reducers, each on its own.

    `cancelled` are tasks that a client wants cancelled and that are not STOPPING yet; `suspects` are
    (container instance, shape) pairs to avoid, until the first reading after the time that stands with them;
    `settled` are records that close acts, waiting for the next commit; `troubles` is what fails at the
    moment, by the name of its condition; `..._read_ms` is when the last complete reading was sent.
    """

    def __init__(self, policy: Policy, group: str) -> None:
        """Nothing has been read."""
        self.policy = policy
        self.backlog = Backlog()
        self.ledger = Ledger()
        self.fleet = Fleet(policy, self.ledger)
        self.definitions = Definitions(policy)
        self.attempts = Attempts()
        self.growth = GrowthBook(policy)
        self.agenda = Agenda(policy, group)
        self.deadlines = Deadlines()
        self.cancelled: dict[str, None] = {}
        self.suspects: dict[tuple[str, Resources], int] = {}
        self.settled: list[IntentRecorded | FactRecorded] = []
        self.troubles: dict[str, str] = {}
        self.revision = 0
        self.instances_read_ms: int | None = None
        self.group_read_ms: int | None = None
