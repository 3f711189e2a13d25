"""The log: one event and its fields a line, on stderr; JSON for machines, readable on a terminal."""

import logging
import sys

import structlog
from structlog.typing import Processor


def configure_logs() -> None:
    """Call it once, before anything is logged."""
    on_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(on_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _rendering(on_terminal: bool) -> list[Processor]:
    if on_terminal:
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
