"""The log: one event and its fields a line, on stderr; JSON for machines, readable on a terminal."""

import logging
import sys
from datetime import UTC, datetime

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from scheduler.adapters.system import SystemClock
from scheduler.ports.clock import Clock


def configure_logs(clock: Clock | None = None) -> None:
    """Call it once, before anything is logged. Lines bear the time of `clock`, which tasks bear too."""
    on_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamped_by(clock or SystemClock()),
            *_rendering(on_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _stamped_by(clock: Clock) -> Processor:
    def stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        event["timestamp"] = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return stamp


def _rendering(on_terminal: bool) -> list[Processor]:
    if on_terminal:
        # Rich's tracebacks would show local variables: requests with their secrets.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
