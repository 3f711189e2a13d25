"""Whatever happens in whatever order, the World keeps its books: a machine that tries."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.core.machine import SHAPES, Cluster


class Works(Cluster):
    """A cluster at work, or one of which nothing is known yet."""

    @initialize(start=st.sampled_from(["cold", "warm", "strange"]))
    def begin(self, start: str) -> None:
        """Cold: nothing was read. Warm: instances work, some tasks start, and one runs.

        Strange: the group has members, and the cluster has instances, and none of these is one of those.
        """
        if start == "warm":
            self.warm_up()
        elif start == "strange":
            self.truth.desired = 2
            self.truth.launch(self.steps.now_ms)
            self.truth.add_stranger()
            self.truth.add_stranger()
            for ask in SHAPES[:3] * 2:
                self.submit(ask, "bamboo", 0, "definition-1")

    def warm_up(self) -> None:
        self.truth.desired = 2
        for ask in SHAPES:
            self.truth.join(self.steps.now_ms)
            self.submit(ask, "bamboo", 0, "definition-1")
        while not self.truth.moving():
            self.turn(1_000)
        self.task_moves(0, 0)
        self.turn(3_000)
        self.turn(0)


TestWorks = pytest.mark.timeout(60)(Works.TestCase)
TestWorks.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
