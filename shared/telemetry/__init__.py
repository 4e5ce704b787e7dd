"""Logs, health and metrics: what an engineer sees of a running service."""

from shared.telemetry.health import health_routes, serve_health
from shared.telemetry.logs import configure_logging, get_logger
from shared.telemetry.progress import Progress

__all__ = ["Progress", "configure_logging", "get_logger", "health_routes", "serve_health"]
