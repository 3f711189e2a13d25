"""Starting and stopping the server."""

import asyncio
import threading

import grpc
import pytest
from grpc import aio

from scheduler.adapters.memory import MemoryLogs, MemoryStore
from scheduler.api.address import (
    MalformedAddress,
    ServerAddressError,
    host_and_port,
    refuse_open_listener,
    with_port,
)
from scheduler.api.server import ApiServer, ApiSettings
from scheduler.core.model.task import TaskEvent
from scheduler.ports.store import StoreError
from scheduler.services.watch import WatchHub
from tests.api.served import (
    QUICK,
    QUICK_LOGS,
    FakePlacement,
    PlayedLoop,
    autoscaling_over,
    refusal,
    schedule_request,
    serving,
    tails_over,
)
from tests.api.watches import revisions, until, until_synced, watching
from tests.builders import submitted


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:0", "127.8.9.1:50051", "[::1]:50051", "ipv6:[::1]:1", "localhost:50051", "unix:/run/x.sock"],
)
def test_loopback_is_allowed(address: str) -> None:
    """Addresses that only this machine reaches need no permission."""
    refuse_open_listener(address, insecure_listen=False)


@pytest.mark.parametrize("address", ["0.0.0.0:50051", "[::]:50051", "10.0.0.7:50051", "ci.example:1", ":1"])
def test_other_addresses_need_the_operators_word(address: str) -> None:
    """Anything else is refused, in one line that names the option, unless it is given."""
    with pytest.raises(ServerAddressError, match="--insecure-listen") as refused:
        refuse_open_listener(address, insecure_listen=False)
    assert "\n" not in str(refused.value)
    refuse_open_listener(address, insecure_listen=True)


@pytest.mark.parametrize("port", ["0", "50051", "65535"])
def test_port_of_sixteen_bits(port: str) -> None:
    """A port is from 0 to 65535."""
    assert host_and_port(f"[::1]:{port}") == ("[::1]", int(port))


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "+1", "", "http", "1e3", "\u0661", "9" * 5_000])
def test_other_ports_are_refused(port: str) -> None:
    """gRPC would take such a port modulo 65536, and listen where nobody looks."""
    with pytest.raises(MalformedAddress, match="65535"):
        host_and_port(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("address", "served"),
    [
        ("127.0.0.1:0", "127.0.0.1:50051"),
        ("[::1]:0", "[::1]:50051"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("unix-abstract:x", "unix-abstract:x"),
    ],
)
def test_the_address_that_is_told_can_be_called(address: str, served: str) -> None:
    """With the port that was taken for 0; a socket's file has none."""
    assert with_port(address, 50_051) == served


def test_missing_port_is_named() -> None:
    """An address without a colon lacks its port, and is told so."""
    with pytest.raises(MalformedAddress, match="'foo' has no port"):
        host_and_port("foo")


@pytest.mark.asyncio
async def test_malformed_address_is_refused_before_anything_listens() -> None:
    """The server does not listen at a port that nobody named, whoever starts it."""
    async with serving() as served:
        with pytest.raises(MalformedAddress):
            await served.server.start("127.0.0.1:99999")


@pytest.mark.asyncio
async def test_port_in_use_is_one_clear_line() -> None:
    """A second server on the same port does not start, and says why in one line."""
    async with serving() as first:
        store = MemoryStore()
        hub = WatchHub(store)
        placement = FakePlacement(store, hub)
        autoscaling, _ = autoscaling_over(store, hub, PlayedLoop())
        _, tails = tails_over(store, hub, MemoryLogs(), QUICK_LOGS)
        second = ApiServer(placement, autoscaling, store, hub=hub, tails=tails, settings=QUICK)
        with pytest.raises(ServerAddressError, match=f"cannot listen on {first.address}") as refused:
            await second.start(first.address)
        await second.stop(grace_s=0)
        placement.writer.shutdown()
    assert "\n" not in str(refused.value)


@pytest.mark.asyncio
async def test_open_address_is_refused_before_anything_listens() -> None:
    """The start refuses other addresses than loopback."""
    async with serving() as served:
        with pytest.raises(ServerAddressError, match="no authentication"):
            await served.server.start("0.0.0.0:0")


@pytest.mark.asyncio
async def test_calls_in_flight_are_answered_before_the_stop() -> None:
    """A call that was accepted before the stop gets its answer within the grace."""
    disk = threading.Event()
    async with serving() as served:
        served.placement.writer.submit(disk.wait, 30)
        call = asyncio.ensure_future(served.scheduler.Schedule(schedule_request()))
        while not served.placement.accepted:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(served.server.stop(grace_s=20))
        while await listening(served.address):
            await asyncio.sleep(0.01)
        disk.set()
        answer = await call
        await stopping
    assert answer.task.revision == 1


async def listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


@pytest.mark.asyncio
async def test_new_watches_are_refused_while_stopping() -> None:
    """Once watches were ended, a new one is UNAVAILABLE at once."""
    async with serving() as served:
        served.hub.close()
        with pytest.raises(aio.AioRpcError) as caught:
            await until_synced(watching(served))
    assert refusal(caught.value).code is grpc.StatusCode.UNAVAILABLE


class UnreadableStore(MemoryStore):
    """A store whose log cannot be read for a while."""

    unreadable = 0

    def events_after(self, revision: int, limit: int) -> list[TaskEvent]:
        if self.unreadable:
            self.unreadable -= 1
            raise StoreError("disk on fire")
        return super().events_after(revision, limit)


@pytest.mark.asyncio
async def test_watches_survive_a_store_that_cannot_be_read_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tail tries again, and nothing is lost."""
    monkeypatch.setattr("scheduler.api.server.TAIL_RETRY_S", 0.01)
    store = UnreadableStore()
    async with serving(store, ApiSettings(drain_delay_s=0)) as served:
        watch = watching(served)
        await until_synced(watch)
        while not served.hub.watchers:
            await asyncio.sleep(0.01)
        store.unreadable = 2
        served.commit(submitted(1))
        told = await until(watch, 1)
    assert revisions(told) == [1]
