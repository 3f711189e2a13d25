"""`serve`: the service itself, until it is told to stop."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import boto3
import structlog
import typer
import uvloop
from botocore.exceptions import BotoCoreError

from scheduler.adapters.aws.access import AccessProblem, check_access
from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.adapters.aws.region import RegionUnknown, resolve_region
from scheduler.adapters.aws.request_counts import count_requests
from scheduler.adapters.datadog.sender import Sender
from scheduler.adapters.system import SystemClock
from scheduler.api.address import ServerAddressError, check_address, refuse_open_listener, with_port
from scheduler.api.certificate_check import CertificateError
from scheduler.api.tls import check_files
from scheduler.bootstrap import App, aws_clients, build, log_clients, make_sender
from scheduler.cli.complaint import ExitCode, give_up
from scheduler.cli.interpreter import tune
from scheduler.cli.logs import configure_logs
from scheduler.cli.simulation import (
    SimulationUnreachable,
    check_url,
    default_environment,
    dummy_session,
    shared_clock,
)
from scheduler.config import Settings, SettingsError, load_settings
from scheduler.ports.clock import Clock
from scheduler.ports.store import StoreError
from scheduler.ports.telemetry import Telemetry


class Defect(Exception):
    """The service has ended itself because of a defect of its own."""


WRONG_SETTINGS = (SettingsError, RegionUnknown, CertificateError)
CANNOT_SERVE = (AccessProblem, ServerAddressError, SimulationUnreachable, StoreError, BotoCoreError, Defect)

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service finds around it: AWS, or what stands in for it."""

    clients: AwsClients
    log_clients: LogClients
    caller: str


def serve(
    *,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Address to listen on; port 0 takes a free one.")
    ] = None,
    insecure_listen: Annotated[
        bool, typer.Option("--insecure-listen", help="Allow other addresses than loopback without TLS.")
    ] = False,
    store: Annotated[str | None, typer.Option(metavar="FILE", help="The durable queue's file.")] = None,
    observe_only: Annotated[
        bool, typer.Option("--observe-only", help="Do nothing to AWS; log and stream what would be done.")
    ] = False,
    simulated_aws: Annotated[
        str | None, typer.Option(metavar="URL", help="Work on `aws-sim` at this URL instead of AWS.")
    ] = None,
) -> None:
    """Run the service. Settings come from the environment; options win over it."""
    if simulated_aws is not None:
        check_url("--simulated-aws", simulated_aws)
    given = {
        "ECS_SCHEDULER_LISTEN": listen,
        "ECS_SCHEDULER_INSECURE_LISTEN": "true" if insecure_listen else None,
        "ECS_SCHEDULER_OBSERVE_ONLY": "true" if observe_only else None,
        "ECS_SCHEDULER_STORE": store,
    }
    environment = {
        **(default_environment() if simulated_aws else {}),
        **os.environ,
        **{name: value for name, value in given.items() if value is not None},
    }
    try:
        settings = load_settings(environment)
        check_listener(settings)
        _end_by_signals()
        clock: Clock = shared_clock(simulated_aws) if simulated_aws else SystemClock()
        configure_logs(clock)
        sender = make_sender(settings)
        around = _surroundings(settings, environment, simulated_aws, sender)
        uvloop.run(_run(settings, around, clock=clock, sender=sender))
    except WRONG_SETTINGS as error:
        give_up(str(error), ExitCode.USAGE)
    except CANNOT_SERVE as error:
        give_up(str(error), ExitCode.REFUSED)
    except KeyboardInterrupt:  # before it listens to signals itself
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def check_listener(settings: Settings) -> None:
    """Before AWS is asked for anything. Raises SettingsError or CertificateError."""
    try:
        check_address(settings.listen)
        if settings.tls is None:
            refuse_open_listener(settings.listen, settings.insecure_listen)
    except ServerAddressError as error:
        raise SettingsError(f"--listen (ECS_SCHEDULER_LISTEN): {error}") from error
    if settings.tls is not None:
        check_files(settings.tls)


async def _run(settings: Settings, around: Surroundings, *, clock: Clock, sender: Sender | None) -> None:
    stopping = _stop_requested()
    app = build(settings, clients=around.clients, log_clients=around.log_clients, clock=clock, sender=sender)
    loop = asyncio.get_running_loop()
    app.start(lambda: loop.call_soon_threadsafe(stopping.set))
    tune()
    try:
        await _serve(app, settings, around, stopping)
    finally:
        await asyncio.to_thread(app.stop)
        around.clients.close()
        around.log_clients.close()
    log.info("stopped")
    if app.defective:
        raise Defect("a defect of its own has ended the service; the log has the details")


async def _serve(app: App, settings: Settings, around: Surroundings, stopping: asyncio.Event) -> None:
    server = app.serve()
    port = await server.start(settings.listen)
    address = with_port(settings.listen, port)
    log.info(
        "serving",
        address=address,
        tls=_protection(settings),
        cluster=settings.cluster,
        group=settings.group,
        region=around.clients.region,
        caller=around.caller,
        store=settings.store,
    )
    print(f"listening on {address}", flush=True)
    await stopping.wait()
    log.info("stopping", drain_delay_s=settings.drain_delay_s)
    await server.stop(settings.stop_grace_s)


def _protection(settings: Settings) -> str:
    if settings.tls is None:
        return "off"
    return "server" if settings.tls.client_ca is None else "mutual"


def _surroundings(
    settings: Settings, environment: Mapping[str, str], simulated_aws: str | None, told: Telemetry | None
) -> Surroundings:
    """Raises what `serve` complains about, before anything is opened or started."""
    session = dummy_session() if simulated_aws else boto3.Session()
    if told is not None:
        count_requests(session, told)
    region = session.region_name if simulated_aws else resolve_region(environment, session, settings.cluster)
    clients = aws_clients(region, endpoint_url=simulated_aws, session=session)
    return Surroundings(
        clients=clients,
        log_clients=log_clients(region, endpoint_url=simulated_aws, session=session),
        caller=check_access(clients, settings.cluster),
    )


def _end_by_signals() -> None:
    """SIGTERM or SIGINT ends a start that AWS does not answer; a container's first process would ignore one.

    That is what man 7 pid_namespaces says of signals that have no handler.
    """
    for each in _STOP_SIGNALS:
        signal.signal(each, signal.default_int_handler)


def _stop_requested() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _STOP_SIGNALS:
        loop.add_signal_handler(each, stopping.set)
    return stopping
