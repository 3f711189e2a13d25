"""The composition root: the one place where ports meet adapters.

`build` takes everything that differs between production, the demo and the lab; nothing else is ever
replaced. `App` starts and stops the parts in the order that loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import boto3

from scheduler.adapters.aws.clients import AwsClients, ClientSettings, make_clients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.consoles import AwsConsoles
from scheduler.adapters.aws.container_logs import AwsContainerLogs
from scheduler.adapters.aws.log_clients import LogClients, make_log_clients
from scheduler.adapters.datadog.intake import intake_for
from scheduler.adapters.datadog.sender import Sender
from scheduler.adapters.memory import MemoryConsoles, MemoryLogs
from scheduler.adapters.sqlite.store import SqliteStore
from scheduler.adapters.system import SystemClock, SystemIds, elapsed_ms
from scheduler.api.server import ApiServer, ApiSettings
from scheduler.config import Settings
from scheduler.core.model.mark import Mark
from scheduler.core.world.world import World
from scheduler.ports.clock import Clock
from scheduler.ports.cloud import Cloud
from scheduler.ports.consoles import Consoles
from scheduler.ports.ids import Ids
from scheduler.ports.logs import ContainerLogs
from scheduler.ports.store import Store
from scheduler.services.autoscaling import AutoscalingService
from scheduler.services.calls import Carrier
from scheduler.services.compaction import Compaction
from scheduler.services.control_loop import ControlLoop
from scheduler.services.driver import CallPool, Driver
from scheduler.services.lanes import CALLS_AT_ONCE, Lanes, default_limits
from scheduler.services.logs.poller import LogPoller
from scheduler.services.logs.reads import READ_AT_ONCE
from scheduler.services.logs.tails import LogTails
from scheduler.services.placement import PlacementService
from scheduler.services.queue_limit import QueueLimit
from scheduler.services.reporter import Reporting, ReportingLoop
from scheduler.services.watch import WatchHub
from scheduler.services.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything between the store and AWS that has no thread: what every driver drives."""

    store: Store
    queue: QueueLimit
    clock: Clock
    ids: Ids
    loop: ControlLoop
    lanes: Lanes
    carrier: Carrier
    settings: Settings

    def resume(self) -> None:
        """Rebuilds from the store what the last life knew; nothing is decided or carried out before."""
        stored = self.store.load()
        self.carrier.recall(each for each in stored.scaling if each.group == self.settings.group)
        self.loop.resume(replace(stored, live=self.queue.resume(stored.live)), self.clock.now_ms())


def build_engine(
    settings: Settings,
    *,
    clock: Clock,
    ids: Ids,
    cloud: Cloud,
    store: Store,
    consoles: Consoles | None = None,
    reporting: Reporting | None = None,
) -> Engine:
    """The control loop on its World, and the carrier of its calls; `reporting` is whom the loop tells.

    Without `consoles` none says anything.
    """
    own = Mark(service_id=settings.service_id, store_epoch=store.epoch, since_ms=clock.now_ms())
    world = World(
        settings.policy, settings.group, cluster=settings.cluster, own=own, observe_only=settings.observe_only
    )
    lanes = Lanes(default_limits(settings.aws_share))
    return Engine(
        store=store,
        queue=QueueLimit(store, most=settings.policy.max_lines_per_tenant),
        clock=clock,
        ids=ids,
        loop=(
            ReportingLoop(world, lanes, ids, settings.cluster, to=reporting)
            if reporting
            else ControlLoop(world, lanes, ids, settings.cluster)
        ),
        lanes=lanes,
        carrier=Carrier(
            cloud=cloud,
            consoles=consoles or MemoryConsoles(),
            store=store,
            clock=clock,
            agents=settings.agents,
            mark=own,
        ),
        settings=settings,
    )


class App:
    """An engine with its threads and its services: writer, loop, pool of calls, watch hub."""

    def __init__(
        self, engine: Engine, sender: Sender | None = None, *, logs: ContainerLogs | None = None
    ) -> None:
        """Nothing runs before `start`. `sender` is what the engine's loop tells, if there is one.

        Without `logs` no container has any.
        """
        self._engine = engine
        self._poller = LogPoller(logs or MemoryLogs(), engine.clock, engine.settings.logs.reads_per_s)
        self._sender = sender
        self._on_health: Callable[[bool], None] = lambda writable: None
        self._on_defect: Callable[[], object] = lambda: None
        self.defective = False
        self.hub = WatchHub(engine.store)
        self._writer = Writer(
            engine.queue,
            committed=lambda message: self._driver.deliver(message),
            advanced=self.hub.revision_committed,
            health=lambda writable: self._on_health(writable),
            compact=Compaction(
                engine.store, engine.clock, task_retention_ms=engine.settings.policy.task_retention_ms
            ).go_on,
        )
        self._driver = Driver(
            engine.loop, lanes=engine.lanes, writer=self._writer, clock=engine.clock, failed=self._fail
        )
        self._pool = CallPool(engine.carrier.carry_out, self._driver.deliver, threads=CALLS_AT_ONCE)
        self.placement = PlacementService(
            writer=self._writer,
            store=engine.store,
            clock=engine.clock,
            ids=engine.ids,
            agents=engine.settings.agents,
            digest=lambda: engine.loop.digest,
            allowed=engine.settings.allowed,
        )
        self.autoscaling = AutoscalingService(
            lambda: engine.loop.digest,
            ask=lambda question: self._driver.deliver(question),
            writer=self._writer,
            clock=engine.clock,
            group=engine.settings.group,
        )

    def start(self, failed: Callable[[], object]) -> None:
        """Rebuilds the World from the store and starts the threads.

        `failed` is called, on another thread, when a defect has ended the loop or the writer: the process
        should end too.
        """
        self._on_defect = failed
        if self._sender is not None:
            self._sender.start()
        self._engine.resume()
        self._writer.start(self._fail)
        self._driver.start(self._pool)
        self._poller.start()

    def stop(self) -> None:
        """Ends the loop, which keeps what it hears to the last call, then the writer; releases the store.

        What is still to be told is sent last, when nothing waits for it any more.
        """
        self._poller.stop()
        self._driver.stop()
        self._writer.stop()
        self._engine.store.close()
        if self._sender is not None:
            self._sender.close()

    def _fail(self) -> None:
        self.defective = True
        self._on_defect()

    def serve(self) -> ApiServer:
        """The gRPC server over this app; call it on the running event loop."""
        settings = self._engine.settings
        server = ApiServer(
            self.placement,
            self.autoscaling,
            self._engine.store,
            hub=self.hub,
            tails=LogTails(
                self._poller,
                self._engine.store,
                self.hub,
                tails_max=settings.logs.tails_max,
                tenant_max=settings.logs.tails_per_tenant,
                patience_ms=settings.logs.patience_ms,
            ),
            settings=ApiSettings(
                drain_delay_s=settings.drain_delay_s,
                insecure_listen=settings.insecure_listen,
                tls=settings.tls,
            ),
        )
        self._on_health = server.set_serving
        return server


def open_store(settings: Settings) -> SqliteStore:
    """The durable store. Raises StoreError with one line for an operator."""
    return SqliteStore(Path(settings.store))


def aws_clients(region: str, *, endpoint_url: str | None, session: boto3.Session) -> AwsClients:
    """boto3's clients, made once."""
    settings = ClientSettings(region=region, endpoint_url=endpoint_url, max_pool_connections=CALLS_AT_ONCE)
    return make_clients(session, settings)


def log_clients(region: str, *, endpoint_url: str | None, session: boto3.Session) -> LogClients:
    """boto3's clients for logs, made once; the session is theirs."""
    settings = ClientSettings(region=region, endpoint_url=endpoint_url, max_pool_connections=READ_AT_ONCE)
    return make_log_clients(session, settings)


def build(
    settings: Settings,
    *,
    clients: AwsClients,
    log_clients: LogClients,
    clock: Clock | None = None,
    sender: Sender | None = None,
) -> App:
    """The service on AWS, or on something that speaks AWS's protocols."""
    engine = build_engine(
        settings,
        clock=clock or SystemClock(),
        ids=SystemIds(),
        cloud=AwsCloud(clients, cluster=settings.cluster, named_types=settings.instance_types),
        store=open_store(settings),
        consoles=_consoles(settings, log_clients),
        reporting=Reporting(sender, elapsed_ms) if sender else None,
    )
    return App(engine, sender, logs=AwsContainerLogs(log_clients))


def _consoles(settings: Settings, clients: LogClients) -> AwsConsoles:
    """To the log group that containers log to."""
    options = dict(settings.agents.log_options)
    return AwsConsoles(
        clients, group=options.get("awslogs-group", ""), group_region=options.get("awslogs-region", "")
    )


def make_sender(settings: Settings) -> Sender | None:
    """What tells Datadog, if it is to be told. Its times are real ones, whatever passes on AWS's side."""
    datadog = settings.datadog
    return Sender(intake_for(datadog, SystemClock()), secret=datadog.api_key) if datadog else None
