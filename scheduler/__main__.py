"""The program: `ecs-scheduler`, or `python -m scheduler`."""

import os

# gRPC's core writes its own lines to stderr, without a format of ours; errors reach us as exceptions anyway.
# It reads this once, when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from scheduler.cli.app import app  # after the variable


def main() -> None:
    """Runs the command that the arguments name."""
    app(prog_name="ecs-scheduler")


if __name__ == "__main__":
    main()
