"""The HTTP server of every port: uvicorn with limits of its own, and refusals that are RFC 9457 problems."""

from shared.http_server.application import application
from shared.http_server.limits import ServerLimits
from shared.http_server.server import serve

__all__ = ["ServerLimits", "application", "serve"]
