"""The program: `ecs-scheduler`, or `python -m scheduler`."""

import os
import signal

# gRPC's core writes its own lines to stderr, without a format of ours; errors reach us as exceptions anyway.
# It reads this once, when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def main() -> None:
    """Runs the command that the arguments name. Ctrl-C ends it quietly, also while it is still being read."""
    try:
        from scheduler.cli.app import app  # after the variable, and where an interruption is caught

        app(prog_name="ecs-scheduler")
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


if __name__ == "__main__":
    main()
