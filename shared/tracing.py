"""Trace context from the form to the store: W3C `traceparent`, carried in HTTP headers and in every fact.

Format: https://www.w3.org/TR/trace-context/, version 00. Spans leave the process only when an OTLP endpoint is set;
the context is carried in any case, so that a store's own tracing joins ours.
"""

import hashlib
import re

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.settings import Settings

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def is_traceparent(text: str | None) -> bool:
    """Whether `text` is a valid version 00 traceparent."""
    return text is not None and _TRACEPARENT.fullmatch(text) is not None


def begin(trace_id: bytes, span_id: bytes) -> str:
    """A new, sampled trace from 16 and 8 random bytes."""
    return f"00-{trace_id.hex()}-{span_id.hex()}-01"


def child(traceparent: str | None, step: str) -> str | None:
    """The context of the next step of the same trace; its span id derives from the parent, so redelivery repeats it.

    None when there is no (valid) parent.
    """
    if traceparent is None or not is_traceparent(traceparent):
        return None
    version, trace, span, flags = traceparent.split("-")
    return f"{version}-{trace}-{hashlib.blake2b(f'{span}{step}'.encode(), digest_size=8).hexdigest()}-{flags}"


def make_tracer(settings: Settings, service: str) -> Tracer:
    """A tracer for this process; it records nothing unless `otlp_endpoint` is set."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"waypost-{service}"}))
    if settings.otlp_endpoint:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint)))
    return provider.get_tracer("waypost")


def parent_context(traceparent: str | None) -> object:
    """OpenTelemetry's context for a carried traceparent, to start a span under."""
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent or ""})
