"""The agenda: what is to be read or repeated, and when.

Polling is planned like everything else: `due` tells which calls are due, `sent` and `heard` move their
timers. A reading is never asked for again while one is under way.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from scheduler.core.model.answers import Failure, Outcome
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.calls import (
    Call,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    DescribeTasks,
    FindAttempt,
    InspectInstance,
    StartTask,
    StopTask,
    SuspendAZRebalance,
    TakeCensus,
)
from scheduler.core.model.policy import Policy
from scheduler.core.world.searches import Searches

BATCH = 100
"""Ids that one Describe call takes (ECS API, DescribeTasks)."""

_SWEEPS = (
    DescribeContainerInstances,
    DescribeGroup,
    DescribeInstanceTypes,
    TakeCensus,
    DescribeHazards,
    DescribeFailedLaunches,
    SuspendAZRebalance,
)


_TURNS = (FindAttempt, InspectInstance, DescribeTasks)
"""Reads of which there may be very many; they share a lane, one after the other."""


class Agenda:
    """Timers of sweeps, searches, stops, and starts to repeat."""

    def __init__(self, policy: Policy, group: str) -> None:
        """Everything is due at once."""
        self._policy = policy
        self.group = group
        self._sweep_ms: dict[type, int] = dict.fromkeys(_SWEEPS, 0)
        self._throttled: set[type] = set()
        self._sweep_ms[SuspendAZRebalance] = self._sweep_ms[DescribeFailedLaunches] = _NEVER
        self._sweeping: set[type] = set()
        self.searches = Searches(policy)
        self._repeats: dict[str, tuple[int, StartTask]] = {}
        self._stops: dict[str, tuple[int, StopTask]] = {}
        self._watched: dict[str, int] = {}
        self._reading: set[str] = set()
        self._round: dict[str, None] = {}
        self._round_ms = 0
        self._turn = 0

    def watch(self, task_arn: str, now_ms: int) -> None:
        """An ECS task is to be read until it is forgotten."""
        self._watched.setdefault(task_arn, now_ms)

    def is_watched(self, task_arn: str) -> bool:
        """Whether an ECS task is still to be read."""
        return task_arn in self._watched

    def forget(self, attempt: Attempt) -> None:
        """An attempt is closed: nothing is read or repeated for it any more."""
        self._watched.pop(attempt.ecs_task_arn, None)
        self._round.pop(attempt.ecs_task_arn, None)
        self.searches.end(attempt.attempt_id)
        self._repeats.pop(attempt.attempt_id, None)
        self._stops.pop(attempt.ecs_task_arn, None)

    def repeat(self, call: StartTask, at_ms: int) -> None:
        """A throttled StartTask is to be sent again: it certainly had no effect."""
        self._repeats[call.attempt_id] = (at_ms, call)

    def drop_repeat(self, attempt_id: str) -> bool:
        """A start that was to be sent again is not; True if there was one."""
        return self._repeats.pop(attempt_id, None) is not None

    def stop(self, call: StopTask, at_ms: int) -> None:
        """An ECS task is to be stopped, again and again until it was seen to be."""
        if call.ecs_task_arn not in self._stops:
            self._stops[call.ecs_task_arn] = (at_ms, call)

    def unstop(self, task_arn: str) -> None:
        """An ECS task is not to be stopped again."""
        self._stops.pop(task_arn, None)

    def want_az_rebalance_suspended(self, now_ms: int, *, suspended: bool) -> None:
        """AZRebalance terminates busy instances to even out zones; it is kept suspended.

        What was refused is asked for again after a poll's pause, not with each reading.
        """
        if suspended:
            self._sweep_ms[SuspendAZRebalance] = _NEVER
        elif self._sweep_ms[SuspendAZRebalance] == _NEVER:
            self._sweep_ms[SuspendAZRebalance] = now_ms

    def look_for_failed_launches(self, now_ms: int, *, awaited: bool) -> None:
        """Only while instances are in flight is there anything to look for."""
        if not awaited:
            self._sweep_ms[DescribeFailedLaunches] = _NEVER
        elif self._sweep_ms[DescribeFailedLaunches] == _NEVER:
            self._sweep_ms[DescribeFailedLaunches] = now_ms + self._policy.launches_poll_ms

    def hurry(self, now_ms: int) -> None:
        """Instances are expected or something changed: the cluster is read again soon.

        But by no call that was just throttled: where others use up AWS's budget, eager sweeps would take what
        is left of it from the looks at what is drained, and what is expected would never come.
        """
        eager = now_ms + self._policy.eager_poll_ms
        for kind in {DescribeContainerInstances, DescribeGroup} - self._throttled:
            self._sweep_ms[kind] = min(self._sweep_ms[kind], eager)

    def sent(self, call: Call, now_ms: int) -> None:
        """The call is under way."""
        if isinstance(call, _TURNS):
            self._turn = _TURNS.index(type(call)) + 1
        if isinstance(call, _SWEEPS):
            self._sweeping.add(type(call))
        elif isinstance(call, FindAttempt):
            self.searches.sent(call)
        elif isinstance(call, DescribeTasks):
            self._reading.update(call.task_arns)
            self._watched.update((arn, now_ms) for arn in call.task_arns if arn in self._watched)
            for arn in call.task_arns:
                self._round.pop(arn, None)
        elif isinstance(call, StartTask):
            self._repeats.pop(call.attempt_id, None)
        elif isinstance(call, StopTask) and call.ecs_task_arn in self._stops:
            # Its task may have been seen to stop in the decision that sends it: then it is not repeated.
            self._stops[call.ecs_task_arn] = (now_ms + self._policy.stop_repeat_ms, call)

    def heard(self, outcome: Outcome, now_ms: int) -> None:
        """The call ended: its timer starts again."""
        call = outcome.call
        if isinstance(call, _SWEEPS):
            self._sweeping.discard(type(call))
            slow = isinstance(outcome.answer, Failure) and outcome.answer.throttled
            (self._throttled.add if slow else self._throttled.discard)(type(call))
            self._sweep_ms[type(call)] = now_ms + self._pause_ms(outcome)
        elif isinstance(call, FindAttempt):
            self.searches.heard(call, now_ms)
        elif isinstance(call, DescribeTasks):
            self._reading.difference_update(call.task_arns)

    def due(self, now_ms: int, looks: Iterable[InspectInstance] = ()) -> Iterator[Call]:
        """Calls whose time has come, most urgent first.

        Stops and repeats share their lane with starts alone. In the lane of reads, sweeps are few and go
        first; searches, `looks` at what is drained and readings of tasks take turns, from one decision to the
        next, so that none starves, however many are due and however few slots there are.
        """
        yield from (call for at_ms, call in self._stops.values() if at_ms <= now_ms)
        yield from (call for at_ms, call in self._repeats.values() if at_ms <= now_ms)
        for kind, at_ms in self._sweep_ms.items():
            if at_ms <= now_ms and kind not in self._sweeping:
                yield self._sweep(kind)
        kinds: deque[Iterable[Call]] = deque((self.searches.due(now_ms), looks, self._task_reads(now_ms)))
        kinds.rotate(-self._turn)
        yield from (call for turn in zip_longest(*kinds) for call in turn if call is not None)

    def next_ms(self) -> int:
        """When the next call is due; calls under way are not waited for here."""
        times = [at_ms for kind, at_ms in self._sweep_ms.items() if kind not in self._sweeping]
        times += [at_ms for at_ms, _ in self._repeats.values()]
        times += [at_ms for at_ms, _ in self._stops.values()]
        times += [each for each in (self.searches.next_ms(),) if each is not None]
        if self._watched:
            times.append(0 if self._round else self._round_ms)
        return min(times, default=_NEVER)

    def _task_reads(self, now_ms: int) -> Iterator[DescribeTasks]:
        """What is left of the round of readings, in batches; what has no slot is first next time."""
        if not self._round and now_ms >= self._round_ms:
            self._begin_round(now_ms)
        arns = tuple(self._round)
        for start in range(0, len(arns), BATCH):
            yield DescribeTasks(task_arns=arns[start : start + BATCH])

    def _begin_round(self, now_ms: int) -> None:
        """Every task once, the longest unread first. Rounds are a pause apart, or as long as the budget makes
        them; a task that was read late in the last one has its turn in the next.
        """
        pause_ms = self._policy.task_poll_ms
        limit_ms = now_ms - pause_ms // 2
        unread = (
            arn for arn, at_ms in self._watched.items() if at_ms <= limit_ms and arn not in self._reading
        )
        self._round = dict.fromkeys(sorted(unread, key=self._watched.__getitem__))
        self._round_ms = now_ms + (pause_ms if self._round else pause_ms // 2)

    def _sweep(self, kind: type) -> Call:
        if kind is DescribeContainerInstances:
            return DescribeContainerInstances()
        if kind is DescribeGroup:
            return DescribeGroup(group=self.group)
        if kind is TakeCensus:
            return TakeCensus()
        of_group: dict[type, Call] = {
            SuspendAZRebalance: SuspendAZRebalance(group=self.group),
            DescribeInstanceTypes: DescribeInstanceTypes(group=self.group),
            DescribeHazards: DescribeHazards(group=self.group),
            DescribeFailedLaunches: DescribeFailedLaunches(group=self.group),
        }
        return of_group[kind]

    def _pause_ms(self, outcome: Outcome) -> int:
        """What seldom changes is read seldom, but again soon while it was not read once."""
        failed = isinstance(outcome.answer, Failure)
        policy = self._policy
        match outcome.call:
            case DescribeInstanceTypes() if not failed:
                return policy.types_poll_ms
            case DescribeHazards() if not failed:
                return policy.hazards_poll_ms
            case TakeCensus() if not failed:
                return policy.census_poll_ms
            case DescribeFailedLaunches():
                return policy.launches_poll_ms
            case _:
                return policy.cluster_poll_ms


_NEVER = 1 << 62
