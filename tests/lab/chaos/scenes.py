"""Scenes for invariants: what the account's journal tells, what became durable, and how it all ended."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Self

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.calls import Call
from scheduler.core.model.mark import TAG_PREFIX, Mark
from scheduler.core.model.records import Record
from scheduler.lab.chaos import invariants
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.plan import Account, Mishap, Plan, Tuning
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.lab.chaos.stage import CLUSTER, SERVICE_ID
from scheduler.lab.chaos.truth import Entry, Origin, Truth
from scheduler.ports.store import Written
from scheduler.services.control_loop import Step
from scheduler.simulated_aws.journal import Effect
from tests.builders import a_view, attempt, ec2_id, instance_arn
from tests.clocks import START_MS

OURS, THEIRS = "ours", "theirs"
"""Epochs: of the store that is judged, and of any other."""

PLAN = Plan(
    seed=1,
    quiet_s=600,
    account=Account(
        instance_types=("m5.xlarge",),
        launch_source="launch_template",
        min_size=0,
        max_size=4,
        desired=1,
        launch_ms=(5_000, 5_000),
        agent_registration_ms=(5_000, 5_000),
    ),
    tuning=Tuning(cluster_poll_s=5),
    jobs=(),
    mishaps=(),
)
"""A small group, read every five seconds, and an AWS that hides nothing."""


class Story:
    """What happens one after the other, to the account and to the store. Each method is one thing more."""

    def __init__(self, *mishaps: Mishap) -> None:
        """Nothing has happened yet; `mishaps` are those of the plan."""
        plan = replace(PLAN, mishaps=mishaps)
        self.now_ms = START_MS
        self.scene = Scene(plan=plan, truth=Truth(), book=Book(epoch=OURS))
        self.scene.truth.limits.append((0, plan.account.min_size, plan.account.max_size))
        self.store = MemoryStore(epoch=OURS)

    # ---- what happens

    def later(self, seconds: float) -> Self:
        """Time passes."""
        self.now_ms += int(seconds * 1_000)
        return self

    def entry(self, effect: Effect, by: Origin = Origin.SERVICE, **fields: Any) -> Entry:
        """An entry of the journal that is still to be taken: invariants judge it before that."""
        return Entry(at_ms=self.now_ms, effect=effect, origin=by, fields=fields)

    def happens(self, effect: Effect, by: Origin = Origin.SERVICE, **fields: Any) -> Self:
        """An entry of the journal, taken."""
        self.scene.truth.take(self.entry(effect, by, **fields))
        return self

    def commits(self, *records: Record) -> Self:
        """Records become durable."""
        results = self.store.commit([records])
        assert isinstance(results[0], Written), "a story commits what its store takes"
        self.scene.book.note([records], results, self.now_ms)
        return self

    # ---- what often happens

    def joins(self, number: int = 1) -> Self:
        """An instance is launched, in service, and in the cluster."""
        ec2, arn = ec2_id(number), instance_arn(number)
        self.happens(Effect.INSTANCE_LAUNCHED, Origin.AWS, ec2InstanceId=ec2, instanceType="m5.xlarge")
        self.happens(Effect.INSTANCE_IN_SERVICE, Origin.AWS, ec2InstanceId=ec2)
        return self.happens(
            Effect.CONTAINER_INSTANCE_REGISTERED, Origin.AWS, containerInstanceArn=arn, ec2InstanceId=ec2
        )

    def start(self, of: Attempt | None = None, epoch: str = OURS) -> Entry:
        """The start of an attempt's ECS task, still to be taken."""
        of = of or attempt()
        return self.entry(
            Effect.START_TASK,
            taskArn=task_arn(of),
            containerInstanceArn=of.container_instance_arn,
            taskDefinitionArn=of.task_definition_arn,
            startedBy=of.attempt_id,
            tags={**mark(epoch, self.now_ms).tags(), TAG_PREFIX + "task": of.task_id},
        )

    def starts(self, of: Attempt | None = None, epoch: str = OURS) -> Self:
        """The ECS task of an attempt is started, and RUNNING at once."""
        self.scene.truth.take(self.start(of, epoch))
        return self.is_now("RUNNING", of)

    def is_now(
        self,
        status: str,
        of: Attempt | None = None,
        *,
        exit_code: int | None = None,
        stop_code: str = "EssentialContainerExited",
    ) -> Self:
        """ECS shows the task of an attempt as this."""
        return self.happens(
            Effect.TASK_STATE_CHANGE,
            Origin.AWS,
            taskArn=task_arn(of or attempt()),
            lastStatus=status,
            desiredStatus="STOPPED" if status in ("DEACTIVATING", "STOPPING", "STOPPED") else "RUNNING",
            exitCode=exit_code,
            stopCode=stop_code if exit_code is not None else "",
            reason="",
        )

    # ---- what is judged

    def judged(self, entry: Entry) -> "Case":
        """What an invariant of effects looks at."""
        return (self.scene, entry)

    def called(self, operation: str, **params: Any) -> "Case":
        """What an invariant of calls looks at."""
        return (self.scene, operation, params, self.now_ms)

    def stepped(self, *records: Record, calls: tuple[Call, ...] = ()) -> "Case":
        """What an invariant of steps looks at."""
        step = Step(now_ms=self.now_ms, view=a_view(), records=records, calls=calls, unplaced=())
        return (self.scene, step)

    def ended(self, **changes: Any) -> "Case":
        """What an invariant of the end looks at: a group that came to rest."""
        fields: dict[str, Any] = {
            "store": self.store,
            "at_ms": self.now_ms,
            "instances": [],
            "settled": True,
            "inherited": frozenset(),
            "conditions": {},
        }
        return (self.scene, Ending(**(fields | changes)))


Case = tuple[Any, ...]
"""What an invariant is asked about."""


def mark(epoch: str, since_ms: int = START_MS, *, service_id: str = SERVICE_ID) -> Mark:
    """The mark of whoever has this store."""
    return Mark(service_id=service_id, store_epoch=epoch, since_ms=since_ms)


def revision_tags(service_id: str) -> dict[str, str]:
    """How a service tags the revisions that it registers."""
    own = {TAG_PREFIX + "config-hash": "definition-1", TAG_PREFIX + "cluster": CLUSTER}
    return own | mark(OURS, service_id=service_id).tags()


def task_arn(of: Attempt) -> str:
    """The ARN of an attempt's ECS task."""
    return f"arn:aws:ecs:us-east-1:123456789012:task/ci/{of.attempt_id}"


# ---- tests

_ASKED: tuple[Callable[..., str | None], ...] = (
    *invariants.ON_EFFECT,
    *invariants.ON_CALL,
    *invariants.ON_STEP,
    *invariants.AT_END,
    *invariants.AFTERWARDS,
)

JUDGES = {each.__name__: each for each in _ASKED}
"""Every invariant that is asked about a case, by its name."""

FAILING: dict[str, Callable[[], None]] = {}
"""The tests in which an invariant is seen to fail, by its name."""


def fails(name: str) -> Callable[[Callable[[], tuple[Case, Case]]], Callable[[], None]]:
    """Makes a test of two cases: of the first the invariant complains, of the second beside it not."""

    def test_of(cases: Callable[[], tuple[Case, Case]]) -> Callable[[], None]:
        @wraps(cases)
        def test() -> None:
            broken, whole = cases()
            assert JUDGES[name](*broken), f"{name} sees nothing wrong"
            wrong = JUDGES[name](*whole)
            assert wrong is None, f"{name} complains: {wrong}"

        FAILING[name] = test
        return test

    return test_of
