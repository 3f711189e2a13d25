"""`aws-sim`: the simulated AWS as a process of its own, for demos, tests and experiments."""

import asyncio
import re
import signal
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from scheduler.adapters.system import ScaledClock, SystemClock
from scheduler.api.address import MalformedAddress, host_and_port
from scheduler.cli.complaint import ExitCode, give_up
from scheduler.cli.iam import read_policy
from scheduler.cli.options import finite
from scheduler.simulated_aws.iam_policy import IamPolicy
from scheduler.simulated_aws.journal import Journal
from scheduler.simulated_aws.settings import RangeMs, SimulationSettings

REGISTRATION_SHARE = 0.6
"""Of a boot, the part between EC2's `running` and the agent's registration: image, user data, Docker."""

LONGEST_S = 31_536_000

LAST_EPOCH_MS = 32_503_679_999_999
"""The end of the year 2999: the simulation's time goes on from there, and dates end with the year 9999."""

_MS = re.compile(r"[0-9]+")
_DEFAULTS = SimulationSettings()


InstanceTypes = Annotated[
    list[str] | None, typer.Option(help="May be repeated; several make a mixed-instances group.")
]
LogGroups = Annotated[list[str] | None, typer.Option(help="A log group that is there. May be repeated.")]
PolicyFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Allow callers what this IAM policy says, no more.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where the simulation listens and how its time runs."""

    host: str
    port: int
    rate: float
    epoch_ms: int
    journal: Journal


def aws_sim(
    *,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Port 0 takes a free one.")] = (
        "127.0.0.1:4599"
    ),
    rate: Annotated[
        float, typer.Option(min=0.001, callback=finite, help="How many times as fast as real time.")
    ] = 1.0,
    epoch: Annotated[
        str | None, typer.Option(metavar="ISO|MS", help="The simulation's time at the start; now if unset.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append every effect here, one JSON object a line.")
    ] = None,
    cluster: Annotated[str, typer.Option(help="Name of the ECS cluster.")] = _DEFAULTS.cluster,
    group: Annotated[
        str, typer.Option(help="Name of the Auto Scaling group.")
    ] = _DEFAULTS.auto_scaling_group,
    minimum: Annotated[int, typer.Option("--min", help="The group's min size.")] = _DEFAULTS.min_size,
    maximum: Annotated[int, typer.Option("--max", help="The group's max size.")] = _DEFAULTS.max_size,
    desired: Annotated[int, typer.Option(help="Desired capacity.")] = _DEFAULTS.desired_capacity,
    instance_type: InstanceTypes = None,
    log_group: LogGroups = None,
    run_s: Annotated[str, typer.Option(metavar="MIN:MAX", help="How long agents work.")] = "60:600",
    boot_s: Annotated[
        str, typer.Option(metavar="MIN:MAX", help="From a launch to the agent's registration.")
    ] = "45:100",
    throttling: Annotated[bool, typer.Option("--throttling", help="At AWS's documented rates.")] = False,
    iam_policy: PolicyFile = None,
    seed: Annotated[int, typer.Option(help="Of every duration that is drawn.")] = _DEFAULTS.seed,
) -> None:
    """Run a simulated AWS account: ECS, Auto Scaling and EC2 in AWS's own protocols, for any SDK."""
    launch_ms, registration_ms = split_boot(_range_ms("--boot-s", boot_s))
    types = tuple(instance_type or _DEFAULTS.instance_types)
    try:
        settings = SimulationSettings(
            cluster=cluster,
            auto_scaling_group=group,
            seed=seed,
            throttling=throttling,
            min_size=minimum,
            max_size=maximum,
            desired_capacity=desired,
            instance_types=types,
            launch_source="mixed_instances" if len(types) > 1 else "launch_template",
            log_groups=tuple(log_group or _DEFAULTS.log_groups),
            run_ms=_range_ms("--run-s", run_s),
            launch_ms=launch_ms,
            agent_registration_ms=registration_ms,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    host, port = _host_and_port(listen)
    running = Running(host=host, port=port, rate=rate, epoch_ms=_epoch_ms(epoch), journal=_opened(journal))
    try:
        asyncio.run(_serve(settings, running, read_policy(iam_policy, settings)))
    except OSError as error:
        give_up(f"cannot run at {listen}: {error.strerror or error}", ExitCode.REFUSED)
    except ModuleNotFoundError as error:
        give_up(f"{error.name} is missing: pip install 'ecs-scheduler[simulated-aws]'", ExitCode.REFUSED)


async def _serve(settings: SimulationSettings, running: Running, policy: IamPolicy | None) -> None:
    # Imported here: the HTTP front's library is an extra, which the service itself does without.
    from scheduler.simulated_aws.account import SimulatedAws
    from scheduler.simulated_aws.acts import perform
    from scheduler.simulated_aws.callers import Caller
    from scheduler.simulated_aws.faults import Fault
    from scheduler.simulated_aws.http import ClockReading, HttpFront

    clock = ScaledClock(SystemClock().now_ms(), running.epoch_ms, running.rate)
    account = SimulatedAws(clock, settings, running.journal)

    def read_clock() -> ClockReading:
        return ClockReading(epoch_ms=running.epoch_ms, rate=running.rate, now_ms=clock.now_ms())

    def add_fault(fault: dict[str, Any]) -> None:
        account.faults.add(Fault(**fault))

    front = HttpFront(
        Caller(account, policy) if policy else account,
        read_clock=read_clock,
        add_fault=add_fault,
        act=partial(perform, account),
        read_instances=account.instances,
    )
    url = await front.start(running.host, running.port)
    print(f"simulated AWS on {url} with {_described(settings)}; time runs {running.rate:g}x", flush=True)
    await _stop_requested()
    await front.stop()
    running.journal.close()


def _opened(journal: Path | None) -> Journal:
    try:
        return Journal(journal)
    except OSError as error:
        give_up(f"cannot write the journal {journal}: {error.strerror or error}", ExitCode.REFUSED)


def _described(settings: SimulationSettings) -> str:
    return (
        f"cluster {settings.cluster}, group {settings.auto_scaling_group} "
        f"({settings.min_size}..{settings.max_size}) in {settings.region}"
    )


async def _stop_requested() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopping.set)
    await stopping.wait()


def _range_ms(option: str, text: str) -> RangeMs:
    low, _, high = text.partition(":")
    try:
        least, most = float(low), float(high or low)
    except ValueError:
        raise typer.BadParameter(f"{option}: expected MIN:MAX in seconds, not {text!r}") from None
    if not 0 <= least <= most:
        raise typer.BadParameter(f"{option}: MIN is from 0 to MAX")
    if most > LONGEST_S:
        raise typer.BadParameter(f"{option}: MAX is at most a year, {LONGEST_S:,} s")
    return int(least * 1000), int(most * 1000)


def split_boot(boot_ms: RangeMs) -> tuple[RangeMs, RangeMs]:
    """A boot's two parts: the launch, and the registration of the agent."""
    low, high = (int(edge * REGISTRATION_SHARE) for edge in boot_ms)
    return (boot_ms[0] - low, boot_ms[1] - high), (low, high)


def _host_and_port(listen: str) -> tuple[str, int]:
    try:
        host, port = host_and_port(listen)
    except MalformedAddress as error:
        raise typer.BadParameter(f"--listen: {error}") from error
    if not host:
        raise typer.BadParameter(f"--listen: expected HOST:PORT, not {listen!r}")
    return host, port


def _epoch_ms(epoch: str | None) -> int:
    if epoch is None:
        return SystemClock().now_ms()
    try:
        epoch_ms = int(epoch) if _MS.fullmatch(epoch) else _moment_ms(epoch)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"--epoch: expected ISO 8601 or milliseconds, not {epoch!r}") from None
    if not 0 <= epoch_ms <= LAST_EPOCH_MS:
        raise typer.BadParameter(f"--epoch: from 1970 to 2999, not {epoch}")
    return epoch_ms


def _moment_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
