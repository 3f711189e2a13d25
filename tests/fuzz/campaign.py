"""A campaign: cases in batches, and after each batch the proof that the service still does its work."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from google.protobuf.message import DecodeError, Message
from grpc import aio

from tests.fuzz.calling import Answer, answer_to
from tests.fuzz.cases import Case, Cases
from tests.fuzz.judge import complaints_of, may_stay_open
from tests.fuzz.probe import probe
from tests.fuzz.requests import Seen
from tests.fuzz.rpcs import Rpc, every_rpc
from tests.fuzz.service import Service, connected
from tests.fuzz.wire import HTTP2, send

AT_ONCE = 32
"""Calls under way at a time."""

CALLS_PER_CONNECTION = 40
"""Among so many messages one is a connection of bytes that are no gRPC."""

MAX_FINDINGS = 20
"""After so many, the rest says nothing new."""


@dataclass(kw_only=True)
class Account:
    """What came of a campaign: calls by RPC and code, and what must not be."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def table(self) -> Iterator[str]:
        """A line for each RPC with its codes, the most frequent first."""
        for path in sorted({path for path, _ in self.calls}):
            codes = [(count, code) for (of, code), count in self.calls.items() if of == path]
            told = ", ".join(f"{code} {count:,}" for count, code in sorted(codes, reverse=True))
            yield f"{path:75} {told}"


class Campaign:
    """One run against one service. The same seed draws the same cases, but for what answers taught it."""

    def __init__(self, service: Service, seed: int) -> None:
        self.account = Account()
        self._service = service
        self._seen = Seen()
        self._rpcs = {rpc.path: rpc for rpc in every_rpc()}
        self._random = Random(seed)
        self._cases = Cases(self._random, self._seen, tuple(self._rpcs.values()))

    async def run(self, messages: int, *, batch: int) -> Account:
        """All of them, in batches; ends early when enough was found."""
        await self._probe()
        while messages > 0 and len(self.account.findings) < MAX_FINDINGS:
            connections = min(batch, messages) // CALLS_PER_CONNECTION
            await self.play(self._cases.draw() for _ in range(min(batch, messages) - connections))
            # For themselves: some have the listener renewed, and calls that come meanwhile are refused.
            await self.play(self._cases.draw_connection() for _ in range(connections))
            messages -= batch
            await self._probe()
        self._check_rejected()
        return self.account

    async def play(self, cases: Iterator[Case]) -> None:
        """These cases, so many at once."""
        async with connected(self._service) as channel, asyncio.TaskGroup() as workers:
            for _ in range(AT_ONCE):
                workers.create_task(self._work(channel, cases))

    async def _work(self, channel: aio.Channel, cases: Iterator[Case]) -> None:
        for case in cases:
            rpc = self._rpcs.get(case.path)
            answer = await self._answer(channel, case, rpc)
            if rpc:
                self._learn(rpc, case, answer)
            for complaint in complaints_of(rpc, case, answer, self._service.secrets):
                self._find(f"{complaint}\n  {case.line()}")
            self._drain_complaints(case)

    async def _answer(self, channel: aio.Channel, case: Case, rpc: Rpc | None) -> Answer:
        if case.path == HTTP2:
            answer = Answer(code=await send(self._service.address, case.bodies[0]))
        else:
            answer = await answer_to(channel, case, stays_open=may_stay_open(rpc, case))
        known = rpc is not None or case.path == HTTP2
        self.account.calls[case.path if known else "no such method", answer.code] += 1
        return answer

    def _drain_complaints(self, case: Case | None = None) -> None:
        """What the service itself noticed, with a case that was under way."""
        while self._service.complaints:
            near = f"\n  near {case.line()[:2_000]}" if case else ""
            self._find(self._service.complaints.pop(0) + near)

    def _find(self, finding: str) -> None:
        if len(self.account.findings) < MAX_FINDINGS:
            self.account.findings.append(finding)

    def _learn(self, rpc: Rpc, case: Case, answer: Answer) -> None:
        """Ids and tokens for later cases."""
        for body in answer.messages[:1]:
            try:
                response = rpc.kind.response.FromString(body)
                self._note(response, rpc.kind.request.FromString(case.bodies[0]))
            except DecodeError:
                return  # the judge tells of it

    def _note(self, response: Message, request: Message) -> None:
        task = getattr(response, "task", None)
        tasks = getattr(response, "tasks", [task] if task else [])
        self._seen.tasks.extend((each.tenant, each.task_id) for each in list(tasks)[:3])
        for given, taken in (("next_page_token", "page_token"), ("resume_token", "resume_token")):
            if token := getattr(response, given, ""):
                setattr(request, taken, token)
                self._seen.next_requests.append(request)

    async def _probe(self) -> None:
        async with connected(self._service) as channel:
            if problem := await probe(channel, self._random.getrandbits(128)):
                self._find(f"after {self.account.calls.total():,} messages: {problem}")
        self._drain_complaints()

    def _check_rejected(self) -> None:
        for task in self._service.rejected():
            self._find(f"accepted, and AWS would not have it: {task.status.stop_reason} {task}")
