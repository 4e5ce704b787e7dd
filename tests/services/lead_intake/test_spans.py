"""With a collector, an accepted lead has one span: the one whose context its fact carries."""

from shared.contracts import LEADS_RECEIVED
from tests.collector import Collector, collecting
from tests.services.lead_intake.builders import lead_json
from tests.services.lead_intake.running import Installation, until

TRACE, FORM = "ab" * 16, "cd" * 8


async def until_collected(collector: Collector, lead_id: str) -> None:
    """Until the span of this lead has come, and with it those before it."""

    async def came() -> bool:
        return any(span.attributes["waypost.lead_id"] == lead_id for span in collector.spans)

    await until(came, "the span did not come")


async def test_each_accepted_lead_has_a_span_under_that_of_its_sender(installation: Installation) -> None:
    sent = f"00-{TRACE}-{FORM}-01"
    async with collecting() as collector, installation.running(otlp_endpoint=collector.url) as intake:
        first = await intake.post(traceparent=sent, idempotency_key="spans")
        again = await intake.post(traceparent=sent, idempotency_key="spans")
        refused = await intake.post(lead_json(intent="wedding"), traceparent=sent)
        without = await intake.post()
        await until_collected(collector, without.json["lead_id"])
        published = await facts(installation)

    assert [answer.status for answer in (first, again, refused, without)] == [202, 202, 422, 202]
    span, beginning = collector.spans
    assert (span.service, span.name, span.parent) == ("waypost-lead_intake", "lead.accept", FORM)
    assert (beginning.name, beginning.parent) == ("lead.accept", "")
    assert span.attributes == {"waypost.lead_id": first.json["lead_id"]}
    assert span.ended_ns > span.started_ns
    told = {str(fact.data.lead_id): fact.traceparent for fact in map(LEADS_RECEIVED.read, published)}
    assert told[first.json["lead_id"]] == span.context
    assert told[without.json["lead_id"]] == beginning.context


async def facts(installation: Installation) -> list[bytes]:
    """All leads.received, once the outbox holds none."""

    async def published() -> bool:
        return not await installation.rows("SELECT FROM outbox")

    await until(published, "the outbox still holds a fact")
    return await installation.facts("leads.received")
