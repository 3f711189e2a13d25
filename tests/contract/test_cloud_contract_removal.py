"""The cloud port's contract: taking instances out, one step after the other."""

from collections.abc import Callable

import pytest

from scheduler.core.model.answers import BELOW_MIN_SIZE, INSTANCE_UNKNOWN, NOT_A_MEMBER, NOT_IN_SERVICE
from scheduler.simulated_aws.faults import FaultKind
from scheduler.simulated_aws.journal import Effect
from tests.contract.cloud_worlds import (
    GROUP,
    SimulatedWorld,
    World,
    WorldMaker,
    failure_in,
    unknown_like,
)

DETACHED_WITHIN_MS = 60_000
REPLACED_WITHIN_MS = 300_000
TERMINATED_WITHIN_MS = 60_000
UNKNOWN_ID = "i-0123456789abcdef0"


def statuses(world: World) -> dict[str, str]:
    return {each.arn: each.status for each in world.cloud.container_instances()}


class TestDraining:
    def test_a_drained_instance_is_seen_draining(self, world: World) -> None:
        """It alone, at the next reading."""
        first, second = sorted(statuses(world))
        assert world.cloud.set_draining((first,), draining=True) == ()
        assert statuses(world) == {first: "DRAINING", second: "ACTIVE"}

    def test_a_drained_instance_can_be_taken_back(self, world: World) -> None:
        """ACTIVE again, as if nothing had been."""
        before = statuses(world)
        world.cloud.set_draining(tuple(before), draining=True)
        assert world.cloud.set_draining(tuple(before), draining=False) == ()
        assert statuses(world) == before

    def test_draining_stops_nothing(self, world: World) -> None:
        """Standalone tasks run on to their end."""
        task = world.cloud.start_task(world.launch())
        world.cloud.set_draining((task.container_instance_arn,), draining=True)
        [seen], _ = world.cloud.describe_tasks((task.arn,))
        assert (seen.desired_status, seen.stop) == ("RUNNING", None)

    def test_an_unknown_instance_is_refused_by_itself(self, world: World) -> None:
        """The others are drained; the reason is ECS's."""
        arn = world.instance_arn()
        [(refused, reason)] = world.cloud.set_draining((arn, unknown_like(arn)), draining=True)
        assert (refused, reason) == (unknown_like(arn), "MISSING")
        assert statuses(world)[arn] == "DRAINING"

    def test_a_deregistered_instance_is_refused_by_itself(self, simulated: SimulatedWorld) -> None:
        """Somebody was faster: it will take no tasks, nor be made to."""
        arn = simulated.instance_arn()
        simulated.cloud.deregister_container_instance(arn)
        assert simulated.cloud.set_draining((arn,), draining=True) == ((arn, "INACTIVE"),)


class TestDeregistration:
    def test_a_deregistered_instance_is_gone_from_the_reading(self, world: World) -> None:
        """ECS forgets it; EC2 does not."""
        gone, stays = world.cloud.container_instances()
        world.cloud.deregister_container_instance(gone.arn)
        assert list(statuses(world)) == [stays.arn]
        assert world.ec2_state(gone.ec2_instance_id) == "running"

    def test_tasks_are_no_obstacle(self, world: World) -> None:
        """It is by force: whoever asks for it knows that they are lost."""
        arn = world.cloud.start_task(world.launch()).container_instance_arn
        world.cloud.deregister_container_instance(arn)
        assert arn not in statuses(world)

    def test_an_instance_that_ecs_does_not_know_is_no_failure(self, world: World) -> None:
        """It was forgotten already: by itself, by somebody, or by the call whose answer was lost."""
        arn = world.instance_arn()
        world.cloud.deregister_container_instance(arn)
        world.cloud.deregister_container_instance(arn)
        world.cloud.deregister_container_instance(unknown_like(arn))
        assert len(statuses(world)) == 1


class TestDetachment:
    def test_a_detached_member_takes_its_place_along(self, world: World) -> None:
        """With `decrement` the group is one smaller, at once, and launches nothing."""
        first, second = world.members()
        world.cloud.detach(GROUP, (first,), decrement=True)
        group = world.cloud.group(GROUP)
        assert group.desired == 1
        assert group.members[second].lifecycle_state == "InService"
        assert first not in group.members or group.members[first].lifecycle_state == "Detaching"

    def test_a_detached_member_runs_on(self, world: World) -> None:
        """In EC2 and in ECS: nobody owns it from now on but whoever detached it."""
        victim, before = world.members()[0], statuses(world)
        world.cloud.detach(GROUP, (victim,), decrement=True)
        assert world.ec2_state(victim) == "running"
        assert statuses(world) == before

    def test_without_decrement_it_is_replaced(self, world: World) -> None:
        """Desired capacity stays what it was."""
        world.cloud.detach(GROUP, tuple(world.members()), decrement=False)
        assert world.cloud.group(GROUP).desired == 2

    def test_the_group_forgets_it_after_a_while(self, simulated: SimulatedWorld) -> None:
        """And what was not decremented is launched anew."""
        first, second = simulated.members()
        simulated.cloud.detach(GROUP, (first,), decrement=False)
        simulated.clock.advance_ms(REPLACED_WITHIN_MS)
        members = simulated.members()
        assert (first in members, second in members, len(members)) == (False, True, 2)

    def test_who_is_no_member_is_told_as_such(self, world: World) -> None:
        """An unknown instance, or one that was detached before: the group has nothing to let go."""
        failure = failure_in(lambda: world.cloud.detach(GROUP, (UNKNOWN_ID,), decrement=True))
        assert (failure.definite, failure.code, failure.blames_request) == (True, NOT_A_MEMBER, False)

    def test_who_was_detached_is_no_member_any_more(self, simulated: SimulatedWorld) -> None:
        """First the group is at it, then it has forgotten: both are told apart."""
        victim = simulated.members()[0]

        def detach() -> None:
            simulated.cloud.detach(GROUP, (victim,), decrement=True)

        detach()
        assert failure_in(detach).code == NOT_IN_SERVICE
        simulated.clock.advance_ms(DETACHED_WITHIN_MS)
        assert failure_in(detach).code == NOT_A_MEMBER

    def test_a_group_does_not_shrink_below_its_min_size(self, make_world: WorldMaker) -> None:
        """That is the operator's word; without `decrement` it does not shrink."""
        world = make_world(min_size=2)
        victim = world.members()[0]
        failure = failure_in(lambda: world.cloud.detach(GROUP, (victim,), decrement=True))
        assert (failure.definite, failure.code) == (True, BELOW_MIN_SIZE)
        world.cloud.detach(GROUP, (victim,), decrement=False)

    def test_all_go_or_none(self, world: World) -> None:
        """One that cannot go keeps the others."""
        members = world.members()
        failure_in(lambda: world.cloud.detach(GROUP, (*members, UNKNOWN_ID), decrement=True))
        group = world.cloud.group(GROUP)
        assert (group.desired, sorted(group.members)) == (2, members)
        assert {each.lifecycle_state for each in group.members.values()} == {"InService"}

    def test_more_than_20_at_once_are_refused(self, world: World) -> None:
        """Definite, in Auto Scaling's words."""
        many = tuple(f"i-{number:017x}" for number in range(21))
        failure = failure_in(lambda: world.cloud.detach(GROUP, many, decrement=True))
        assert (failure.definite, failure.code) == (True, "ValidationError")


class TestTermination:
    def test_a_terminated_instance_ends(self, world: World) -> None:
        """EC2 says so at once."""
        victim, other = world.members()
        world.cloud.detach(GROUP, (victim,), decrement=True)
        world.cloud.terminate((victim,))
        assert world.ec2_state(victim) in ("shutting-down", "terminated")
        assert world.ec2_state(other) == "running"

    def test_terminating_twice_is_terminating_once(self, world: World) -> None:
        """EC2 takes it as done, for as long as it remembers the instance."""
        victim = world.members()[0]
        world.cloud.detach(GROUP, (victim,), decrement=True)
        world.cloud.terminate((victim,))
        world.cloud.terminate((victim,))
        assert world.ec2_state(victim) in ("shutting-down", "terminated")

    @pytest.mark.parametrize("nobody", [UNKNOWN_ID, "i-what"])
    def test_an_unknown_instance_saves_the_others(self, world: World, nobody: str) -> None:
        """One bad id fails the whole call: it is told, so that it can be left out."""
        victim = world.members()[0]
        failure = failure_in(lambda: world.cloud.terminate((victim, nobody)))
        assert (failure.definite, failure.code, failure.blames_request) == (True, INSTANCE_UNKNOWN, False)
        assert nobody in failure.message
        assert world.ec2_state(victim) == "running"

    def test_an_instance_that_ec2_has_forgotten_is_unknown(self, simulated: SimulatedWorld) -> None:
        """Terminated ones stay visible for about an hour."""
        victim = simulated.members()[0]
        simulated.cloud.terminate((victim,))
        visible_ms = simulated.account.settings.terminated_instance_visible_ms
        simulated.clock.advance_ms(visible_ms + TERMINATED_WITHIN_MS)
        assert failure_in(lambda: simulated.cloud.terminate((victim,))).code == INSTANCE_UNKNOWN


def drain(world: World) -> None:
    world.cloud.set_draining((world.instance_arn(),), draining=True)


def deregister(world: World) -> None:
    world.cloud.deregister_container_instance(world.instance_arn())


def detach(world: World) -> None:
    world.cloud.detach(GROUP, tuple(world.members()[:1]), decrement=True)


def terminate(world: World) -> None:
    world.cloud.terminate(tuple(world.members()[:1]))


ACTS: list[tuple[str, Callable[[World], None], Effect]] = [
    ("UpdateContainerInstancesState", drain, Effect.CONTAINER_INSTANCE_STATE_CHANGE),
    ("DeregisterContainerInstance", deregister, Effect.CONTAINER_INSTANCE_DEREGISTERED),
    ("DetachInstances", detach, Effect.DETACH_INSTANCES),
    ("TerminateInstances", terminate, Effect.INSTANCE_TERMINATING),
]


@pytest.mark.parametrize(("operation", "act", "effect"), ACTS, ids=[name for name, _, _ in ACTS])
class TestLostAnswers:
    @pytest.mark.parametrize("kind", ["error_before", "error_after", "dropped_before", "dropped_after"])
    def test_an_act_without_an_answer_is_unknown_and_was_sent_once(
        self,
        simulated: SimulatedWorld,
        operation: str,
        act: Callable[[World], None],
        effect: Effect,
        kind: FaultKind,
    ) -> None:
        """Whether it was heard is seen by looking; sent twice it might take two instances."""
        simulated.fault(operation, kind)
        assert not failure_in(lambda: act(simulated)).definite
        assert simulated.calls(operation) == 1
        assert len(list(simulated.account.journal.of(effect))) == (1 if kind.endswith("_after") else 0)

    def test_a_throttled_act_is_definite_and_not_repeated(
        self, simulated: SimulatedWorld, operation: str, act: Callable[[World], None], effect: Effect
    ) -> None:
        """The scheduler's own buckets decide when it is sent again."""
        simulated.fault(operation, "throttle")
        failure = failure_in(lambda: act(simulated))
        assert (failure.definite, failure.throttled) == (True, True)
        assert simulated.calls(operation) == 1
        assert list(simulated.account.journal.of(effect)) == []
