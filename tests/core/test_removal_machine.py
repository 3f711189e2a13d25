"""Instances sicken, vanish, come back and are fought over: nothing that works is ever taken away."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from scheduler.core.model.calls import DetachInstances
from scheduler.core.model.records import ScaleRequested
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.scaling import WishKind
from tests.builders import a_wish
from tests.core.clusters import THROTTLED
from tests.core.history import OLD_MS
from tests.core.machine import SHAPES, Cluster, nth
from tests.core.truth import MAX_SIZE


class Upkeep(Cluster):
    """A warm cluster whose agents fail, whose group meddles, and whose operator changes his mind."""

    @initialize(lags=st.booleans(), ages=st.lists(st.booleans(), min_size=1, max_size=MAX_SIZE))
    def warm_up(self, lags: bool, ages: list[bool]) -> None:
        """Instances work, some of them too old; `lags`: the group lists what is detached for a while."""
        self.truth.detaching_lags = lags
        self.truth.desired = len(ages)
        for old in ages:
            self.truth.join(self.steps.now_ms - 2 * OLD_MS * old)
        for _ in range(3):
            self.turn(1_000)

    @rule(which=nth)
    def work_begins(self, which: int) -> None:
        """A task comes, is placed and runs."""
        self.submit(SHAPES[which % 2], "bamboo", 0, "definition-1")
        for _ in range(3):
            self.turn(1_000)
        for attempt_id in self.truth.moving():
            if self.truth.tasks[attempt_id].last_status == "PENDING":
                self.truth.advance(attempt_id, None)
        self.turn(2_000)

    @precondition(lambda self: self.truth.moving())
    @rule()
    def work_ends(self) -> None:
        """All tasks end well."""
        for _ in range(3):
            for attempt_id in self.truth.moving():
                self.truth.advance(attempt_id, 0)
            self.turn(2_000)

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth, minutes=st.sampled_from([3, 12, 22]))
    def agent_is_away(self, which: int, minutes: int) -> None:
        """For a while, with whatever runs on its instance; nobody gives it back."""
        arn = self.instance(which)
        self.truth.turn(arn, status=self.truth.instances[arn].status, agent_connected=False)
        self.minutes_pass(minutes)

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth)
    def agent_comes_back_in_time(self, which: int) -> None:
        """The group is being told to let its instance go, and has no time to listen."""
        arn = self.instance(which)
        instance = self.truth.instances[arn]
        if not self.truth.present(arn):
            return
        self.truth.turn(arn, status=instance.status, agent_connected=False)
        for _ in range(45):
            self.turn(30_000)
            for call in self.steps.awaited(DetachInstances):
                if instance.ec2_instance_id in call.ec2_instance_ids:
                    self.hear(call, THROTTLED)
                    self.agent_comes_back(which)
                    return

    @rule(which=nth, amount=st.sampled_from([NOTHING, *SHAPES[:2]]))
    def somebody_gets_in(self, which: int, amount: Resources) -> None:
        """Just before its drain takes effect, a task of others begins on an idle instance."""
        for _ in range(8):
            self.turn(30_000)
            if self.truth.instances and self.history.removals:
                self.others_come_and_go(which, amount)
                return

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth)
    def agent_comes_back(self, which: int) -> None:
        arn = self.instance(which)
        if self.truth.present(arn):
            self.truth.turn(arn, status=self.truth.instances[arn].status, agent_connected=True)

    @precondition(lambda self: 0 < len(self.truth.instances) < 2 * MAX_SIZE)
    @rule(which=nth)
    def agent_registers_again(self, which: int) -> None:
        """Under a new ARN; what ran under the old one runs on."""
        arn = self.instance(which)
        if self.truth.present(arn):
            self.truth.register_again(arn)

    @precondition(lambda self: self.truth.instances)
    @rule(which=nth)
    def becomes_a_ghost(self, which: int) -> None:
        """EC2 ended it while its agent was away: ECS goes on listing it."""
        arn = self.instance(which)
        if self.truth.present(arn):
            self.truth.turn(arn, status="ACTIVE", agent_connected=False)
            self.truth.leave(arn)

    @rule()
    def launches_one_that_does_not_join(self) -> None:
        self.truth.launch(self.steps.now_ms)

    @precondition(lambda self: self.truth.members)
    @rule(which=nth)
    def the_group_takes_one(self, which: int) -> None:
        """A health check, a scale-in, a rebalance: the group needs no reason."""
        member = list(self.truth.members)[which % len(self.truth.members)]
        self.truth.members[member] = "Terminating"

    @rule()
    def the_group_settles(self) -> None:
        self.truth.settle()

    @rule(size=st.integers(0, MAX_SIZE), kind=st.sampled_from(WishKind))
    def operator_wishes(self, size: int, kind: WishKind) -> None:
        self.steps.commit(ScaleRequested(wish=a_wish(size=size, kind=kind)))

    @rule(size=st.integers(0, 2))
    def operator_sets_min_size(self, size: int) -> None:
        """The console raises desired capacity with it (EC2 Auto Scaling API, UpdateAutoScalingGroup)."""
        self.truth.min_size = size
        self.truth.desired = max(self.truth.desired, size)

    def floor(self) -> int:
        wish = self.world.wish
        wished = wish.size if wish is not None and wish.kind is not WishKind.CLEAR else 0
        return max(super().floor(), min(wished, MAX_SIZE))


TestUpkeep = pytest.mark.timeout(60)(Upkeep.TestCase)
TestUpkeep.settings = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
