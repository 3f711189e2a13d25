"""What stands in for the world outside when the real service runs in the lab."""

from random import Random

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.codec_base import Backend


class SeededIds:
    """The ids port from one seed."""

    def __init__(self, seed: int) -> None:
        """The same seed gives the same ids."""
        self._random = Random(seed)
        self._count = 0

    def task_id(self, now_ms: int) -> str:
        """Sorts by order of asking."""
        self._count += 1
        return f"t-{self._count:026d}"

    def attempt_id(self) -> str:
        """36 characters of hexadecimal digits and hyphens."""
        text = f"{self._random.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def in_process_clients(backend: Backend, region: str) -> AwsClients:
    """In-process clients; acts and reads share them, since neither repeats a call."""
    ecs, scaling, ec2 = (InProcessClient(backend, each) for each in ("ecs", "autoscaling", "ec2"))
    return AwsClients(
        region=region,
        ecs=ecs,
        ecs_once=ecs,
        autoscaling=scaling,
        autoscaling_once=scaling,
        ec2=ec2,
        ec2_once=ec2,
        sts=InProcessClient(backend, "sts"),
    )


def in_process_log_clients(backend: Backend, region: str) -> LogClients:
    """In-process clients for logs and consoles; all regions are one."""
    logs = InProcessClient(backend, "logs")
    return LogClients(
        region=region,
        ecs=InProcessClient(backend, "ecs"),
        ec2=InProcessClient(backend, "ec2"),
        logs_in=lambda _: logs,
    )
