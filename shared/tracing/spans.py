"""Spans of what was done, under the ids that the facts carry: nothing, unless an OTLP endpoint is set."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self, TypedDict, Unpack

from shared.settings import Settings
from shared.tracing.context import is_traceparent

if TYPE_CHECKING:
    from shared.tracing.otlp import Exporter

Step = Literal[
    "lead.accept", "lead.geocode", "lead.decide", "lead.due", "lead.answer", "delivery.attempt", "delivery.record"
]


class Attributes(TypedDict, total=False):
    """All that a span may say about its step. Nothing here is about a person, and nothing else is let through."""

    lead_id: str
    site_id: str | None
    epoch: int
    outcome: str
    due: str
    answer: str
    via: str
    channel: str
    attempt: int
    result: str


class Tracing:
    """The spans of one process: `async with Tracing(settings, "router") as tracing`.

    Used by one thread. What waits at the end is sent, or given up after 2 s: spans never hold up a service.
    """

    def __init__(self, settings: Settings, service: str) -> None:
        self._exporter = _exporter(settings.otlp_endpoint, service) if settings.otlp_endpoint else None

    @property
    def enabled(self) -> bool:
        """Ask before gathering what a span would say."""
        return self._exporter is not None

    def record(
        self,
        name: Step,
        *,
        traceparent: str | None,
        parent: str | None,
        started: datetime,
        ended: datetime,
        failed: bool = False,
        **attributes: Unpack[Attributes],
    ) -> None:
        """Export a step that is over, later and in the background; done again, it is the same span.

        `traceparent` is the step's own context, as it was handed on; `parent` the one it came from, None at the start
        of a trace. A step without a valid context, or whose trace its sender chose not to sample, has no span.
        """
        if self._exporter is None or traceparent is None or not _is_sampled(traceparent):
            return
        known = parent if parent is not None and _is_before(parent, traceparent) else None
        said: dict[str, str | int] = {key: value for key, value in attributes.items() if isinstance(value, (str, int))}
        self._exporter.export(name, traceparent, known, started, ended, failed=failed, attributes=said)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._exporter is not None:
            await self._exporter.close()


def _exporter(endpoint: str, service: str) -> "Exporter":
    # Imported here: a process without an endpoint need not load the SDK, nor any command that only asks for a context.
    from shared.tracing.otlp import Exporter

    return Exporter(endpoint, service)


def _is_sampled(traceparent: str) -> bool:
    return is_traceparent(traceparent) and bool(int(traceparent[-2:], 16) & 1)


def _is_before(parent: str, traceparent: str) -> bool:
    """A context of another trace is no parent: the span would be drawn into that trace, away from its own id."""
    return is_traceparent(parent) and parent.split("-")[1] == traceparent.split("-")[1]
