"""Removal: what is known of an instance on its way out, and its next step.

    DRAINING -> DETACHING -> TERMINATING -> LEAVING -> gone
        |  an idle one whose room is wanted, that somebody got a task onto, or that AWS denies to let go
        v
    RETURNING -> taken back

Before its act had an effect a step may lead back: to DRAINING, to be looked at again, or out of the removal.
One that is outside the group is not detached. If it is at work there, it is drained first: then services of
others move away (ECS Developer Guide, Draining Amazon ECS container instances), and nothing new comes.

One table of rules a step; the first that applies wins. A healthy instance is detached only after its tasks
were read once more, with the drain already visible: nothing can have come onto it since. Sources of what AWS
does: EC2 Auto Scaling API, DetachInstances; ECS API, UpdateContainerInstancesState.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from scheduler.core.model.answers import (
    BELOW_MIN_SIZE,
    INSTANCE_UNKNOWN,
    NOT_A_MEMBER,
    NOT_IN_SERVICE,
    UNKNOWN_TO_ECS,
    Failure,
    InstanceInspected,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep

_GOING = ("Terminating", "Terminated")
_DETACHING = ("Detaching", "Detached")
_CONNECTED_AGAIN = "its agent is connected again"
_UNLISTED = "ECS does not list it any more"
_AILING = (RemovalCause.DISCONNECTED, RemovalCause.NEVER_JOINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalEvidence:
    """What is known of one removal since its present step became durable.

    `busy`: attempts of ours, or others' tasks by the last readings, are on it. `accepted`: AWS accepted the
    act of the step. `refusal` is why it last did not. `inspected` is the newest look at its tasks that was
    sent after ECS showed it DRAINING. `listed` is the instance in the newest complete reading,
    `lifecycle_state` its state in the group's, None where it is not in it. `lost`: its agent has been away
    for so long that nothing is waited for. `connected`: its agent is there, under whichever ARN.
    `untouched`: the act of the step certainly had no effect yet. `failed`: it was tried, and not accepted.
    `read_anew`: the reading of `listed` was sent after the act was accepted, or else after the step began.
    `settled`: that reading was sent so late that no drain whose answer was lost takes effect after it.
    `resumed`: the step began in an earlier life of this service. `held`: others that were let go cannot be
    terminated, so that none is let go.
    """

    removal: Removal
    busy: bool = False
    accepted: bool = False
    refusal: Failure | None = None
    inspected: InstanceInspected | None = None
    listed: ContainerInstance | None = None
    lifecycle_state: str | None = None
    lost: bool = False
    connected: bool = False
    untouched: bool = False
    failed: bool = False
    read_anew: bool = False
    settled: bool = True
    resumed: bool = False
    held: bool = False

    @property
    def healthy(self) -> bool:
        """It goes though nothing ails it, and its agent is there."""
        return self.removal.cause not in _AILING and self.connected

    @property
    def denied(self) -> bool:
        """The act was refused, and will be again: not for its rate, but for what it is."""
        return is_denial(self.refusal)

    @property
    def stuck(self) -> bool:
        """EC2 refuses to end it, and may for long: nobody waits for that."""
        return self.removal.step is RemovalStep.TERMINATING and self.denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The removal is over: the instance is gone, was taken back, or is in somebody else's hands."""

    removal: Removal
    gone: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The removal with its next step; `message` tells why, where its cause does not."""

    removal: Removal
    message: str = ""


Turn = RemovalStep | Moved | Ended | None
_Rule = Callable[[RemovalEvidence], Turn]


def advance(evidence: RemovalEvidence) -> Moved | Ended | None:
    """The removal with its next step, its end, or None while there is nothing to do but wait."""
    for rule in RULES[evidence.removal.step]:
        turn = rule(evidence)
        if isinstance(turn, RemovalStep):
            return Moved(removal=replace(evidence.removal, step=turn))
        if turn is not None:
            return turn
    return None


def take_back(evidence: RemovalEvidence, message: str) -> Moved:
    """It is taken back, and why."""
    return Moved(removal=replace(evidence.removal, step=RemovalStep.RETURNING), message=message)


def can_return(evidence: RemovalEvidence) -> bool:
    """True for a member that may still be taken back, and not before its drain was accepted.

    Of a drain and its undoing that are both under way, nobody knows which takes effect last.
    """
    return _is_returnable(evidence) and evidence.accepted


def is_room(evidence: RemovalEvidence) -> bool:
    """True for one that can return, now or once the drain that is under way was accepted.

    One whose drain failed may be out of reach for long: others are bought in its place.
    """
    return _is_returnable(evidence) and (evidence.accepted or not evidence.failed)


def _is_returnable(evidence: RemovalEvidence) -> bool:
    return evidence.removal.returnable and evidence.lifecycle_state is not None


def is_denial(refusal: Failure | None) -> bool:
    """True for a refusal of what was asked: certainly without effect, no throttle, and it has reached AWS."""
    if refusal is None or not refusal.definite:
        return False
    return not (refusal.throttled or refusal.never_reached)


def _is_gone(evidence: RemovalEvidence) -> Turn:
    """Somebody else removed it: EC2, the group, an operator.

    Lists and looks of ECS may leave out what is there, and an instance given up for that would stay DRAINING
    for good: ECS must refuse the act of the step for it by name.
    """
    refusal = evidence.refusal
    if evidence.listed is not None or refusal is None or refusal.code not in UNKNOWN_TO_ECS:
        return None
    return Ended(removal=evidence.removal, gone=True, message=_UNLISTED)


def _group_is_at_it(evidence: RemovalEvidence) -> Turn:
    state = evidence.lifecycle_state
    if state is not None and state.startswith(_GOING):
        return Ended(removal=evidence.removal, gone=True, message=f"the group has it {state}")
    return None


def _is_elsewhere(evidence: RemovalEvidence) -> Turn:
    """Its agent registered anew, under an ARN that was never drained: whoever is there, it is judged anew."""
    listed = evidence.listed
    if not evidence.connected or (listed is not None and listed.agent_connected):
        return None
    return Ended(removal=evidence.removal, gone=False, message="its agent registered under another ARN")


def _somebody_got_in(evidence: RemovalEvidence) -> Turn:
    """A task of ours, or anything that runs: an idle instance is taken back, an old one waits for its end."""
    if not can_return(evidence):
        return None
    inspected = evidence.inspected
    runs = inspected is not None and any(task.desired_status == "RUNNING" for task in inspected.tasks)
    return take_back(evidence, "somebody got a task onto it") if evidence.busy or runs else None


def _is_a_member_again(evidence: RemovalEvidence) -> Turn:
    """One that was outside the group, and that somebody attached."""
    foreign = evidence.removal.cause is RemovalCause.NOT_IN_GROUP
    if not foreign or evidence.lifecycle_state is None or not evidence.accepted:
        return None
    return take_back(evidence, "it is in the group again")


def _works_again(evidence: RemovalEvidence) -> Turn:
    """A member that was drained because its agent was lost, which is there again."""
    ailed = evidence.removal.cause is RemovalCause.DISCONNECTED
    if not (ailed and evidence.connected and evidence.accepted) or evidence.lifecycle_state != "InService":
        return None
    return take_back(evidence, _CONNECTED_AGAIN)


def _is_not_drained(evidence: RemovalEvidence) -> Turn:
    """ECS refuses to drain it: it goes on working, unless an earlier drain has left it DRAINING, or may."""
    drained = evidence.listed is not None and evidence.listed.status == "DRAINING"
    if evidence.accepted or not evidence.denied or drained or not evidence.settled:
        return None
    return Ended(removal=evidence.removal, gone=False, message="ECS refuses to drain it")


def _is_lost(evidence: RemovalEvidence) -> Turn:
    """Nobody is left to wait for; what was meant is done."""
    return _next_after_drain(evidence) if evidence.lost and not evidence.held else None


def _is_empty(evidence: RemovalEvidence) -> Turn:
    """By ECS's word while the agent is connected: of one that is away, it may have registered anew.

    ListTasks may lag behind (ECS API: eventual consistency), so the instance's own count must agree.
    """
    inspected = evidence.inspected
    if evidence.busy or evidence.held or inspected is None or inspected.instance is None:
        return None
    if inspected.tasks or inspected.instance.tasks > inspected.daemons:
        return None
    drained = inspected.instance.status == "DRAINING" and inspected.instance.agent_connected
    return _next_after_drain(evidence) if drained else None


def _next_after_drain(evidence: RemovalEvidence) -> RemovalStep:
    """A group that does not list it has nothing to let go."""
    return RemovalStep.TERMINATING if evidence.lifecycle_state is None else RemovalStep.DETACHING


def _is_detached(evidence: RemovalEvidence) -> Turn:
    """Not listed any more, by whatever call: an answer that was lost is found out so too."""
    refused = evidence.refusal is not None and evidence.refusal.code == NOT_A_MEMBER
    return RemovalStep.TERMINATING if evidence.lifecycle_state is None or refused else None


def _has_come_back(evidence: RemovalEvidence) -> Turn:
    """Its agent is there again before the group was told: what runs on it is not lost after all."""
    detaching = (evidence.lifecycle_state or "").startswith(_DETACHING)
    if not (evidence.connected and evidence.untouched) or detaching:
        return None
    if evidence.removal.cause is RemovalCause.DISCONNECTED:
        drained = evidence.listed is not None and evidence.listed.status == "DRAINING"
        if drained or not evidence.settled:
            return take_back(evidence, _CONNECTED_AGAIN)
        return Ended(removal=evidence.removal, gone=False, message=_CONNECTED_AGAIN)
    return RemovalStep.DRAINING if evidence.busy else _is_elsewhere(evidence)


def _group_keeps_it(evidence: RemovalEvidence) -> Turn:
    """The group would become smaller than it may: somebody raised its min size."""
    if evidence.refusal is None or evidence.refusal.code != BELOW_MIN_SIZE:
        return None
    return take_back(evidence, "the group would become smaller than its min size")


def _is_not_let_go(evidence: RemovalEvidence) -> Turn:
    """The group refuses to let it go, for a reason that is not the instance's: its room serves again."""
    known = (NOT_A_MEMBER, NOT_IN_SERVICE, BELOW_MIN_SIZE)
    if evidence.refusal is None or not evidence.denied or evidence.refusal.code in known:
        return None
    if not (evidence.healthy and evidence.untouched):
        return None
    return take_back(evidence, f"AWS refuses to let it go: {evidence.refusal.code}")


def _is_to_be_inspected_again(evidence: RemovalEvidence) -> Turn:
    """What was seen before a pause, or in an earlier life, tells nothing of what runs on it by now."""
    listed = evidence.listed
    active = evidence.read_anew and listed is not None and listed.status == "ACTIVE"
    refused = evidence.failed and (evidence.refusal is None or evidence.refusal.code != NOT_IN_SERVICE)
    detaching = (evidence.lifecycle_state or "").startswith(_DETACHING)
    if not (evidence.healthy and evidence.untouched) or detaching:
        return None
    return RemovalStep.DRAINING if active or refused or evidence.resumed else None


def _not_in_service(evidence: RemovalEvidence) -> Turn:
    """Unless it is our own detach that is under way, the group is replacing it already.

    A reading that still shows it in service is older than the refusal, which a detach of ours whose answer
    was lost may have earned: the next one tells.
    """
    refused = evidence.refusal is not None and evidence.refusal.code == NOT_IN_SERVICE
    state = evidence.lifecycle_state or ""
    if not refused or state == "InService" or state.startswith(_DETACHING):
        return None
    return Ended(removal=evidence.removal, gone=True, message="the group is replacing it already")


def _is_terminating(evidence: RemovalEvidence) -> Turn:
    unknown = evidence.refusal is not None and evidence.refusal.code == INSTANCE_UNKNOWN
    return RemovalStep.LEAVING if evidence.accepted or unknown else None


def _has_joined(evidence: RemovalEvidence) -> Turn:
    """A member whose agent is there before EC2 was told: whoever is there, it is judged anew.

    A healthy one may be listed by a reading that is older than its detach: it is looked at once more. One
    that is outside and at work is drained, so that this has an end.
    """
    state = evidence.lifecycle_state or ""
    is_member = bool(state) and not state.startswith((*_DETACHING, *_GOING))
    never_joined = evidence.removal.cause is RemovalCause.NEVER_JOINED
    if not (is_member or never_joined):
        return _is_at_work_outside(evidence)
    if not (evidence.connected and evidence.untouched):
        return None
    if evidence.healthy:
        return RemovalStep.DRAINING
    return Ended(removal=evidence.removal, gone=False, message="its agent is connected")


def _is_at_work_outside(evidence: RemovalEvidence) -> Turn:
    """Whether or not EC2 was told: a drain does no harm, and what runs there is never ended by us."""
    if not (evidence.connected and evidence.busy):
        return None
    removal = replace(evidence.removal, step=RemovalStep.DRAINING)
    return Moved(removal=removal, message="it is outside the group and at work; it goes once that has ended")


def _has_left(evidence: RemovalEvidence) -> Turn:
    """ECS forgets a connected instance by itself; one that never joined is only in the group's list."""
    never_joined = evidence.removal.cause is RemovalCause.NEVER_JOINED
    if evidence.listed is None and not (never_joined and evidence.lifecycle_state is not None):
        return Ended(removal=evidence.removal, gone=True, message=_UNLISTED)
    return None


def _is_back(evidence: RemovalEvidence) -> Turn:
    """By a reading that was sent after ECS accepted it: an older one shows what was before the drain.

    A drain whose answer was lost may come after its undoing, and would leave the instance DRAINING for good.
    """
    seen = evidence.accepted and evidence.read_anew and evidence.settled
    if seen and (evidence.listed is None or evidence.listed.status == "ACTIVE"):
        return Ended(removal=evidence.removal, gone=False, message="ECS shows it ACTIVE again")
    return None


RULES: dict[RemovalStep, tuple[_Rule, ...]] = {
    RemovalStep.DRAINING: (
        _is_gone,
        _group_is_at_it,
        _is_elsewhere,
        _is_a_member_again,
        _works_again,
        _somebody_got_in,
        _is_not_drained,
        _is_lost,
        _is_empty,
    ),
    RemovalStep.DETACHING: (
        _is_detached,
        _group_is_at_it,
        _has_come_back,
        _group_keeps_it,
        _not_in_service,
        _is_not_let_go,
        _is_to_be_inspected_again,
    ),
    RemovalStep.TERMINATING: (_is_terminating, _has_joined),
    RemovalStep.LEAVING: (_has_left,),
    RemovalStep.RETURNING: (_is_gone, _group_is_at_it, _is_elsewhere, _is_back),
}
"""What ends each step, in order."""
