"""Writing the ledger: decisions are only ever added, and leads are brought to where their latest one puts them.

Statements take arrays and are one round trip for a batch of any size. Rows are written in one order, so that routers
wait for one another but do not deadlock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.router.db.arrays import array_text
from shared.postgres import Connection


class FirstDecisions(NamedTuple):
    """New leads with what was decided when they were received: one list per column, one place per lead.

    The order of places is the order of writing: by person, then lead.
    """

    person_id: list[str]
    lead_id: list[str]
    decision_id: list[str]
    outcome: list[str]
    site_id: list[str | None]
    cause_id: list[str]
    record: list[str]
    """Canonical JSON, the data of leads.decided."""
    due_at: list[str | None]
    """`respond_by` of an assigned lead, `retry_at` of a waiting one."""
    join_group: list[str | None]
    intent: list[str]
    lat: list[str | None]
    lon: list[str | None]
    preferred_site_id: list[str | None]
    received_us: list[str]
    """Microseconds since 1970: written and read several times faster than a date."""
    traceparent: list[str | None]
    vehicle: list[str | None]
    waits_for: list[str]
    """Site ids separated by spaces: PostgreSQL has no arrays of arrays of different lengths."""
    waiting: list[str | None]
    queues: list[str]
    """The sites in whose queues it stands, as `waits_for`."""


class FurtherDecision(NamedTuple):
    """A decision of a lead that has one already."""

    lead_id: str
    epoch: int
    decision_id: str
    outcome: str
    site_id: str | None
    cause_id: str
    record: str


class MovedLead(NamedTuple):
    """Where further decisions bring a lead; it moves only from the epoch that they were taken on."""

    lead_id: str
    from_epoch: int
    epoch: int
    state: str
    closed: str | None
    site_id: str | None
    assignment_epoch: int | None
    due_at: str | None
    """As in `FirstDecisions`."""
    is_live: bool
    excluded: str
    """Site ids separated by spaces, as `waits_for`."""
    waits_for: str
    waiting: str | None
    queues: str
    """As in `FirstDecisions`."""
    point: tuple[float, float] | None
    """Where it is from now on; None: where it was."""


class Added(NamedTuple):
    """New leads of which nothing was recorded, because of what others had recorded since they were read."""

    lost: frozenset[str]
    """Their decision was there already."""
    left: frozenset[str]
    """Their person has another live lead in the same group now, or was erased."""
    vacated: frozenset[str] = frozenset()
    """Sites whose queues a lead of the batch left: it is another's turn there."""


async def add_first(
    connection: Connection, new: FirstDecisions, decided_at: datetime, revision: int, version: int, queued_for: str
) -> Added:
    """Write new leads with their first decisions, at most one per lead, whoever else writes it at the same time.

    The lead goes first: only who has that may decide. `queued_for`: by what a lead stands in its queues, if it does.
    """
    [row] = await connection.fetch(
        """WITH new AS MATERIALIZED (
               SELECT * FROM unnest(
                   $1::text::uuid[], $2::text::uuid[], $3::text::uuid[], $4::text::text[], $5::text::text[],
                   $6::text::uuid[], $7::text[], $8::text::timestamptz[], $9::text::text[], $10::text::text[],
                   $11::text::float8[], $12::text::float8[], $13::text::text[], $14::text::bigint[],
                   $15::text::text[], $16::text::text[], $17::text::text[], $18::text::text[], $19::text::text[])
                 AS new (person_id, lead_id, decision_id, outcome, site_id, cause_id, record, due_at, join_group,
                         intent, lat, lon, preferred_site_id, received_us, traceparent, vehicle, waits_for, waiting,
                         queues)),
           placed AS (
               INSERT INTO leads (lead_id, person_id, epoch, state, closed, site_id, assignment_epoch, respond_by,
                                  retry_at, changed_at, live, join_group, network_revision, policy_version, intent,
                                  lat, lon, preferred_site_id, received_at, traceparent, vehicle, waits_for, waiting,
                                  queued_for)
               SELECT lead_id, person_id, 1,
                      CASE outcome WHEN 'assigned' THEN 'held' ELSE outcome END,
                      CASE outcome WHEN 'closed' THEN 'erased' END,  -- nothing else closes a lead that just came
                      site_id, CASE outcome WHEN 'assigned' THEN 1 END,
                      CASE outcome WHEN 'assigned' THEN due_at END, CASE outcome WHEN 'waiting' THEN due_at END,
                      $20, join_group IS NOT NULL AND outcome IN ('assigned', 'waiting'), join_group, $21, $22, intent,
                      lat, lon, preferred_site_id, timestamptz 'epoch' + received_us * interval '1 microsecond',
                      traceparent, vehicle, string_to_array(waits_for, ' '), waiting,
                      CASE outcome WHEN 'waiting' THEN $24 ELSE '' END
               FROM new
               ON CONFLICT DO NOTHING
               RETURNING lead_id, received_at),
           queued AS (
               INSERT INTO site_queues (site_id, received_at, lead_id)
               SELECT queue.site_id, received_at, lead_id
               FROM new JOIN placed USING (lead_id)
                    CROSS JOIN LATERAL unnest(string_to_array(queues, ' ')) AS queue (site_id)
               WHERE queues <> ''),
           decided AS (
               INSERT INTO decisions (lead_id, epoch, decision_id, outcome, site_id, decided_at, network_revision,
                                      policy_version, cause_id, record)
               SELECT lead_id, 1, decision_id, outcome, site_id, $20, $21, $22, cause_id, record::json
               FROM new JOIN placed USING (lead_id))
           SELECT CASE WHEN (SELECT count(*) FROM placed) < $23 THEN
                      ARRAY(SELECT lead_id::text FROM new EXCEPT SELECT lead_id::text FROM placed) END AS behind""",
        *[column if column is new.record else array_text(column) for column in new],
        decided_at,
        revision,
        version,
        len(new.lead_id),
        queued_for,
    )
    if not row["behind"]:
        return Added(frozenset(), frozenset())
    behind = frozenset(row["behind"])
    # Another statement: only a new one sees what was committed while the first waited.
    decided = await connection.fetch(
        "SELECT lead_id::text FROM decisions WHERE lead_id = ANY($1::uuid[]) AND epoch = 1", list(behind)
    )
    lost = frozenset(found["lead_id"] for found in decided)
    return Added(lost, behind - lost)


async def add_further(
    connection: Connection, rows: Sequence[FurtherDecision], decided_at: datetime, revision: int, version: int
) -> int:
    """Write further decisions of (locked) leads; returns how many were not there yet."""
    lead_id, epoch, decision_id, outcome, site_id, cause_id, record = zip(*sorted(rows), strict=True)
    status = await connection.execute(
        """INSERT INTO decisions (lead_id, epoch, decision_id, outcome, site_id, cause_id, record,
                                  decided_at, network_revision, policy_version)
           SELECT lead_id, epoch, decision_id, outcome, site_id, cause_id, record::json, $8, $9, $10
           FROM unnest($1::text::uuid[], $2::int[], $3::text::uuid[], $4::text::text[], $5::text::text[],
                       $6::text::uuid[], $7::text[])
             AS new (lead_id, epoch, decision_id, outcome, site_id, cause_id, record)
           ON CONFLICT (lead_id, epoch) DO NOTHING""",
        array_text(lead_id),
        epoch,
        array_text(decision_id),
        array_text(outcome),
        array_text(site_id),
        array_text(cause_id),
        record,
        decided_at,
        revision,
        version,
    )
    return int(status.split()[-1])


async def move_leads(
    connection: Connection,
    rows: Sequence[MovedLead],
    changed_at: datetime,
    revision: int,
    version: int,
    queued_for: str,
) -> int:
    """Bring (locked) leads to where further decisions put them; returns how many were at the epoch before.

    `queued_for` as in `add_first`; their queues are another table (`queues.stand`).
    """
    (
        lead_id, from_epoch, epoch, state, closed, site_id, assignment, due_at, is_live, excluded, waits_for,
        waiting, _, points,
    ) = zip(*rows, strict=True)  # fmt: skip
    status = await connection.execute(
        """UPDATE leads SET epoch = new.epoch, state = new.state, closed = new.closed, site_id = new.site_id,
                  assignment_epoch = new.assignment_epoch, live = new.is_live,
                  respond_by = CASE new.state WHEN 'held' THEN new.due_at END,
                  retry_at = CASE new.state WHEN 'waiting' THEN new.due_at END,
                  excluded = string_to_array(new.excluded, ' '), waits_for = string_to_array(new.waits_for, ' '),
                  waiting = new.waiting, lat = coalesce(new.lat, leads.lat), lon = coalesce(new.lon, leads.lon),
                  due_published_at = NULL, changed_at = $15, network_revision = $16, policy_version = $17,
                  queued_for = CASE new.state WHEN 'waiting' THEN $18 ELSE '' END
           FROM unnest($1::text::uuid[], $2::int[], $3::int[], $4::text::text[], $5::text::text[], $6::text::text[],
                       $7::int[], $8::text::timestamptz[], $9::bool[], $10::text::text[], $11::text::text[],
                       $12::text::text[], $13::float8[], $14::float8[])
             AS new (lead_id, from_epoch, epoch, state, closed, site_id, assignment_epoch, due_at, is_live,
                     excluded, waits_for, waiting, lat, lon)
           WHERE leads.lead_id = new.lead_id AND leads.epoch = new.from_epoch""",
        array_text(lead_id),
        from_epoch,
        epoch,
        array_text(state),
        array_text(closed),
        array_text(site_id),
        assignment,
        array_text(due_at),
        is_live,
        array_text(excluded),
        array_text(waits_for),
        array_text(waiting),
        [None if point is None else point[0] for point in points],
        [None if point is None else point[1] for point in points],
        changed_at,
        revision,
        version,
        queued_for,
    )
    return int(status.split()[-1])


async def end_live(connection: Connection, lead_ids: Sequence[str]) -> None:
    """Nothing joins these (locked) leads any more."""
    await connection.execute("UPDATE leads SET live = false WHERE lead_id = ANY($1::uuid[])", lead_ids)


async def remember_erased(
    connection: Connection,
    lead_ids: Sequence[str],
    person_ids: Sequence[str],
    fact_ids: Sequence[str],
    erased_at: datetime,
) -> int:
    """Note leads that were erased before they arrived here (epoch 0), so that they are closed when they do.

    Returns how many were noted; fewer than given means that the others have arrived meanwhile.
    """
    status = await connection.execute(
        """INSERT INTO leads (lead_id, person_id, erased_by, epoch, state, closed, changed_at, live, network_revision,
                              policy_version)
           SELECT lead_id, person_id, erased_by, 0, 'closed', 'erased', $4, false, 0, 0
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS new (lead_id, person_id, erased_by)
           ORDER BY person_id, lead_id
           ON CONFLICT (lead_id) DO NOTHING""",
        lead_ids,
        person_ids,
        fact_ids,
        erased_at,
    )
    return int(status.split()[-1])


async def forget_erased(connection: Connection, lead_ids: Sequence[str]) -> None:
    """Remove the (locked) notes of leads that arrive now, so that they can be written as any other."""
    await connection.execute("DELETE FROM leads WHERE lead_id = ANY($1::uuid[]) AND epoch = 0", lead_ids)
