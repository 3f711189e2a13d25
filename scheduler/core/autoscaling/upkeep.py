"""Upkeep: what is known of instances that go, or could, when a decision is made."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.lifecycle.removal import RemovalEvidence
from scheduler.core.model.removal import Removal, RemovalStep
from scheduler.core.model.scaling import Hold, Limits

_NO_LIMITS = Limits(floor=0, ceiling=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What is known of instances that go, or could.

    `hold` is why nothing may be done, if so. `size` is what desired capacity will be once the removals under
    way are done. `removals` tells how far each is; `lost` are those that are to begin because an instance
    does no good any more, `findings` what is known of these, by EC2 id; `leftovers` are ARNs that ECS still
    lists and nobody stands behind. `candidates` are members that could go, but for those `resting`; `able`
    and `zones` count the schedulable ones;
    `replacing`: an instance is being replaced or in flight. `beyond` is by how many members the group will
    have more than it desires. `told` are held actions that were told already, `told_steps` the steps that
    were begun before, by EC2 id: of a removal, or of earlier ones that AWS denied. `explain`: those that
    stay are to be told as well.
    """

    hold: Hold | None = None
    limits: Limits = _NO_LIMITS
    size: int = 0
    removals: tuple[RemovalEvidence, ...] = ()
    lost: tuple[Removal, ...] = ()
    findings: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    candidates: Candidates = field(default_factory=Candidates)
    resting: Collection[str] = ()
    able: int = 0
    zones: Counter[str] = field(default_factory=Counter)
    replacing: bool = False
    beyond: int = 0
    told: frozenset[str] = frozenset()
    told_steps: Mapping[str, Collection[RemovalStep]] = field(default_factory=dict)
    explain: bool = False
