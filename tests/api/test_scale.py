"""Scale over the wire: durable wishes, plans that change nothing, and every refusal."""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest
from grpc import aio

from ecs_scheduler.v1.capacity_pb2 import Clear
from ecs_scheduler.v1.scaling_pb2 import ScaleRequest, ScaleResponse
from scheduler.api.server import ApiSettings
from scheduler.core.model.scaling import KeptInstance, ScaleWish, WishKind
from scheduler.ports.store import StoreError
from scheduler.services.asking import AskPlan
from tests.api.instances import a_plan
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import a_group, a_scaling_event, a_wish
from tests.clocks import START_MS

pytestmark = pytest.mark.asyncio

UUID = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a10"
OTHER_UUID = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a11"
HOUR = Duration(seconds=3_600)


def reading(served: Served, **changes: Any) -> None:
    """The loop has read the group: 0 to 50 instances unless a test says otherwise."""
    served.loop.digest = replace(served.loop.digest, group=a_group(**changes))


async def scaled(served: Served, **asked: Any) -> ScaleResponse:
    fields: dict[str, Any] = {"request_id": UUID}
    return await served.scaling.Scale(ScaleRequest(**(fields | asked)), timeout=30)


async def refused(served: Served, **asked: Any) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await scaled(served, **asked)
    return refusal(caught.value)


async def test_wish_is_durable_before_it_is_answered() -> None:
    """The answer is the wish with its times, and the store has it then."""
    async with serving() as served:
        reading(served)
        answer = await scaled(served, floor=5, expiry=HOUR)
        stored = served.store.load().wish
    expected = ScaleWish(
        request_id=UUID,
        group="ci",
        kind=WishKind.FLOOR,
        size=5,
        at_ms=START_MS,
        expires_ms=START_MS + 3_600_000,
    )
    assert stored == expected
    assert (answer.wish.floor, answer.wish.group, answer.wish.request_id) == (5, "ci", UUID)
    assert answer.wish.expire_time.seconds - answer.wish.create_time.seconds == 3_600
    assert not answer.HasField("plan")


@pytest.mark.parametrize(
    ("asked", "kind", "size"),
    [
        ({"floor": 0}, WishKind.FLOOR, 0),
        ({"target": 7}, WishKind.TARGET, 7),
        ({"target": 50}, WishKind.TARGET, 50),
        ({"clear": Clear()}, WishKind.CLEAR, 0),
    ],
    ids=str,
)
async def test_every_wish(asked: dict[str, Any], kind: WishKind, size: int) -> None:
    """A floor and a target may be anything from min to max size; either may be cleared; none needs an end."""
    async with serving() as served:
        reading(served)
        answer = await scaled(served, group="ci", **asked)
        wish = served.store.load().wish
    assert wish is not None
    assert (wish.kind, wish.size, wish.expires_ms) == (kind, size, None)
    assert answer.wish.WhichOneof("size") == next(iter(asked))
    assert not answer.wish.HasField("expire_time")


async def test_same_wish_again_is_the_same_answer() -> None:
    """A repeated request id with the same wish gets the earlier answer, in either case of its digits."""
    async with serving() as served:
        reading(served)
        first = await scaled(served, floor=5, expiry=HOUR)
        await scaled(served, floor=6, request_id=OTHER_UUID)
        again = await scaled(served, floor=5, expiry=HOUR, request_id=UUID.upper())
        present = served.store.load().wish
    assert again == first
    assert present is not None
    assert present.size == 6


@pytest.mark.parametrize(
    "other", [{"floor": 6}, {"target": 5}, {"floor": 5, "expiry": HOUR}, {"clear": Clear()}], ids=str
)
async def test_other_wish_under_the_same_id(other: dict[str, Any]) -> None:
    """A request id that was used for a different wish is ALREADY_EXISTS, and the wish stays as it was."""
    async with serving() as served:
        reading(served)
        await scaled(served, floor=5)
        told = await refused(served, **other)
        wish = served.store.load().wish
    assert (told.code, told.info.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_TAKEN")
    assert wish is not None
    assert (wish.kind, wish.size, wish.expires_ms) == (WishKind.FLOOR, 5, None)


async def test_present_wish_repeated_under_new_limits() -> None:
    """Who repeats the present wish learns that it is accepted, although the group is smaller since."""
    async with serving() as served:
        reading(served)
        first = await scaled(served, floor=5)
        reading(served, max_size=4)
        served.loop.digest = replace(served.loop.digest, wish=served.store.load().wish)
        assert await scaled(served, floor=5) == first


@pytest.mark.parametrize("size", [-1, 1, 51, 2**31 - 1])
async def test_size_outside_the_group(size: int) -> None:
    """A size that the group does not allow is OUT_OF_RANGE and names both limits; nothing is kept."""
    async with serving() as served:
        reading(served, min_size=2)
        told = [await refused(served, floor=size), await refused(served, target=size, dry_run=True)]
        assert served.store.load().wish is None
    for each in told:
        assert (each.code, each.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "SIZE_OUT_OF_RANGE")
        assert (each.info.metadata["min_size"], each.info.metadata["max_size"]) == ("2", "50")
        assert "min size 2" in each.message
        assert "max size 50" in each.message


async def test_unknown_group() -> None:
    """Another group than the service's is NOT_FOUND, and its own is named."""
    async with serving() as served:
        reading(served)
        told = await refused(served, group="builds", floor=1)
    assert (told.code, told.info.reason) == (grpc.StatusCode.NOT_FOUND, "GROUP_NOT_FOUND")
    assert told.info.metadata["led_group"] == "ci"


async def test_group_that_was_not_read() -> None:
    """Before AWS told the group's limits no size can be judged: UNAVAILABLE with a delay, also for a plan."""
    async with serving() as served:
        told = [await refused(served, floor=1), await refused(served, dry_run=True)]
        assert served.store.load().wish is None
    for each in told:
        assert (each.code, each.info.reason) == (grpc.StatusCode.UNAVAILABLE, "GROUP_UNREAD")
        assert each.retry_s > 0


async def test_clearing_needs_no_group() -> None:
    """What has no size needs no limits."""
    async with serving() as served:
        assert (await scaled(served, clear=Clear())).wish.HasField("clear")


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"request_id": "7", "expiry": Duration(seconds=-1)}, ["request_id", "expiry", "wish", "expiry"]),
        ({}, ["wish"]),
        ({"floor": 1, "expiry": Duration()}, ["expiry"]),
        ({"floor": 1, "expiry": Duration(seconds=30 * 86_400 + 1)}, ["expiry"]),
        ({"floor": 1, "expiry": Duration(seconds=1, nanos=-1)}, ["expiry"]),
        ({"clear": Clear(), "expiry": HOUR}, ["expiry"]),
        ({"dry_run": True, "expiry": HOUR}, ["expiry"]),
        ({"dry_run": True, "request_id": ""}, ["request_id"]),
    ],
    ids=str,
)
async def test_wrong_fields_are_named(asked: dict[str, Any], fields: list[str]) -> None:
    """Every field that is wrong is named, and nothing is kept."""
    async with serving() as served:
        reading(served)
        told = await refused(served, **asked)
        assert served.store.load().wish is None
    bad = told.details[BadRequest]
    assert isinstance(bad, BadRequest)
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.field for each in bad.field_violations] == fields


async def test_store_that_cannot_be_written() -> None:
    """UNAVAILABLE with a delay; the same request succeeds after it."""
    async with serving() as served:
        reading(served)
        served.store.fail_next = StoreError("disk full")
        told = await refused(served, floor=1)
        assert (await scaled(served, floor=1)).wish.floor == 1
    assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert told.retry_s > 0


async def test_plan_changes_nothing() -> None:
    """A dry run asks the loop what it would do under the wish, and keeps nothing."""
    event = a_scaling_event(4, held="OBSERVE_ONLY", desired_before=0)
    kept = KeptInstance(ec2_instance_id="i-1", container_instance_arn="arn", reason="the floor is 3")
    async with serving() as served:
        reading(served)
        served.loop.plan = a_plan(desired_after=4, held="OBSERVE_ONLY", actions=(event,), kept=(kept,))
        answer = await scaled(served, target=4, dry_run=True)
        [asked] = served.loop.asked
        assert served.store.load().wish is None
    assert isinstance(asked, AskPlan)
    assert asked.wish == a_wish(request_id=UUID, kind=WishKind.TARGET, size=4)
    assert not answer.HasField("wish")
    plan = answer.plan
    assert (plan.desired, plan.desired_after, plan.floor, plan.ceiling) == (3, 4, 0, 50)
    assert (plan.held, plan.kept[0].reason) == ("OBSERVE_ONLY", "the floor is 3")
    [action] = plan.actions
    assert (action.code, action.message) == ("DEMAND", "tasks wait for room")
    # From 0: an absent number is told from it.
    assert (action.HasField("desired_before"), action.desired_before, action.desired_after) == (True, 0, 4)


async def test_plan_under_the_present_wish() -> None:
    """A dry run without a wish asks about the one that counts."""
    async with serving() as served:
        served.loop.plan = a_plan()
        answer = await scaled(served, dry_run=True)
        [asked] = served.loop.asked
    assert isinstance(asked, AskPlan)
    assert asked.wish is None
    assert answer.plan.desired == 3


async def test_loop_that_does_not_answer() -> None:
    """A plan that does not come in time is DEADLINE_EXCEEDED, though the client set no deadline."""
    settings = ApiSettings(drain_delay_s=0, default_deadline_s=0.1)
    async with serving(settings=settings) as served:
        served.loop.mute = True
        with pytest.raises(aio.AioRpcError) as caught:
            await served.scaling.Scale(ScaleRequest(request_id=UUID, dry_run=True))
    assert refusal(caught.value).code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_many_at_once() -> None:
    """Of many different wishes under one request id one is accepted, and the others are told so."""
    async with serving() as served:
        reading(served)
        calls = (scaled(served, floor=size) for size in range(10))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        wish = served.store.load().wish
    [accepted] = [answer.wish for answer in answers if isinstance(answer, ScaleResponse)]
    assert wish is not None
    assert accepted.floor == wish.size
