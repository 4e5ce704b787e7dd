"""With a collector, every request to a store has one span: the one whose context the store was told."""

from aiohttp import web

from services.store_notifier.settings import NotifierSettings
from shared.kafka import Producer
from shared.keys import Keys
from shared.postgres import Pool
from tests.collector import collecting
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.setting_up import SITE, add_webhook
from tests.services.store_notifier.topics import publish
from tests.services.store_notifier.world import TRACEPARENT, Lead, Received, Store


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

    spans = collector.of_trace(TRACEPARENT.split("-")[1])
    assert [span.context for span in spans] == [one.headers["traceparent"] for one in received]
    assert {span.parent for span in spans} == {TRACEPARENT.split("-")[2]}
    assert {(span.service, span.name) for span in spans} == {("waypost-store_notifier", "delivery.attempt")}
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
