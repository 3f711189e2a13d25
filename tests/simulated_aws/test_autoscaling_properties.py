"""Bad things that never happen to the group, whatever is called in whatever order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.journal import Effect
from tests.simulated_aws.driver import HOUR_MS, Driver, make_account

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["desired", "detach", "swap", "kill", "fail", "limits", "pass"]), st.integers(0, 8)
    ),
    max_size=30,
)


class Run:
    """Carries out steps on a group whose instances are protected, as the service's are."""

    def __init__(self) -> None:
        self.account: Driver = make_account(
            desired_capacity=3, max_size=8, scaling_reaction_ms=(0, 5_000), detach_ms=(0, 40_000)
        )

    def step(self, kind: str, number: int) -> None:
        group = self.account.described_group()
        ids = [member["InstanceId"] for member in group["Instances"]]
        match kind:
            case "desired":
                self._try("SetDesiredCapacity", DesiredCapacity=number)
            case "detach" | "swap":
                chosen = ids[: number // 3 + 1]
                decrement = kind == "detach"
                self._try("DetachInstances", InstanceIds=chosen, ShouldDecrementDesiredCapacity=decrement)
            case "kill" if ids:
                self.account.aws.terminate_instance(ids[number % len(ids)])
            case "fail":
                self.account.aws.fail_launches(number, "no capacity")
            case "limits":
                self.account.aws.set_group_limits(number // 2, max(number, 1))
            case "pass":
                self.account.pass_ms(number * 5_000)

    def _try(self, operation: str, **params: Any) -> None:
        """A refusal changes nothing."""
        before = self.account.described_group()
        try:
            self.account.group(operation, **params)
        except ApiError:
            assert self.account.described_group() == before

    def check(self) -> None:
        group = self.account.described_group()
        assert group["MinSize"] <= group["DesiredCapacity"] <= group["MaxSize"]
        detached = {e["ec2InstanceId"] for e in self.account.effects(Effect.INSTANCE_DETACHED)}
        assert self._alive() <= detached | self.account.members().keys()
        assert not detached & self.account.members().keys()

    def _alive(self) -> set[str]:
        rows = self.account.aws.instances()
        return {row["ec2InstanceId"] for row in rows if row["state"] in ("pending", "running")}


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_instance_is_lost(steps: list[tuple[str, int]]) -> None:
    """Desired keeps to the sizes; every instance that runs is a member, or was detached by a call."""
    run = Run()
    for kind, number in steps:
        run.step(kind, number)
        run.check()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_group_that_is_left_alone_gets_what_it_wants(steps: list[tuple[str, int]]) -> None:
    """Once launches succeed again there are as many members as are desired, or more where protected."""
    run = Run()
    for kind, number in steps:
        run.step(kind, number)
    run.account.aws.fail_launches(0, "")
    run.account.pass_ms(2 * HOUR_MS)
    states = list(run.account.members().values())
    assert set(states) <= {"InService"}
    assert len(states) >= run.account.described_group()["DesiredCapacity"]
