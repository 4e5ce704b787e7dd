"""OpenTelemetry's batching exporter, made to use the ids that the traceparents already have.

The SDK makes up ids when a span starts; ours went out with the facts by then, so its id generator is told them.
Only a process with an OTLP endpoint imports this.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Thread

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

from shared.tracing.spans import Step

PATIENCE_AT_STOP_S = 2.0
MOST_WAITING = 2**15
"""A poll of the router ends in thousands of spans at once; beyond this many, the SDK drops the oldest and says so."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KINDS: Mapping[Step, SpanKind] = {
    "lead.accept": SpanKind.SERVER,
    "lead.geocode": SpanKind.CLIENT,
    "lead.decide": SpanKind.CONSUMER,
    "lead.due": SpanKind.PRODUCER,
    "lead.answer": SpanKind.PRODUCER,
    "delivery.attempt": SpanKind.CLIENT,
    "delivery.record": SpanKind.PRODUCER,
}


class _CarriedIds(IdGenerator):
    """Hands out the ids of the span that is being recorded; set and read by one thread, within one call."""

    trace_id = span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class Exporter:
    """Sends spans of one service to an OTLP/HTTP traces URL, from a thread of its own."""

    def __init__(self, endpoint: str, service: str) -> None:
        self._ids = _CarriedIds()
        self._provider = TracerProvider(
            resource=Resource.create({"service.namespace": "waypost", "service.name": f"waypost-{service}"}),
            id_generator=self._ids,
            sampler=ALWAYS_ON,  # whoever began the trace has decided; the flag of the traceparent says what
            shutdown_on_exit=False,  # it waits for up to 30 s; `close` does not
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint), max_queue_size=MOST_WAITING)
        )
        self._tracer = self._provider.get_tracer("waypost")

    def export(
        self,
        name: Step,
        traceparent: str,
        parent: str | None,
        started: datetime,
        ended: datetime,
        *,
        failed: bool,
        attributes: Mapping[str, str | int],
    ) -> None:
        """Queue one finished span; both contexts are valid and of one trace."""
        own = _context_of(traceparent)
        self._ids.trace_id, self._ids.span_id = own.trace_id, own.span_id
        # An empty context, not None: None would take whatever span is current in this task as the parent.
        above = trace.set_span_in_context(
            NonRecordingSpan(_context_of(parent) if parent else trace.INVALID_SPAN_CONTEXT)
        )
        span = self._tracer.start_span(
            name,
            context=above,
            kind=_KINDS[name],
            attributes={f"waypost.{key}": value for key, value in attributes.items()},
            start_time=_ns(started),
        )
        if failed:
            span.set_status(StatusCode.ERROR)
        # A clock that was set back in between must not make a negative duration.
        span.end(_ns(max(started, ended)))

    async def close(self) -> None:
        """Send what waits; after 2 s the rest is left to a daemon thread, which ends with the process."""
        flushing = Thread(target=self._provider.shutdown, name="spans-flush", daemon=True)
        flushing.start()
        await asyncio.to_thread(flushing.join, PATIENCE_AT_STOP_S)


def _context_of(traceparent: str) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _ns(time: datetime) -> int:
    """Nanoseconds since 1970, exact to the microsecond, which a float would not be."""
    return (time - _EPOCH) // _MICROSECOND * 1000
