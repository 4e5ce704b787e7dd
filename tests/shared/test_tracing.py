"""Trace contexts are carried as W3C says, and spans leave under the carried ids."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from shared.settings import Settings
from shared.tracing import Tracing, begin, child, is_traceparent
from shared.tracing.spans import Step
from tests.collector import Collected, collecting

RECEIVED = datetime(2026, 3, 2, 9, 15, 0, 123457, tzinfo=UTC)
ROOT = begin(bytes(range(16)), bytes(range(8)))
OTHER = begin(bytes(range(1, 17)), bytes(range(8)))
LEAD = "0195a000-0000-7000-8000-000000000001"

traceparents = st.builds(
    "00-{}-{}-{}".format,
    st.binary(min_size=16, max_size=16).filter(any).map(bytes.hex),
    st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex),
    st.binary(min_size=1, max_size=1).map(bytes.hex),
)


def step(context: str | None, name: str) -> str:
    following = child(context, name)
    assert following is not None
    return following


def settings_for(folder: Path, url: str) -> Settings:
    return Settings(data_folder=folder, otlp_endpoint=url)


def record(
    tracing: Tracing, traceparent: str | None, parent: str | None = None, took: timedelta = timedelta(0)
) -> None:
    tracing.record(
        "lead.accept", traceparent=traceparent, parent=parent, started=RECEIVED, ended=RECEIVED + took, lead_id=LEAD
    )


async def exported(folder: Path, *contexts: tuple[str | None, str | None]) -> list[Collected]:
    """What a collector has once a process has recorded these (context, parent) and ended."""
    async with collecting() as collector:
        async with Tracing(settings_for(folder, collector.url), "lead_intake") as tracing:
            for traceparent, parent in contexts:
                record(tracing, traceparent, parent)
        return collector.spans


@given(context=traceparents, name=st.text())
def test_the_next_step_of_a_context_is_always_the_same_and_stays_in_its_trace(context: str, name: str) -> None:
    following = step(context, name)

    assert following == step(context, name)
    assert is_traceparent(following)
    assert following.split("-")[1] == context.split("-")[1]
    assert following[-2:] == context[-2:]


@given(context=traceparents, names=st.lists(st.text(), min_size=2, max_size=5, unique=True))
def test_steps_that_differ_have_contexts_that_differ(context: str, names: list[str]) -> None:
    assert len({step(context, name) for name in names} | {context}) == len(names) + 1


@given(
    text=st.none()
    | st.text()
    | traceparents.map(str.upper).filter(lambda text: text != text.lower())
    | traceparents.map(lambda text: "01" + text[2:])
    | traceparents.map(lambda text: text + "-00")
    | traceparents.map(lambda text: text + "\n")
    | traceparents.map(lambda text: text[:-1])
    | traceparents.map(lambda text: text[:3] + "0" * 32 + text[35:])
    | traceparents.map(lambda text: text[:36] + "0" * 16 + text[52:])
)
def test_what_is_no_context_has_no_next_step(text: str | None) -> None:
    assert not is_traceparent(text)
    assert child(text, "decided1") is None


async def test_a_lead_is_one_trace_with_the_ids_that_were_carried(tmp_path: Path) -> None:
    decided = step(ROOT, "decided1")
    attempted = step(decided, "delivery/1")
    later = [RECEIVED + timedelta(seconds=n) for n in range(4)]

    async with collecting() as collector:
        settings = settings_for(tmp_path, collector.url)
        async with Tracing(settings, "lead_intake") as intake:
            intake.record("lead.accept", traceparent=ROOT, parent=None, started=later[0], ended=later[1], lead_id=LEAD)
        async with Tracing(settings, "router") as router:
            router.record(
                "lead.decide",
                traceparent=decided,
                parent=ROOT,
                started=later[1],
                ended=later[2],
                lead_id=LEAD,
                epoch=1,
                outcome="waiting",
                site_id=None,
            )
        async with Tracing(settings, "store_notifier") as notifier:
            notifier.record(
                "delivery.attempt",
                traceparent=attempted,
                parent=decided,
                started=later[2],
                ended=later[3],
                failed=True,
                attempt=1,
                result="transient",
            )
        accept, decide, attempt = collector.of_trace(ROOT.split("-")[1])

    assert [span.service for span in (accept, decide, attempt)] == [
        "waypost-lead_intake",
        "waypost-router",
        "waypost-store_notifier",
    ]
    assert [span.context for span in (accept, decide, attempt)] == [ROOT, decided, attempted]
    assert [span.parent for span in (accept, decide, attempt)] == ["", accept.span, decide.span]
    assert [span.kind for span in (accept, decide, attempt)] == [
        "SPAN_KIND_SERVER",
        "SPAN_KIND_CONSUMER",
        "SPAN_KIND_CLIENT",
    ]
    assert [span.failed for span in (accept, decide, attempt)] == [False, False, True]
    assert accept.started_ns == int(RECEIVED.timestamp()) * 10**9 + 123_457_000
    assert accept.ended_ns - accept.started_ns == 10**9
    assert decide.attributes == {"waypost.lead_id": LEAD, "waypost.epoch": 1, "waypost.outcome": "waiting"}


async def test_a_sender_that_chose_not_to_sample_has_no_spans_here(tmp_path: Path) -> None:
    unsampled = ROOT[:-2] + "00"

    spans = await exported(tmp_path, (unsampled, None), (step(unsampled, "decided1"), unsampled), (ROOT, None))

    assert [span.context for span in spans] == [ROOT]


async def test_a_step_without_a_valid_context_has_no_span(tmp_path: Path) -> None:
    spans = await exported(tmp_path, (None, None), ("00-not-a-context", ROOT), ("", None), (ROOT, None))

    assert [span.context for span in spans] == [ROOT]


async def test_a_parent_of_another_trace_or_none_at_all_leaves_a_step_under_its_own_ids(tmp_path: Path) -> None:
    context = step(ROOT, "decided1")

    spans = await exported(tmp_path, (context, OTHER), (context, "00-not-a-context"), (context, None))

    assert [(span.context, span.parent) for span in spans] == [(context, "")] * 3


async def test_a_clock_that_was_set_back_makes_no_negative_duration(tmp_path: Path) -> None:
    async with collecting() as collector:
        async with Tracing(settings_for(tmp_path, collector.url), "router") as tracing:
            record(tracing, ROOT, took=timedelta(seconds=-5))
        (span,) = collector.spans

    assert span.ended_ns == span.started_ns


async def test_a_collector_that_never_answers_does_not_hold_up_the_end(tmp_path: Path) -> None:
    answers = asyncio.Event()
    async with collecting(hangs=answers) as collector:
        async with asyncio.timeout(8):  # a request of the exporter alone may take 10 s
            async with Tracing(settings_for(tmp_path, collector.url), "router") as tracing:
                record(tracing, ROOT)
        assert collector.asked.is_set()
        assert collector.spans == []
        answers.set()


async def test_every_step_can_be_exported(tmp_path: Path) -> None:
    steps: tuple[Step, ...] = get_args(Step)
    async with collecting() as collector:
        async with Tracing(settings_for(tmp_path, collector.url), "router") as tracing:
            for name in steps:
                tracing.record(name, traceparent=step(ROOT, name), parent=ROOT, started=RECEIVED, ended=RECEIVED)
        assert {span.name for span in collector.spans} == set(steps)


async def test_without_an_endpoint_nothing_is_recorded(tmp_path: Path) -> None:
    async with Tracing(settings_for(tmp_path, ""), "router") as tracing:
        record(tracing, ROOT)
        assert not tracing.enabled


def test_a_process_without_an_endpoint_does_not_load_the_sdk() -> None:
    program = """
import sys
from shared.settings import Settings
from shared.tracing import Tracing
Tracing(Settings(), "router")
sys.exit(any(name.startswith("opentelemetry") for name in sys.modules))
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2], env={})
