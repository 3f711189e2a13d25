"""The consoles port: EC2's console output, written to CloudWatch Logs."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from scheduler.adapters.aws.failures import cloud_errors, failure_of
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.texts import milliseconds, scrubbed
from scheduler.core.model.answers import Failure
from scheduler.ports.cloud import CloudError
from scheduler.ports.consoles import ConsoleEvidence

STREAM_PREFIX = "pbc-ec2-instance-stale"
"""Where operators have looked for these consoles for years."""

NO_OUTPUT = "EC2 has no console output of it"
NO_GROUP = "no log group is set: awslogs-group is no log option"

_BATCH_BYTES = 1_048_576
_BATCH_EVENTS = 10_000
_OVERHEAD_BYTES = 26
"""CloudWatch Logs API: PutLogEvents. A console has 64 KB at most (EC2 API: GetConsoleOutput)."""


class AwsConsoles:
    """Reads and writes through `clients`; any thread may call. `group` is empty where there is none."""

    def __init__(self, clients: LogClients, *, group: str, group_region: str = "") -> None:
        self._ec2 = clients.ec2
        self._logs = clients.logs_in(group_region or clients.region)
        self._group = group

    def save(self, ec2_instance_id: str) -> ConsoleEvidence:
        """`ec2:GetConsoleOutput`, then `logs:CreateLogStream` and `logs:PutLogEvents`."""
        try:
            answer = self._console(ec2_instance_id)
        except CloudError as error:
            return ConsoleEvidence(output="", problem=f"GetConsoleOutput: {error}")
        output = scrubbed(answer.get("Output", ""))
        if not output.strip():
            return ConsoleEvidence(output="", problem=NO_OUTPUT)
        if not self._group:
            return ConsoleEvidence(output=output, problem=NO_GROUP)
        stream = f"{STREAM_PREFIX}/{ec2_instance_id}"
        try:
            self._write(stream, output, milliseconds(answer["Timestamp"]))
        except CloudError as error:
            return ConsoleEvidence(output=output, problem=f"log group {self._group}: {error}")
        return ConsoleEvidence(output=output, stream=stream)

    @cloud_errors()
    def _console(self, ec2_instance_id: str) -> Shape:
        """The console of now, where the instance can show it; else what EC2 posted after the launch."""
        try:
            return self._ec2.get_console_output(InstanceId=ec2_instance_id, Latest=True)
        except ClientError as error:
            if not failure_of(error).code.startswith("Unsupported"):
                raise
        return self._ec2.get_console_output(InstanceId=ec2_instance_id)

    @cloud_errors()
    def _write(self, stream: str, output: str, time_ms: int) -> None:
        try:
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=stream)
        except ClientError as error:
            if failure_of(error).code != "ResourceAlreadyExistsException":
                raise
        for lines in _batches(output):
            events = [{"timestamp": time_ms, "message": line} for line in lines]
            answer = self._logs.put_log_events(
                logGroupName=self._group, logStreamName=stream, logEvents=events
            )
            # An answer of 200: a console is as old as its instance's launch, and may be too old to be taken.
            if rejected := answer.get("rejectedLogEventsInfo"):
                raise CloudError(Failure(definite=True, code="REJECTED", message=str(rejected)))


def _batches(output: str) -> Iterator[list[str]]:
    """Lines that say something, as many at a time as one call takes."""
    batch: list[str] = []
    size_bytes = 0
    for line in filter(str.strip, output.splitlines()):
        line_bytes = len(line.encode()) + _OVERHEAD_BYTES
        if batch and (size_bytes + line_bytes > _BATCH_BYTES or len(batch) == _BATCH_EVENTS):
            yield batch
            batch, size_bytes = [], 0
        batch.append(line)
        size_bytes += line_bytes
    yield batch
