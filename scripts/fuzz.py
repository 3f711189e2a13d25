"""Sends messages of every kind of wrongness to every RPC of a running service, and judges the answers.

Run as `python -m scripts.fuzz`, or as `make fuzz MESSAGES=100000`. It prints the calls by RPC and code. A
finding is printed with its case as a line, which `--case` plays again; the exit code is then 1.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.fuzz.campaign import Account, Campaign
from tests.fuzz.cases import case_of
from tests.fuzz.service import fuzzed_service

BATCH = 2_000
"""Messages between two proofs that the service still does its work."""


def main() -> int:
    """The exit code: 1 if anything was found."""
    parser = ArgumentParser(prog="python -m scripts.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000, metavar="N", help="how many to send")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what they are drawn from")
    parser.add_argument("--case", default="", metavar="LINE", help="play this one instead; - reads it")
    account = uvloop.run(_run(parser.parse_args()))
    print(*account.table(), *account.findings, sep="\n")
    return 1 if account.findings else 0


async def _run(arguments: Namespace) -> Account:
    with TemporaryDirectory() as directory:
        async with fuzzed_service(Path(directory)) as service:
            account = await _played(Campaign(service, arguments.seed), arguments)
    account.findings += service.complaints  # what it noticed while it was stopped
    return account


async def _played(campaign: Campaign, arguments: Namespace) -> Account:
    """One case, or all, with the time that they took."""
    if arguments.case:
        line = sys.stdin.read() if arguments.case == "-" else arguments.case
        await campaign.play(iter([case_of(line)]))
        return campaign.account
    now_s = asyncio.get_running_loop().time
    began_s = now_s()
    account = await campaign.run(arguments.messages, batch=BATCH)
    took_s, sent = now_s() - began_s, account.calls.total()
    print(f"{sent:,} messages in {took_s:.1f} s, {sent / took_s:.0f}/s, seed {arguments.seed}")
    return account


if __name__ == "__main__":
    sys.exit(main())
