"""The ledger: which attempt holds how much room on which container instance.

ECS shows the room of a stopping task as free at once (containers-roadmap issue 575), and its lists lag.
So room is taken from the moment that the intent is durable, and free only when the attempt is closed:
its task seen STOPPED, refused for certain, or abandoned.
"""

from dataclasses import dataclass

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What our attempts hold on one container instance; all of it while one of them is `exclusive`."""

    taken: Resources = NOTHING
    attempts: int = 0
    starting: int = 0
    exclusive: int = 0


@dataclass(frozen=True, slots=True)
class _Hold:
    places: tuple[str, str]
    ask: Resources
    starting: bool


class Ledger:
    """Holds by attempt id, and their sums by container instance and by EC2 instance.

    An agent that registers anew leaves what runs under its old ARN, which lists of ECS may leave out: the
    room is taken on the EC2 instance all the same.
    """

    def __init__(self) -> None:
        """An empty ledger."""
        self._holds: dict[str, _Hold] = {}
        self._loads: dict[str, Load] = {}

    def load(self, arn: str) -> Load:
        """What we hold on a container instance."""
        return self._loads.get(arn, _IDLE)

    def load_of(self, ec2_instance_id: str) -> Load:
        """What we hold on an EC2 instance, under whichever ARN."""
        return self._loads.get(ec2_instance_id, _IDLE)

    def record(self, attempt: Attempt, ask: Resources, state: TaskState) -> None:
        """Follows one attempt: it holds room until it is closed, and a start slot until it runs."""
        before = self._holds.pop(attempt.attempt_id, None)
        if before is not None:
            self._add(before, -1)
        if attempt.holds_room:
            starting = state in _STARTING
            hold = _Hold((attempt.container_instance_arn, attempt.ec2_instance_id), ask, starting)
            self._holds[attempt.attempt_id] = hold
            self._add(hold, 1)

    def _add(self, hold: _Hold, sign: int) -> None:
        for place in hold.places:
            load = self.load(place)
            after = Load(
                taken=load.taken + hold.ask.times(sign),
                attempts=load.attempts + sign,
                starting=load.starting + (sign if hold.starting else 0),
                exclusive=load.exclusive + (sign if hold.ask.exclusive else 0),
            )
            if after.attempts:
                self._loads[place] = after
            else:
                self._loads.pop(place, None)


_IDLE = Load()
_STARTING = (TaskState.ASSIGNED, TaskState.STARTING)
