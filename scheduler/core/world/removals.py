"""The removals: instances on their way out, what was heard of them, and the calls that their steps need."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from scheduler.core.lifecycle.removal import RemovalEvidence, advance, is_denial
from scheduler.core.model.answers import Accepted, Answer, Failure, InstanceInspected, Outcome
from scheduler.core.model.calls import (
    ActivateInstances,
    Call,
    DeregisterInstance,
    DetachInstances,
    DrainInstances,
    InspectInstance,
    SaveConsole,
    TerminateInstances,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep

STATE_BATCH = 10
"""Container instances that one UpdateContainerInstancesState takes (ECS API)."""

DETACH_BATCH = 20
"""Instances that one DetachInstances takes (EC2 Auto Scaling API)."""

TERMINATE_BATCH = 100
"""Instances that one TerminateInstances takes; EC2 takes 1,000, and counts 20 a second."""

_STEPS = tuple(RemovalStep)

_DENIAL_REST_MS = 60_000
"""Rest of an instance after AWS refused to drain, detach or end it; a refusal is seldom lifted sooner."""

_STUCK_AT_MOST = 2
"""Instances that were let go and cannot be ended, each for itself. With more it is not these: a launch
template may protect each one, or EC2 be out of reach, and what else is let go would cost money for good."""

_SICK = (RemovalCause.DISCONNECTED, RemovalCause.NEVER_JOINED, RemovalCause.BLACK_HOLE)

FROZEN = {
    RemovalCause.DISCONNECTED: RemovalStep.DETACHING,
    RemovalCause.NEVER_JOINED: RemovalStep.TERMINATING,
}
"""Where removals stop when so many agents are lost that it is not they: before their point of no return."""


@dataclass(slots=True)
class _Course:
    """One removal since its present step became durable, at `since_ms`, or the act was accepted.

    `alone`: its last batch was refused as a whole. `doubtful`: an answer was lost, so that the act may have
    had its effect. `drain_lost_ms`: when that last befell a drain of this removal, in whichever step.
    `failed`: it was tried and not accepted. `resumed`: the step began in an earlier life.
    `console_asked`: what its console says is being saved, and until `due_ms` its end waits for that.
    """

    removal: Removal
    due_ms: int
    since_ms: int
    resumed: bool = False
    failed: bool = False
    under_way: bool = False
    accepted: bool = False
    doubtful: bool = False
    drain_lost_ms: int | None = None
    alone: bool = False
    console_asked: bool = False
    refusal: Failure | None = None
    inspected: InstanceInspected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the rest of the World knows of an instance; `read_ms`: when the reading of `listed` was sent."""

    listed: ContainerInstance | None
    lifecycle_state: str | None
    busy: bool
    lost: bool
    connected: bool = False
    read_ms: int | None = None


Look = Callable[[Removal], Surroundings]


class Removals:
    """Courses by EC2 instance id. `told` are the steps that were begun, by EC2 id, and stood in the log."""

    def __init__(self, policy: Policy, group: str) -> None:
        """Nothing is removed."""
        self._policy = policy
        self._group = group
        self._courses: dict[str, _Course] = {}
        self._rests: dict[str, int] = {}
        self.told: dict[str, set[RemovalStep]] = {}

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._courses)

    def __iter__(self) -> Iterator[Removal]:
        """Every removal, oldest first."""
        return (each.removal for each in self._courses.values())

    def of(self, ec2_instance_id: str) -> Removal | None:
        """An instance's removal."""
        course = self._courses.get(ec2_instance_id)
        return course.removal if course else None

    def record(self, removal: Removal, now_ms: int) -> None:
        """A removal began, or its next step is durable. None that is healthy begins with its detach."""
        ec2_id = removal.ec2_instance_id
        before = self._courses.get(ec2_id)
        resumed, lost_ms = before is None, before.drain_lost_ms if before else None
        if resumed and removal.since_ms < now_ms:
            lost_ms = now_ms  # the drain of an earlier life may still be on its way
        self._courses[ec2_id] = _Course(removal, now_ms, now_ms, resumed=resumed, drain_lost_ms=lost_ms)
        told = self.told.setdefault(ec2_id, set())
        told.add(removal.step)
        if resumed and removal.cause not in FROZEN:
            told.update(_STEPS[: _STEPS.index(removal.step)])

    def end(self, ec2_instance_id: str, now_ms: int) -> None:
        """Over. What AWS denies begins again after a rest, and is no news then; who is gone does not."""
        course = self._courses.pop(ec2_instance_id, None)
        if course is not None and course.removal.step is RemovalStep.LEAVING:
            self._rests.pop(ec2_instance_id, None)
        if not self.is_resting(ec2_instance_id, now_ms):
            self.told.pop(ec2_instance_id, None)

    def resting(self, now_ms: int) -> frozenset[str]:
        """All of which that is true. Asked for each decision: what has rested is forgotten here."""
        if self._rests:
            self._rests = {each: at for each, at in self._rests.items() if self.was_denied(each, now_ms)}
            known = self._courses.keys() | self._rests.keys()
            self.told = {ec2_id: each for ec2_id, each in self.told.items() if ec2_id in known}
        return frozenset(ec2_id for ec2_id, until_ms in self._rests.items() if now_ms < until_ms)

    def is_resting(self, ec2_instance_id: str, now_ms: int) -> bool:
        """Whether AWS refused to let it go a moment ago, so that it is not tried again yet."""
        return now_ms < self._rests.get(ec2_instance_id, now_ms)

    def was_denied(self, ec2_instance_id: str, now_ms: int) -> bool:
        """Whether it rests, or has rested and may be tried again any moment."""
        return now_ms < self._rests.get(ec2_instance_id, now_ms - _DENIAL_REST_MS) + _DENIAL_REST_MS

    # ---- what AWS said

    def sent(self, call: Call, now_ms: int) -> None:
        """A call of theirs is under way."""
        for course in self._meant(call):
            if isinstance(call, SaveConsole):
                course.console_asked, course.due_ms = True, now_ms + self._policy.console_timeout_ms
            else:
                course.under_way = True

    def heard(self, outcome: Outcome, now_ms: int) -> None:
        """A call of theirs ended. A batch that was refused as a whole is sent one by one."""
        call, answer = outcome.call, outcome.answer
        courses = list(self._meant(call))
        for course in courses:
            was_accepted = course.accepted
            course.under_way = False
            course.due_ms = now_ms + self._pause_ms(call, answer)
            if isinstance(answer, InstanceInspected):
                course.inspected = answer
                # Somebody may have made it ACTIVE again, or the look lacks it: it is drained again. That does
                # no harm, and ECS refuses it by name if it does not have it any more.
                course.accepted = answer.instance is not None and answer.instance.status == "DRAINING"
            elif isinstance(answer, Failure):
                course.alone = is_denial(answer)
                course.failed = True
                course.doubtful = course.doubtful or not answer.definite
                if isinstance(call, DrainInstances) and not answer.definite:
                    course.drain_lost_ms = now_ms
                course.refusal = answer if len(courses) == 1 or answer.never_reached else None
                course.due_ms = now_ms if len(courses) > 1 and course.alone else course.due_ms
            else:
                course.refusal = _refused(answer).get(course.removal.arn)
                course.accepted = course.refusal is None
                course.failed = not course.accepted
            if course.accepted and (not was_accepted or course.removal.step is RemovalStep.RETURNING):
                course.since_ms = now_ms
            self._rest(course, now_ms)

    def console_heard(self, call: SaveConsole, now_ms: int) -> None:
        """It was saved, or could not be: the end of its instance need not wait for it any more."""
        for course in self._meant(call):
            if not course.under_way:
                course.due_ms = min(course.due_ms, now_ms)

    def _rest(self, course: _Course, now_ms: int) -> None:
        claims = course.removal.step in (RemovalStep.DRAINING, RemovalStep.DETACHING)
        if claims and not course.accepted and is_denial(course.refusal):
            self._rests[course.removal.ec2_instance_id] = now_ms + _DENIAL_REST_MS

    def evidence(self, look: Look) -> Iterator[RemovalEvidence]:
        """What is known of each."""
        held, window_ms = self._is_held(), self._policy.visibility_window_ms
        return (
            _evidence(each, look(each.removal), held=held, window_ms=window_ms)
            for each in self._courses.values()
        )

    def _is_held(self) -> bool:
        """We may terminate none, or many cannot be: each further one would run on outside the group."""
        stuck = [
            each.refusal
            for each in self._courses.values()
            if each.removal.step is RemovalStep.TERMINATING and each.refusal is not None
        ]
        lasting = [each for each in stuck if each.never_reached or is_denial(each)]
        return len(lasting) > _STUCK_AT_MOST or any(each.forbidden for each in lasting)

    # ---- what is to be sent

    def due(self, known: Iterable[RemovalEvidence], now_ms: int, *, frozen: bool) -> Iterator[Call]:
        """The calls that the steps need now, in batches as large as AWS takes them; `known` is the evidence.

        `frozen`: nothing is detached or terminated because its agent is lost.
        """
        acting = [each for each in known if self._may_act(each, now_ms, frozen=frozen)]
        if not acting:
            return
        courses = [self._courses[each.removal.ec2_instance_id] for each in acting]
        speaking = {each.removal.ec2_instance_id for each in acting if self._has_a_console(each)}
        ready = [each for each in courses if each.removal.ec2_instance_id not in speaking]
        yield from (_save_console(each) for each in courses if each.removal.ec2_instance_id in speaking)
        yield from self._batches(ready, RemovalStep.TERMINATING, TERMINATE_BATCH, _terminate)
        for decrement in (True, False):
            alike = [each for each in ready if each.removal.decrement is decrement]
            yield from self._batches(
                alike, RemovalStep.DETACHING, DETACH_BATCH, self._detach_with(decrement=decrement)
            )
        again = [each.removal for each in acting if _is_drained_again(each)]
        yield from self._batches(ready, RemovalStep.RETURNING, STATE_BATCH, _activate)
        for start in range(0, len(again), STATE_BATCH):
            yield _activate(again[start : start + STATE_BATCH])
        yield from self._batches(ready, RemovalStep.DRAINING, STATE_BATCH, _drain)
        for each in acting:
            yield from _single(each)

    def next_ms(self) -> int | None:
        """When the next of their calls is due."""
        return min((each.due_ms for each in self._courses.values() if not each.under_way), default=None)

    def _may_act(self, evidence: RemovalEvidence, now_ms: int, *, frozen: bool) -> bool:
        """One that moves on in this very decision needs the act of its next step, not of this one."""
        course = self._courses[evidence.removal.ec2_instance_id]
        if course.due_ms > now_ms or course.under_way or (frozen and _freezes(course)):
            return False
        return advance(evidence) is None

    def _has_a_console(self, evidence: RemovalEvidence) -> bool:
        """What a sick one said goes with it: it is saved before its end. Others have nothing to say."""
        removal = evidence.removal
        is_sick = removal.cause in _SICK or evidence.lost
        asked = self._courses[removal.ec2_instance_id].console_asked
        return is_sick and removal.step is RemovalStep.TERMINATING and not asked

    def _batches(
        self, ready: list[_Course], step: RemovalStep, size: int, call: Callable[[list[Removal]], Call]
    ) -> Iterator[Call]:
        meant = [each for each in ready if each.removal.step is step and not each.accepted]
        together = [each.removal for each in meant if not each.alone]
        yield from (call([each.removal]) for each in meant if each.alone)
        for start in range(0, len(together), size):
            yield call(together[start : start + size])

    def _detach_with(self, *, decrement: bool) -> Callable[[list[Removal]], Call]:
        def detach(removals: list[Removal]) -> Call:
            ids = tuple(each.ec2_instance_id for each in removals)
            return DetachInstances(group=self._group, ec2_instance_ids=ids, decrement=decrement)

        return detach

    def _meant(self, call: Call) -> Iterator[_Course]:
        """The courses that a call is for, if they still are where they were when it was sent."""
        match call:
            case DrainInstances(arns=arns):
                yield from self._at(RemovalStep.DRAINING, arns=arns)
            case InspectInstance(arn=arn):
                yield from self._at(RemovalStep.DRAINING, arns=(arn,))
            case ActivateInstances(arns=arns):
                yield from self._at(RemovalStep.RETURNING, arns=arns)
            case DeregisterInstance(arn=arn):
                yield from self._at(RemovalStep.LEAVING, arns=(arn,))
            case DetachInstances(ec2_instance_ids=ids):
                yield from self._at(RemovalStep.DETACHING, ids=ids)
            case SaveConsole(ec2_instance_id=ec2_id):
                yield from self._at(RemovalStep.TERMINATING, ids=(ec2_id,))
            case TerminateInstances(ec2_instance_ids=ids):
                yield from self._at(RemovalStep.TERMINATING, ids=ids)

    def _at(
        self, step: RemovalStep, *, arns: Iterable[str] = (), ids: Iterable[str] = ()
    ) -> Iterator[_Course]:
        wanted_arns, wanted_ids = set(arns), set(ids)
        for course in self._courses.values():
            removal = course.removal
            named = removal.arn in wanted_arns or removal.ec2_instance_id in wanted_ids
            if removal.step is step and named:
                yield course

    def _pause_ms(self, call: Call, answer: Answer) -> int:
        if isinstance(call, TerminateInstances) and isinstance(answer, Failure) and is_denial(answer):
            return _DENIAL_REST_MS
        inspects = isinstance(call, InspectInstance | DrainInstances)
        return self._policy.inspect_pause_ms if inspects else self._policy.removal_repeat_ms


def _refused(answer: Answer) -> dict[str, Failure]:
    """Container instances that ECS refused by themselves while it accepted the others, and why."""
    refused = answer.refused if isinstance(answer, Accepted) else ()
    return {arn: Failure(definite=True, code=reason, message="") for arn, reason in refused}


def _freezes(course: _Course) -> bool:
    return FROZEN.get(course.removal.cause) is course.removal.step


def _is_drained_again(evidence: RemovalEvidence) -> bool:
    """It was taken back, and a later reading shows it DRAINING: somebody drained it, or the act got lost."""
    draining = evidence.listed is not None and evidence.listed.status == "DRAINING"
    returning = evidence.removal.step is RemovalStep.RETURNING
    return returning and evidence.accepted and draining and evidence.read_anew


def _is_read_anew(course: _Course, around: Surroundings) -> bool:
    return around.read_ms is not None and around.read_ms > course.since_ms


def _is_settled(course: _Course, around: Surroundings, window_ms: int) -> bool:
    """A call whose answer was lost may be carried out later than those that were sent after it."""
    lost_ms, read_ms = course.drain_lost_ms, around.read_ms
    return lost_ms is None or (read_ms is not None and read_ms > lost_ms + window_ms)


def _evidence(course: _Course, around: Surroundings, *, held: bool, window_ms: int) -> RemovalEvidence:
    return RemovalEvidence(
        removal=course.removal,
        busy=around.busy,
        accepted=course.accepted,
        refusal=course.refusal,
        inspected=course.inspected,
        listed=around.listed,
        lifecycle_state=around.lifecycle_state,
        lost=around.lost,
        connected=around.connected,
        untouched=not (course.under_way or course.accepted or course.doubtful),
        failed=course.failed,
        read_anew=_is_read_anew(course, around),
        settled=_is_settled(course, around, window_ms),
        resumed=course.resumed,
        held=held,
    )


def _save_console(course: _Course) -> Call:
    return SaveConsole(ec2_instance_id=course.removal.ec2_instance_id, cause=course.removal.cause)


def _terminate(removals: list[Removal]) -> Call:
    return TerminateInstances(ec2_instance_ids=tuple(each.ec2_instance_id for each in removals))


def _activate(removals: list[Removal]) -> Call:
    return ActivateInstances(arns=tuple(each.arn for each in removals))


def _drain(removals: list[Removal]) -> Call:
    return DrainInstances(arns=tuple(each.arn for each in removals))


def _single(evidence: RemovalEvidence) -> Iterator[Call]:
    """Calls for one instance alone: a look at what runs on it, or the last of it in ECS."""
    removal = evidence.removal
    if removal.step is RemovalStep.DRAINING and evidence.accepted and not evidence.busy:
        yield InspectInstance(arn=removal.arn)
    elif removal.step is RemovalStep.LEAVING and removal.arn and _is_ghost(evidence.listed):
        yield DeregisterInstance(arn=removal.arn)


def _is_ghost(listed: ContainerInstance | None) -> bool:
    """EC2 has ended it, and ECS, which heard nothing from its agent, still lists it."""
    ended = ("terminated", "gone")
    return listed is not None and not listed.agent_connected and listed.ec2_state in ended
