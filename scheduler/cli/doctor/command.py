"""`doctor`: the command."""

import os
from typing import Annotated

import structlog
import typer

from scheduler.cli.complaint import ExitCode
from scheduler.cli.doctor.examination import examine
from scheduler.cli.doctor.findings import Verdict
from scheduler.cli.options import Output, OutputFormat
from scheduler.cli.simulation import check_url, default_environment


def doctor(
    *,
    simulated_aws: Annotated[
        str | None, typer.Option(metavar="URL", help="Look at `aws-sim` at this URL instead of AWS.")
    ] = None,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Look at everything that the service needs, with the settings of `serve`, and say what to do.

    Nothing is changed. Each line is `ok`, `warning`, `problem` or `not checked`; the exit code is 1 if there
    is a problem.
    """
    if simulated_aws is not None:
        check_url("--simulated-aws", simulated_aws)
    # What the adapter logs by itself the findings say better.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    environment = {**(default_environment() if simulated_aws else {}), **os.environ}
    worst = ExitCode.OK
    for finding in examine(environment, simulated_aws):
        print(finding.json_line() if output is Output.JSON else finding.line(), flush=True)
        if finding.verdict is Verdict.PROBLEM:
            worst = ExitCode.REFUSED
    raise typer.Exit(worst)
