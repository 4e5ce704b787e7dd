"""A trace collector for tests: takes OTLP over HTTP, as any OpenTelemetry backend does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True)
class Collected:
    """One span as it arrived; ids in hex, `parent` empty at the start of a trace."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    started_ns: int
    ended_ns: int
    kind: str
    failed: bool
    attributes: dict[str, str | int]

    @property
    def context(self) -> str:
        """The traceparent that this span was handed on with."""
        return f"00-{self.trace}-{self.span}-01"


@dataclass
class Collector:
    """Where it listens, and what it got."""

    url: str = ""
    spans: list[Collected] = field(default_factory=list)
    hangs: asyncio.Event | None = None
    """When set up, no export is answered before it is set."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One export."""
        body = await request.read()
        self.asked.set()
        if self.hangs is not None:
            await self.hangs.wait()
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_collected(names["service.name"], span) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def of_trace(self, trace: str) -> list[Collected]:
        """The spans of one trace, in the order of their start."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.started_ns)


@asynccontextmanager
async def collecting(*, hangs: asyncio.Event | None = None) -> AsyncIterator[Collector]:
    """A collector on a free port of the loopback."""
    collector = Collector(hangs=hangs)
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
        yield collector
    finally:
        await runner.cleanup()


def _collected(service: str, span: Span) -> Collected:
    return Collected(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        Span.SpanKind.Name(span.kind),
        span.status.code == Status.STATUS_CODE_ERROR,
        {one.key: one.value.string_value or one.value.int_value for one in span.attributes},
    )
