"""Placement, as the API sees it: admission of requests. Where tasks go is decided by the control loop."""

from collections.abc import Callable, Sequence

from scheduler.core.agents import AgentSettings, Expansion, expand
from scheduler.core.autoscaling.scale_up import largest_suited, smallest_that_holds
from scheduler.core.model.allow_lists import DEFAULT_ALLOW_LISTS, AllowLists
from scheduler.core.model.digest import ClusterDigest
from scheduler.core.model.group import InstanceType
from scheduler.core.model.records import CancelRequested, TaskSubmitted
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskRequest
from scheduler.core.validate import forbidden, oversized, unfetchable, validate
from scheduler.ports.clock import Clock
from scheduler.ports.ids import Ids
from scheduler.ports.store import Store
from scheduler.services.errors import InvalidRequest, NeverFits, NotAllowed, ServiceError
from scheduler.services.fingerprint import fingerprint
from scheduler.services.writer import Done, Writer


class PlacementService:
    """Admits requests: valid, able to run at all, and durable before they are answered."""

    def __init__(
        self,
        *,
        writer: Writer,
        store: Store,
        clock: Clock,
        ids: Ids,
        agents: AgentSettings,
        digest: Callable[[], ClusterDigest],
        allowed: AllowLists = DEFAULT_ALLOW_LISTS,
    ) -> None:
        """`digest` gives the cluster as the loop last saw it; its types decide what never fits."""
        self._writer = writer
        self._store = store
        self._clock = clock
        self._ids = ids
        self._agents = agents
        self._digest = digest
        self._allowed = allowed

    def admit(self, request: TaskRequest) -> TaskSubmitted:
        """The record that makes the request a task. Raises InvalidRequest, NotAllowed or NeverFits."""
        violations = validate(request)
        if violations:
            raise InvalidRequest(violations)
        expansion = expand(request.spec, self._agents)
        refusal = self._refusal(request, expansion)
        # An accepted request stays accepted: a client that repeats it must not take its work elsewhere.
        if refusal and self._store.find_request(request.tenant, request.request_id) is None:
            raise refusal
        now_ms = self._clock.now_ms()
        return TaskSubmitted(
            task_id=self._ids.task_id(now_ms),
            request=request,
            fingerprint=fingerprint(request),
            ask=expansion.ask,
            build_key=expansion.build_key,
            definition_key=expansion.definition_key,
            main_container=expansion.main_container,
            at_ms=now_ms,
        )

    def submit(self, record: TaskSubmitted, done: Done) -> None:
        """Makes it durable; `done` is called on the writer's thread. Never blocks."""
        self._writer.submit(record, done)

    def cancel(self, task_id: str, done: Done) -> None:
        """Makes the wish durable that the task be cancelled; `done` is called on the writer's thread."""
        self._writer.submit(CancelRequested(task_id=task_id, at_ms=self._clock.now_ms()), done)

    def _refusal(self, request: TaskRequest, expansion: Expansion) -> ServiceError | None:
        """Why a new request would be refused: by how the service is set up, or what its group can launch."""
        if violations := oversized(request.spec, expansion.definition_bytes):
            return InvalidRequest(violations)
        if violations := unfetchable(request.spec, self._agents):
            return InvalidRequest(violations)
        if violations := forbidden(request, self._agents, self._allowed):
            return NotAllowed(violations)
        return never_fits(expansion.ask, self._digest().types)


def never_fits(ask: Resources, types: Sequence[InstanceType]) -> NeverFits | None:
    """Judged on the group's types, never on what runs or is free; unknown types admit all."""
    if not types or smallest_that_holds(ask, types) is not None:
        return None
    largest = largest_suited(ask, types)
    return NeverFits(ask, largest, _lacking(ask, largest.allocatable))


def _lacking(ask: Resources, room: Resources) -> tuple[str, ...]:
    """The dimensions of which `room` has too little."""
    short = {
        "cpu": ask.cpu > room.cpu,
        "memory_mib": ask.memory_mib > room.memory_mib,
        "gpus": ask.gpus > room.gpus,
        "architecture": not ask.suits(room),
    }
    return tuple(name for name, lacks in short.items() if lacks)
