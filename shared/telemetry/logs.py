"""Structured logs: one wide event per batch or request, JSON for machines or coloured lines for people."""

import logging
import sys
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from shared.settings import Settings


def configure_logging(settings: Settings, service: str) -> FilteringBoundLogger:
    """Set up logging for this process and return its logger. Everything goes to standard error."""
    shared_steps: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared_steps, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries that use the standard logging module join the same stream, from WARNING up.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared_steps))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    return get_logger()


def get_logger() -> FilteringBoundLogger:
    """The process's logger; its events carry `service`."""
    return cast("FilteringBoundLogger", structlog.get_logger())
