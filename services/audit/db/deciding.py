"""What replay reads: published decisions of a window, and everything that they were decided by."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

from services.audit.db.reader import Window
from services.audit.domain.comparison import LedgerRow
from shared.postgres import Connection


class Published(NamedTuple):
    """One record of leads.decided."""

    lead_id: UUID
    epoch: int
    fact_id: UUID
    value: bytes


class Share(NamedTuple):
    """The part of one worker: the Kafka partitions whose number leaves `number` when divided by `of`.

    All decisions of a lead are in one partition, so no lead is split between workers.
    """

    number: int
    of: int

    @property
    def first(self) -> bool:
        """Whether this worker also does what is done once."""
        return self.number == 0


WHOLE = Share(0, 1)


async def count_published(connection: Connection, window: Window) -> int:
    """How many decided facts the window holds, redeliveries included."""
    return int(
        await connection.fetchval(
            """SELECT count(*) FROM records
               WHERE topic = 'leads.decided' AND fact_time >= $1 AND fact_time < $2 AND lead_id IS NOT NULL""",
            window.since,
            window.until,
        )
    )


async def published(connection: Connection, window: Window, chunk: int, share: Share) -> AsyncIterator[list[Published]]:
    """The decided facts of the window and share, oldest first, `chunk` at a time through a server-side cursor.

    Must run inside a transaction.
    """
    cursor = await connection.cursor(
        """SELECT lead_id, epoch, fact_id, value FROM records
           WHERE topic = 'leads.decided' AND fact_time >= $1 AND fact_time < $2
                 AND lead_id IS NOT NULL AND epoch IS NOT NULL AND partition % $3 = $4
           ORDER BY fact_time""",
        window.since,
        window.until,
        share.of,
        share.number,
    )
    while rows := await cursor.fetch(chunk):
        yield [Published(row["lead_id"], row["epoch"], row["fact_id"], row["value"]) for row in rows]


async def published_of(connection: Connection, decisions: Sequence[tuple[UUID, int]]) -> list[Published]:
    """The decided facts of these decisions, each as often as it was published."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch, fact_id, value FROM records
           JOIN unnest($1::uuid[], $2::int[]) AS wanted (lead_id, epoch) USING (lead_id, epoch)
           WHERE topic = 'leads.decided'
           ORDER BY fact_time, partition, record_offset""",
        [lead_id for lead_id, _ in decisions],
        [epoch for _, epoch in decisions],
    )
    return [Published(row["lead_id"], row["epoch"], row["fact_id"], row["value"]) for row in rows]


async def repeated(connection: Connection, window: Window) -> set[tuple[UUID, int]]:
    """Decisions that were published more than once, by (lead, epoch); with equal bytes that is a redelivery."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch FROM records
           WHERE topic = 'leads.decided' AND fact_time >= $1 AND fact_time < $2 AND epoch IS NOT NULL
           GROUP BY lead_id, epoch HAVING count(*) > 1""",
        window.since,
        window.until,
    )
    return {(row["lead_id"], row["epoch"]) for row in rows}


async def rows_of(
    connection: Connection, lead_ids: Sequence[UUID], epochs: Sequence[int]
) -> dict[tuple[UUID, int], LedgerRow]:
    """The router's rows of these decisions."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch, decision_id, outcome, site_id, decided_at, network_revision, policy_version,
                  cause_id, record::text AS record
           FROM router.decisions
           JOIN unnest($1::uuid[], $2::int[]) AS wanted (lead_id, epoch) USING (lead_id, epoch)""",
        lead_ids,
        epochs,
    )
    return {
        (row["lead_id"], row["epoch"]): LedgerRow(
            decision_id=row["decision_id"],
            outcome=row["outcome"],
            site_id=row["site_id"],
            decided_at=row["decided_at"],
            network_revision=row["network_revision"],
            policy_version=row["policy_version"],
            cause_id=row["cause_id"],
            record=row["record"].encode(),
        )
        for row in rows
    }


async def received(connection: Connection, lead_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The first leads.received fact of each lead; later ones are redeliveries."""
    rows = await connection.fetch(
        """SELECT lead_id, value FROM records
           WHERE topic = 'leads.received' AND lead_id = ANY($1::uuid[]) AND fact_id IS NOT NULL
           ORDER BY partition DESC, record_offset DESC""",
        lead_ids,
    )
    return {row["lead_id"]: row["value"] for row in rows}


async def causes(connection: Connection, fact_ids: Sequence[UUID]) -> dict[UUID, tuple[str, bytes]]:
    """Topic and bytes of the facts that later epochs were decided for."""
    rows = await connection.fetch(
        """SELECT fact_id, topic, value FROM records
           WHERE fact_id = ANY($1::uuid[])
                 AND topic IN ('leads.answered', 'leads.due', 'leads.ordered', 'people.erased')
           ORDER BY topic, partition, record_offset""",
        fact_ids,
    )
    return {row["fact_id"]: (row["topic"], row["value"]) for row in rows}


async def history(connection: Connection, lead_ids: Sequence[UUID]) -> dict[UUID, dict[int, bytes]]:
    """Every published decision of these leads, whatever its time: lead -> epoch -> record."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch, value FROM records
           WHERE topic = 'leads.decided' AND lead_id = ANY($1::uuid[]) AND epoch IS NOT NULL
           ORDER BY lead_id, epoch, record_offset DESC""",
        lead_ids,
    )
    found: dict[UUID, dict[int, bytes]] = {}
    for row in rows:
        found.setdefault(row["lead_id"], {})[row["epoch"]] = row["value"]
    return found


async def unpublished(connection: Connection, window: Window) -> list[tuple[UUID, int]]:
    """The router's rows of the window without any published fact."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch FROM router.decisions AS kept
           WHERE decided_at >= $1 AND decided_at < $2
                 AND NOT EXISTS (SELECT FROM records WHERE records.topic = 'leads.decided'
                                 AND records.lead_id = kept.lead_id AND records.epoch = kept.epoch)
           ORDER BY decided_at, lead_id, epoch""",
        window.since,
        window.until,
    )
    return [(row["lead_id"], row["epoch"]) for row in rows]


async def revision_facts(connection: Connection) -> list[tuple[str, bytes]]:
    """Topic and bytes of every fact that announced a network revision or a policy version."""
    rows = await connection.fetch(
        """SELECT topic, value FROM records
           WHERE topic IN ('network.changed', 'policies.published') AND fact_id IS NOT NULL
           ORDER BY topic, partition, record_offset"""
    )
    return [(row["topic"], row["value"]) for row in rows]


async def network_revision(connection: Connection, revision: int) -> str | None:
    """Sites of one network revision, as JSON text."""
    row = await connection.fetchrow(
        "SELECT sites::text AS sites FROM router.network_revisions WHERE revision = $1", revision
    )
    return None if row is None else str(row["sites"])


async def policy_version(connection: Connection, version: int) -> str | None:
    """Text (TOML) of one policy version."""
    row = await connection.fetchrow("SELECT toml FROM router.policies WHERE version = $1", version)
    return None if row is None else str(row["toml"])
