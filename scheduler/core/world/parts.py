"""The parts that the World is made of, side by side; what connects them is in `world.py` and `hearing.py`."""

from scheduler.core.model.group import GroupMember
from scheduler.core.model.mark import Mark
from scheduler.core.model.policy import ForeignInstances, Policy
from scheduler.core.model.records import Settled
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScaleWish
from scheduler.core.world.agenda import Agenda
from scheduler.core.world.arrivals import Arrivals
from scheduler.core.world.attempts import Attempts
from scheduler.core.world.backlog import Backlog
from scheduler.core.world.breakers import Breakers
from scheduler.core.world.deadlines import Deadlines
from scheduler.core.world.definitions import Definitions
from scheduler.core.world.family_scan import FamilyScan
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.growth_book import GrowthBook
from scheduler.core.world.interlocks import Hazards, PairProof, Replacements, Rivals
from scheduler.core.world.late_launches import LateLaunches
from scheduler.core.world.ledger import Ledger
from scheduler.core.world.membership import Membership
from scheduler.core.world.quarantine import Quarantine
from scheduler.core.world.removals import Removals
from scheduler.core.world.reservations import Reservations
from scheduler.core.world.revisions import Revisions
from scheduler.core.world.starts import Starts

_NOBODY = Mark(service_id="", store_epoch="", since_ms=0)


class Parts:
    """Small reducers, each on its own.

    `cancelled` are tasks that a client wants cancelled and that are not STOPPING yet; `suspects` are
    (container instance, shape) pairs to avoid, until the first reading after the time that stands with them;
    `settled` are records that close acts, waiting for the next commit; `troubles` is what fails at the
    moment, by the name of its condition; `failing` is what calls are refused with, by kind and subject;
    `..._read_ms` is when the last complete reading was sent. `wish` is the operator's last one;
    `deregistering` are ARNs that ECS is asked to forget, `deregister_again_ms` when those that it would not
    forget may be asked for again; `told` are the held actions that were told; `strange_since_ms` tells since
    when an instance is outside the group, or drained by others; `unknown_tasks` are the ECS tasks that the
    last census showed and no attempt is known for, `foreign_on` the ARNs of instances that others' are on.
    """

    def __init__(
        self,
        policy: Policy,
        group: str,
        *,
        cluster: str = "",
        own: Mark = _NOBODY,
        observe_only: bool = False,
    ) -> None:
        """Nothing has been read. `own` is how this scheduler marks its tasks."""
        self.policy = policy
        self.cluster = cluster
        self.own = own
        self.observe_only = observe_only
        self.backlog = Backlog()
        self.ledger = Ledger()
        self.fleet = Fleet(policy, self.ledger)
        self.definitions = Definitions(policy)
        self.revisions = Revisions(policy)
        self.family_scan = FamilyScan(policy)
        self.attempts = Attempts()
        self.growth = GrowthBook(policy)
        self.agenda = Agenda(policy, group)
        self.deadlines = Deadlines()
        self.cancelled: dict[str, None] = {}
        self.suspects: dict[tuple[str, Resources], int] = {}
        self.removals = Removals(policy, group)
        self.membership = Membership(policy, group)
        self.pair = PairProof(cluster, group)
        self.rivals = Rivals(policy, own)
        self.hazards = Hazards()
        self.replacements = Replacements(policy)
        self.arrivals = Arrivals(policy)
        self.late_launches = LateLaunches()
        self.starts = Starts(policy)
        self.quarantine = Quarantine(policy)
        self.breakers = Breakers(policy)
        self.reservations = Reservations()
        self.wish: ScaleWish | None = None
        self.deregistering: set[str] = set()
        self.deregister_again_ms: dict[str, int] = {}
        self.told: set[str] = set()
        self.strange_since_ms: dict[str, int] = {}
        self.unknown_tasks: frozenset[str] = frozenset()
        self.foreign_on: frozenset[str] = frozenset()
        self.launch_failure_ms = 0
        self.settled: list[Settled] = []
        self.troubles: dict[str, str] = {}
        self.failing: dict[type, dict[str, str]] = {}
        self.revision = 0
        self.instances_read_ms: int | None = None
        self.group_read_ms: int | None = None
        self.census_read_ms: int | None = None

    def lists_lie(self) -> bool:
        """Whether somebody's task is on an instance that is not listed: then the list leaves some out."""
        return any(arn and arn not in self.fleet.instances for arn in self.foreign_on)

    def may_have_joined(self, ec2_instance_id: str, member: GroupMember) -> bool:
        """Whether a member that listings lack was in the cluster, or is so old that it may have been.

        What an earlier life of ours has seen is durable, and a list that left it out then may do so now.
        """
        was_seen = self.membership.was_member(ec2_instance_id)
        return was_seen or not self.arrivals.was_young(ec2_instance_id, member)

    def is_ours_to_end(self, ec2_instance_id: str) -> bool:
        """Whether an instance that is outside the group may be terminated once nothing runs on it.

        Outside of a group with a warm pool it may be in that: Instances lists none of it (EC2 Auto Scaling
        API, AutoScalingGroup), and members may go back there.
        """
        if self.fleet.group is not None and self.fleet.group.has_warm_pool:
            return False
        every = self.policy.foreign_instances is ForeignInstances.TERMINATE
        return every or self.membership.was_member(ec2_instance_id)
