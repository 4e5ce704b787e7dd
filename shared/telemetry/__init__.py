"""Logs and progress; `telemetry.health` serves them, with the metrics, on a port of its own."""

from shared.telemetry.logs import configure_logging, get_logger
from shared.telemetry.progress import Progress

__all__ = ["Progress", "configure_logging", "get_logger"]
