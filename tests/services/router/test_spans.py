"""With a collector, an emitted decision has one span: the one whose context its fact carries. So has a due lead."""

import asyncio
from dataclasses import replace
from uuid import UUID

from shared.contracts import LEADS_ANSWERED, LEADS_DECIDED, LEADS_DUE, Answer
from shared.kafka import Record
from shared.tracing import child
from tests.collector import collecting
from tests.services.router.networks import site
from tests.services.router.world import TRACE, World, answered_record, as_records, in_minutes, received_record

NEAR, NEXT = site("near", lon=120.6), site("next", lon=120.62)
DECLINED = child(TRACE, "declined")


def declined_in_trace(number: int) -> Record:
    record = answered_record(number, 1, "near", Answer.DECLINED)
    fact = LEADS_ANSWERED.read(record.value).model_copy(update={"traceparent": DECLINED})
    return replace(record, value=fact.to_bytes())


async def test_each_decision_has_a_span_under_the_fact_that_caused_it(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with collecting() as collector:
        traced = replace(world, settings=world.settings.model_copy(update={"otlp_endpoint": collector.url}))
        async with traced.router() as router:
            await router.handle(received_record(901), received_record(902))
            await router.handle(declined_in_trace(901))

    told = {
        (str(fact.data.lead_id), fact.data.epoch): fact.traceparent
        for number in (901, 902)
        for fact in map(LEADS_DECIDED.read, await world.published(LEADS_DECIDED, of_lead=number))
    }
    spans = {(span.attributes["waypost.lead_id"], span.attributes["waypost.epoch"]): span for span in collector.spans}
    first, other = str(UUID(int=901)), str(UUID(int=902))
    assert len(collector.spans) == 3
    assert {key: span.context for key, span in spans.items()} == told
    assert {(span.service, span.name) for span in collector.spans} == {("waypost-router", "lead.decide")}
    assert {key: span.parent for key, span in spans.items()} == {
        (first, 1): TRACE.split("-")[2],
        (other, 1): TRACE.split("-")[2],
        (first, 2): (DECLINED or "").split("-")[2],
    }
    assert spans[first, 2].attributes["waypost.site_id"] == "next"
    assert spans[first, 2].attributes["waypost.outcome"] == "assigned"


async def test_a_decision_emitted_again_is_the_same_span(world: World) -> None:
    await world.set_up(NEAR)
    async with collecting() as collector:
        traced = replace(world, settings=world.settings.model_copy(update={"otlp_endpoint": collector.url}))
        async with traced.router() as router:
            await router.handle(received_record(903))
            await router.handle(received_record(903))

    again, once = collector.spans
    assert (again.context, again.parent) == (once.context, once.parent)


async def test_a_lead_that_the_timers_ask_for_has_a_span_between_its_arrival_and_its_next_decision(
    world: World,
) -> None:
    await world.set_up(NEAR, NEXT)
    stop = asyncio.Event()
    async with collecting() as collector:
        traced = replace(world, settings=world.settings.model_copy(update={"otlp_endpoint": collector.url}))
        async with traced.router() as router:
            await router.handle(received_record(904))
            world.clock.now = in_minutes(11)
            sweeping = asyncio.create_task(router.timers.run(stop))
            async with asyncio.timeout(60):
                while not (asked := await world.published(LEADS_DUE, of_lead=904)):
                    await asyncio.sleep(0.05)
            stop.set()
            await sweeping
            await router.handle(*as_records(LEADS_DUE, asked))

    [fact] = map(LEADS_DUE.read, asked)
    spans = {(span.name, span.attributes["waypost.epoch"]): span for span in collector.spans}
    due = spans["lead.due", 1]
    assert (due.context, due.parent) == (fact.traceparent, TRACE.split("-")[2])
    assert (due.service, due.kind, due.failed) == ("waypost-router", "SPAN_KIND_PRODUCER", False)
    assert due.attributes == {
        "waypost.lead_id": str(UUID(int=904)),
        "waypost.epoch": 1,
        "waypost.due": "respond_by",
    }
    assert spans["lead.decide", 2].parent == due.span
