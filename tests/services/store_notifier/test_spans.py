"""With a collector, every request to a store and every published fact has one span: that whose context it carries."""

from aiohttp import ClientSession, web

from services.store_notifier.settings import NotifierSettings
from shared.contracts import DELIVERIES_ATTEMPTED, LEADS_ANSWERED
from shared.kafka import Producer
from shared.keys import Keys
from shared.postgres import Pool
from tests.collector import Collected, Collector, collecting
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.sending import saying
from tests.services.store_notifier.serving import Client
from tests.services.store_notifier.setting_up import OTHER_SITE, SITE, add_webhook
from tests.services.store_notifier.topics import publish, published
from tests.services.store_notifier.world import TRACEPARENT, Lead, Received, Store


def named(name: str, collector: Collector) -> list[Collected]:
    """The spans of that name in the tests' trace, in the order of their start."""
    return [span for span in collector.of_trace(TRACEPARENT.split("-")[1]) if span.name == name]


async def test_each_attempt_has_a_span_under_its_decision(
    with_kafka: NotifierSettings, producer: Producer, pool: Pool, keys: Keys
) -> None:
    lead = Lead()
    answers = iter((503, 204))

    async def fail_once(_: web.Request, __: Received) -> web.StreamResponse:
        return web.Response(status=next(answers))

    async with collecting() as collector, Store(fail_once) as store:
        await add_webhook(pool, keys, store.url)
        async with Notifier(with_kafka, WAYPOST_OTLP_ENDPOINT=collector.url):
            await publish(producer, [lead.assigned(SITE)])
            received = await store.wait_for(2)

    spans = named("delivery.attempt", collector)
    assert [span.context for span in spans] == [one.headers["traceparent"] for one in received]
    assert {span.parent for span in spans} == {TRACEPARENT.split("-")[2]}
    assert {span.service for span in spans} == {"waypost-store_notifier"}
    assert [span.failed for span in spans] == [True, False]
    assert [span.attributes for span in spans] == [
        {
            "waypost.lead_id": str(lead.lead_id),
            "waypost.epoch": 1,
            "waypost.site_id": SITE,
            "waypost.attempt": attempt,
            "waypost.result": result,
        }
        for attempt, result in ((1, "transient"), (2, "delivered"))
    ]


async def test_each_published_fact_has_the_span_whose_context_it_carries(
    with_kafka: NotifierSettings, producer: Producer, pool: Pool, keys: Keys
) -> None:
    taken, refused = Lead(), Lead()

    async with collecting() as collector, Store() as kind, Store(saying(410)) as gone, ClientSession() as session:
        endpoint = await add_webhook(pool, keys, kind.url)
        await add_webhook(pool, keys, gone.url, OTHER_SITE)
        async with Notifier(with_kafka, WAYPOST_OTLP_ENDPOINT=collector.url) as notifier:
            await publish(producer, [taken.assigned(SITE), refused.assigned(OTHER_SITE)])
            await kind.wait_for(1)
            client = Client(session, notifier.url)
            assert (await client.answer(endpoint, taken.lead_id, 1, {"answer": "accepted"}))[0] == 202
            both = [taken, refused]
            answers = await published(with_kafka, LEADS_ANSWERED, both, 2)
            attempts = await published(with_kafka, DELIVERIES_ATTEMPTED, both, 2)

    answer_spans, record_spans = named("lead.answer", collector), named("delivery.record", collector)
    assert {span.context for span in answer_spans} == {fact.traceparent for fact in answers}
    assert {span.context for span in record_spans} == {fact.traceparent for fact in attempts}
    assert {span.parent for span in answer_spans + record_spans} == {TRACEPARENT.split("-")[2]}
    assert {span.kind for span in answer_spans + record_spans} == {"SPAN_KIND_PRODUCER"}
    of_lead = {"waypost.epoch": 1, "waypost.lead_id": str(taken.lead_id), "waypost.site_id": SITE}
    of_other = of_lead | {"waypost.lead_id": str(refused.lead_id), "waypost.site_id": OTHER_SITE}
    assert by_lead(answer_spans) == {
        str(taken.lead_id): of_lead | {"waypost.answer": "accepted", "waypost.via": "webhook"},
        str(refused.lead_id): of_other | {"waypost.answer": "undeliverable", "waypost.via": "notifier"},
    }
    attempt = {"waypost.channel": "webhook", "waypost.attempt": 1}
    assert by_lead(record_spans) == {
        str(taken.lead_id): of_lead | attempt | {"waypost.result": "delivered"},
        str(refused.lead_id): of_other | attempt | {"waypost.result": "gone"},
    }
    assert {span.attributes["waypost.lead_id"] for span in record_spans if span.failed} == {str(refused.lead_id)}


def by_lead(spans: list[Collected]) -> dict[str | int, dict[str, str | int]]:
    """The attributes of spans, one for each lead."""
    found = {span.attributes["waypost.lead_id"]: span.attributes for span in spans}
    assert len(found) == len(spans)
    return found
