"""The mishaps: one row a kind, each what it does to the world.

`pick` chooses an instance or an amount, `count` says how often, `for_s` for how long. Where nothing is there
to befall, nothing happens. An act tells `World.met` as it strikes: what is to befall a call, a launch or a
commit does so when that comes, if it does. The acts themselves are in `mishaps_of_calls`,
`mishaps_of_instances`, `mishaps_of_others` and `mishaps_of_the_process`.
"""

from collections.abc import Callable, Mapping

from scheduler.core.model.scaling import WishKind
from scheduler.lab.chaos import mishaps_of_calls as calls
from scheduler.lab.chaos import mishaps_of_instances as instances
from scheduler.lab.chaos import mishaps_of_others as others
from scheduler.lab.chaos import mishaps_of_the_process as process
from scheduler.lab.chaos.plan import Mishap, MishapKind
from scheduler.lab.chaos.world import World


def befall(world: World, mishap: Mishap) -> None:
    """The mishap happens now."""
    world.tell(
        "mishap", f"{mishap.kind} {mishap.operation} pick={mishap.pick} x{mishap.count} {mishap.for_s} s"
    )
    KINDS[mishap.kind](world, mishap)


def heal(world: World) -> None:
    """All that is wrong and would stay so, but for agents that are gone for good, is mended."""
    world.wire.heal()
    calls.answer_as_usual(world)
    world.service.store.heal()
    world.moments.clear()
    world.end_rival()
    world.tell("mishap", "no more: everything is mended")
    instances.mend(world)
    for mend in world.at_last:
        mend()
    if not world.plan.wishes_end:
        others.wish(world, WishKind.CLEAR, 0, None)


KINDS: Mapping[MishapKind, Callable[[World, Mishap], None]] = {
    MishapKind.THROTTLE: calls.fault("throttle"),
    MishapKind.ERROR_BEFORE: calls.fault("error_before"),
    MishapKind.ERROR_AFTER: calls.fault("error_after"),
    MishapKind.LOST_CALL: calls.fault("dropped_before"),
    MishapKind.LOST_ANSWER: calls.fault("dropped_after"),
    MishapKind.LATE_EFFECT: calls.late_effect,
    MishapKind.PARTIAL_READ: calls.fault("partial"),
    MishapKind.SLOW_ANSWERS: calls.slow_answers,
    MishapKind.AGENT_AWAY: instances.agent_away,
    MishapKind.MASS_DISCONNECT: instances.mass_disconnect,
    MishapKind.REREGISTRATION: instances.to_one(lambda world, ec2_id: world.account.reregister(ec2_id)),
    MishapKind.SPOT_KILL: instances.to_one(
        lambda world, ec2_id: world.account.terminate_instance(ec2_id, spot=True)
    ),
    MishapKind.TERMINATION: instances.to_one(lambda world, ec2_id: world.account.terminate_instance(ec2_id)),
    MishapKind.FAILED_LAUNCHES: instances.failed_launches,
    MishapKind.NEVER_JOINS: instances.never_joins,
    MishapKind.TASKS_NEVER_START: instances.tasks_never_start,
    MishapKind.STOPS_HANG: instances.for_a_while(instances.hang, instances.let_stop),
    MishapKind.LISTING_GAP: instances.for_a_while(instances.leave_out, instances.list_again),
    MishapKind.UNHEALTHY: instances.to_one(lambda world, ec2_id: world.account.set_unhealthy(ec2_id)),
    MishapKind.REBALANCED: others.zones_rebalanced,
    MishapKind.GROUP_LIMITS: others.group_limits,
    MishapKind.DESIRED_CHANGED: others.desired,
    MishapKind.FOREIGN_TASK: others.foreign_task,
    MishapKind.DRAINED: others.drained,
    MishapKind.SECOND_SCHEDULER: process.second_scheduler,
    MishapKind.CRASH: process.crash,
    MishapKind.CRASH_AT_COMMIT: process.crash_at_commit,
    MishapKind.CRASH_AT_CALL: process.crash_at_call,
    MishapKind.STORE_FULL: process.store_full,
    MishapKind.STORE_LOST: process.store_lost,
    MishapKind.STORE_RESTORED: process.store_restored,
    MishapKind.CLOCK_SET: process.clock_set,
    MishapKind.WISH: others.operator,
    MishapKind.REVISION_GONE: others.revision_gone,
    MishapKind.REVISIONS_OF_OTHERS: others.revisions_of_others,
    MishapKind.REGISTRATION_COLLIDES: calls.registrations_collide,
    MishapKind.BLACK_HOLE: instances.black_hole,
    MishapKind.OLD_STORE_RESTORED: process.old_store_restored,
    MishapKind.WARM_POOL: others.warm_pool,
    MishapKind.UNREACHABLE: calls.unreachable,
    MishapKind.CREDENTIALS_EXPIRED: calls.credentials_expired,
    MishapKind.ACCESS_DENIED: calls.access_denied,
}
"""What each kind does."""
