"""From decisions to rows: who holds each lead now, which endpoints must be told, what is over. No HTTP happens here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.store_notifier import facts
from services.store_notifier.db import answers, assignments, deliveries, endpoints, inbox, outbox
from services.store_notifier.domain import (
    Ending,
    Revoked,
    Said,
    item_changes,
    state_after,
    taken_away,
)
from services.store_notifier.ending import Decided, Item, end_escalations, revoke
from services.store_notifier.endpoints import inbox_endpoint_id
from services.store_notifier.reach import NOTHING, Channels, by_site
from shared.contracts import (
    LEADS_DECIDED,
    LEADS_RECEIVED,
    Answer,
    AttemptResult,
    LeadAssigned,
    LeadDecided,
    LeadReceived,
)
from shared.kafka import DeadLetters, Record
from shared.postgres import Connection, Pool, transact
from shared.telemetry import get_logger


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of records, read."""

    decided: list[Decided]
    received: list[LeadReceived]
    dead: list[tuple[Record, str]]


def read(records: Sequence[Record]) -> Batch:
    """The facts in the records, decisions in the order of their epochs; what is no fact of ours is dead."""
    batch = Batch([], [], [])
    for record in records:
        try:
            if record.topic == LEADS_DECIDED.name:
                batch.decided.append(LEADS_DECIDED.read(record.value))
            else:
                batch.received.append(LEADS_RECEIVED.read(record.value).data)
        except ValueError as error:
            # The type only: a validation error's text quotes the record.
            batch.dead.append((record, f"not a {record.topic} fact ({type(error).__name__})"))
    batch.decided.sort(key=lambda fact: (fact.data.lead_id, fact.data.epoch))
    return batch


class Handler:
    """Handles batches of leads.decided and leads.received; see `subscribe` for what returning and raising mean."""

    def __init__(self, pool: Pool, dead_letters: DeadLetters, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._dead_letters = dead_letters
        self._clock = clock

    async def __call__(self, records: list[Record]) -> None:
        """Record a batch."""
        batch = read(records)
        now = self._clock()
        await self._dead_letters.bury(batch.dead, seen=len(records), now=now)
        counts = await transact(self._pool, lambda connection: record_batch(connection, batch, now))
        get_logger().info("decisions.recorded", records=len(records), dead=len(batch.dead), **counts)


async def record_batch(connection: Connection, batch: Batch, now: datetime) -> dict[str, int]:
    """Record a batch; a second time it changes nothing. Returns what was done, as counts for the log."""
    if batch.received:
        await assignments.remember_vehicles(
            connection,
            [(lead.lead_id, lead.vehicle.model_dump_json(exclude_none=True), lead.received_at)
             for lead in batch.received if lead.vehicle is not None],
        )  # fmt: skip
    newest = {fact.data.lead_id: fact for fact in batch.decided}
    moved = await assignments.advance(
        connection, [state_after(fact.data, fact.traceparent) for fact in newest.values()]
    )
    if not moved:
        return {"leads_moved": 0}
    # A lead that did not move has these decisions recorded already: they were committed with its epoch.
    fresh = [fact for fact in batch.decided if fact.data.lead_id in moved]
    newest = {lead_id: newest[lead_id] for lead_id in sorted(moved)}
    assigned = [(fact, fact.data) for fact in fresh if isinstance(fact.data, LeadAssigned)]
    voided = await deliveries.void_before(connection, list(newest), [fact.data.epoch for fact in newest.values()], now)
    added = await _add_inbox_items(connection, [data for _, data in assigned], now)
    lost = await _end_inbox_items(connection, [fact.data for fact in fresh], newest, now)
    revoked = await revoke(connection, lost, newest, now)
    escalations_ended = await end_escalations(connection, moved, fresh, now)
    found = await endpoints.of_sites(connection, sorted({data.site_id for _, data in assigned}))
    channels = by_site(found)
    entered = await _enter_deliveries(connection, assigned, newest, channels, now)
    late = [_void_attempt(row, now) for row in entered if row.status == deliveries.VOID]
    seen = _inbox_attempts(assigned, added, newest, channels, now)
    await outbox.put(connection, [*facts.voided(voided, now), *late, *seen])
    await _report_sites_without_channel(connection, assigned, newest, channels, now)
    return {
        "leads_moved": len(moved),
        "assigned": len(added),
        "deliveries": len(entered),
        "voided": len(voided),
        "revoked": revoked,
        "escalations_ended": escalations_ended,
    }


def _is_current(data: LeadAssigned, newest: dict[UUID, Decided]) -> bool:
    return newest[data.lead_id].data.epoch == data.epoch


async def _add_inbox_items(connection: Connection, assigned: Sequence[LeadAssigned], now: datetime) -> set[UUID]:
    items = [
        inbox.NewItem(
            data.lead_id,
            data.epoch,
            data.site_id,
            data.decision_id,
            data.intent,
            data.distance_m,
            data.respond_by,
            data.decided_at,
        )
        for data in assigned
    ]
    return set(await inbox.add_items(connection, items, now))


async def _end_inbox_items(
    connection: Connection, decisions: Sequence[LeadDecided], newest: dict[UUID, Decided], now: datetime
) -> dict[Item, Revoked]:
    """Show what earlier assignments came to; returns those that their sites lost without having said so."""
    changes = item_changes(decisions)
    epochs = [fact.data.epoch for fact in newest.values()]
    for row in await inbox.open_items_before(connection, list(newest), epochs):
        item = (row["lead_id"], row["epoch"])
        ending = taken_away(newest[row["lead_id"]].data, changes.get(item), row["state"])
        if ending is not None:
            changes[item] = ending
    await inbox.change_items(
        connection,
        [(*item, ending.state, ending.result) for item, ending in sorted(changes.items(), key=_by_item)],
        now,
    )
    return {item: ending.revoked for item, ending in changes.items() if ending.revoked is not None}


def _by_item(change: tuple[Item, Ending]) -> Item:
    return change[0]


async def _enter_deliveries(
    connection: Connection,
    assigned: Sequence[tuple[Decided, LeadAssigned]],
    newest: dict[UUID, Decided],
    channels: dict[str, Channels],
    now: datetime,
) -> list[deliveries.NewDelivery]:
    """Rows for every active webhook; void ones for assignments that a later decision of the batch ended already."""
    rows = [
        deliveries.NewDelivery(
            facts.delivery_id_of(data.decision_id, endpoint_id),
            data.decision_id,
            endpoint_id,
            data.lead_id,
            data.epoch,
            data.site_id,
            data.intent,
            data.distance_m,
            fact.traceparent,
            deliveries.DUE if _is_current(data, newest) else deliveries.VOID,
            now,
            data.respond_by,
            data.decided_at,
        )
        for fact, data in assigned
        for endpoint_id in channels.get(data.site_id, NOTHING).webhooks
    ]
    new = await deliveries.add(connection, rows)
    entered = [row for row in rows if row.delivery_id in new]
    due = sorted({row.endpoint_id for row in entered if row.status == deliveries.DUE})
    if due:
        await endpoints.wake(connection, due, now)
        await deliveries.wake_schedulers(connection)
    return entered


def _void_attempt(row: deliveries.NewDelivery, now: datetime) -> outbox.Waiting:
    return facts.attempted(
        delivery_id=row.delivery_id,
        lead_id=row.lead_id,
        epoch=row.epoch,
        site_id=row.site_id,
        endpoint_id=row.endpoint_id,
        channel="webhook",
        attempt=1,
        result=AttemptResult.VOID,
        at=now,
        traceparent=row.traceparent,
    )


def _inbox_attempts(
    assigned: Sequence[tuple[Decided, LeadAssigned]],
    added: set[UUID],
    newest: dict[UUID, Decided],
    channels: dict[str, Channels],
    now: datetime,
) -> list[outbox.Waiting]:
    """The inbox has an assignment as soon as this transaction commits, or never had it because it was over by then."""
    return [
        facts.attempted(
            delivery_id=facts.delivery_id_of(data.decision_id, inbox_endpoint_id(data.site_id)),
            lead_id=data.lead_id,
            epoch=data.epoch,
            site_id=data.site_id,
            endpoint_id=inbox_endpoint_id(data.site_id),
            channel="inbox",
            attempt=1,
            result=AttemptResult.DELIVERED if _is_current(data, newest) else AttemptResult.VOID,
            at=now,
            traceparent=fact.traceparent,
        )
        for fact, data in assigned
        if data.decision_id in added and channels.get(data.site_id, NOTHING).reaches_inbox
    ]


async def _report_sites_without_channel(
    connection: Connection,
    assigned: Sequence[tuple[Decided, LeadAssigned]],
    newest: dict[UUID, Decided],
    channels: dict[str, Channels],
    now: datetime,
) -> None:
    """Every endpoint of the site is disabled: the router shall not wait for an answer that cannot come."""
    for fact, data in assigned:
        site = channels.get(data.site_id, NOTHING)
        if _is_current(data, newest) and not site.webhooks and not site.reaches_inbox:
            said = Said(data.lead_id, data.epoch, data.site_id, Answer.UNDELIVERABLE, "notifier")
            if await answers.add(connection, facts.answer_id_of(said), said, now):
                await outbox.put(connection, [facts.answered(said, now, fact.traceparent)])
