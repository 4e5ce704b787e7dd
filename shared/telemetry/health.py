"""/healthz/live, /healthz/ready and /metrics, on a listener of their own: operators' addresses are not public."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.http_server import ServerLimits, application, serve
from shared.settings import Settings
from shared.telemetry.progress import Progress

Check = Callable[[], Awaitable[str]]
"""Returns an empty text when well, else what is wrong."""
CHECK_TIMEOUT_S = 2.0


def health_routes(progress: Progress, registry: CollectorRegistry, checks: Mapping[str, Check]) -> list[Route]:
    """The three routes. `checks` (for readiness only) are named for what they look at, e.g. postgres."""

    async def live(_: Request) -> Response:
        well, reason = progress.live()
        return JSONResponse({"live": well, "reason": reason}, 200 if well else 503)

    async def ready(_: Request) -> Response:
        well, reason = progress.ready()
        found = {"progress": "" if well else reason}
        for name, check in checks.items():
            found[name] = await _run(check)
        well = not any(found.values())
        told = {name: text or "ok" for name, text in found.items()}
        return JSONResponse(
            {"ready": well, "checks": told, "alarms": progress.alarms(), "lag": progress.lag()}, 200 if well else 503
        )

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz/live", live), Route("/healthz/ready", ready), Route("/metrics", metrics)]


async def _run(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return type(error).__name__


async def serve_health(
    settings: Settings,
    progress: Progress,
    registry: CollectorRegistry,
    checks: Mapping[str, Check],
    stop: asyncio.Event,
) -> None:
    """Serve the routes until `stop`; a free port (health_port=0) is chosen and logged."""
    await serve(
        application(health_routes(progress, registry, checks)),
        settings.health_host,
        settings.health_port,
        stop,
        name="health",
        limits=ServerLimits.of(settings),
    )
