"""Sends messages of every kind of wrongness to every RPC of a running service, and judges the answers.

Run as `python -m scripts.fuzz`, or as `make fuzz MESSAGES=100000`. It prints the calls by RPC and code. A
finding is printed with its case as a line, which `--case` plays again; the exit code is then 1.
"""

import asyncio
import sys
import zlib
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.fuzz.campaign import Account, Campaign
from tests.fuzz.cases import Case, case_of
from tests.fuzz.service import fuzzed_service

BATCH = 2_000
"""Messages between two proofs that the service still does its work."""


def main() -> int:
    """The exit code: 1 if anything was found."""
    parser = ArgumentParser(prog="python -m scripts.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=_count, default=100_000, metavar="N", help="how many to send")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what they are drawn from")
    parser.add_argument("--case", type=_case, metavar="LINE", help="play this one instead; - reads it")
    account = uvloop.run(_run(parser.parse_args()))
    print(*account.table(), *account.findings, sep="\n")
    return 1 if account.findings else 0


def _count(text: str) -> int:
    """Raises ArgumentTypeError unless it is at least one."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise ArgumentTypeError(f"expected a number from 1, not {text!r}")
    return count


def _case(text: str) -> Case:
    """Raises ArgumentTypeError unless it is the line of a case, or stdin has one."""
    try:
        return case_of(sys.stdin.read() if text == "-" else text)
    except (ValueError, TypeError, LookupError, AttributeError, zlib.error):
        raise ArgumentTypeError("expected a case as it is printed with a finding: a JSON object") from None


async def _run(arguments: Namespace) -> Account:
    with TemporaryDirectory() as directory:
        async with fuzzed_service(Path(directory)) as service:
            account = await _played(Campaign(service, arguments.seed), arguments)
    account.findings += service.complaints  # what it noticed while it was stopped
    return account


async def _played(campaign: Campaign, arguments: Namespace) -> Account:
    """One case, or all, with the time that they took."""
    if arguments.case:
        await campaign.play(iter([arguments.case]))
        return campaign.account
    now_s = asyncio.get_running_loop().time
    began_s = now_s()
    account = await campaign.run(arguments.messages, batch=BATCH)
    took_s, sent = now_s() - began_s, account.calls.total()
    print(f"{sent:,} messages in {took_s:.1f} s, {sent / took_s:.0f}/s, seed {arguments.seed}")
    return account


if __name__ == "__main__":
    sys.exit(main())
