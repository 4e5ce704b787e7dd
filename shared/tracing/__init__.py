"""Trace context from the form to the store, and the spans of its steps: see `context` and `spans`."""

from shared.tracing.context import begin, child, is_traceparent
from shared.tracing.spans import Tracing

__all__ = ["Tracing", "begin", "child", "is_traceparent"]
