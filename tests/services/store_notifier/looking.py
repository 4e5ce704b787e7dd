"""What a test looks at: the rows and the facts that are there."""

from collections import Counter

from shared.contracts import DELIVERIES_ATTEMPTED, LEADS_ANSWERED, DeliveryAttempted, LeadAnswered
from shared.postgres import Connection


async def attempted(db: Connection) -> list[DeliveryAttempted]:
    """deliveries.attempted, as it waits for Kafka."""
    rows = await db.fetch("SELECT value FROM outbox WHERE topic = 'deliveries.attempted' ORDER BY outbox_id")
    return [DELIVERIES_ATTEMPTED.read(row["value"]).data for row in rows]


async def answered(db: Connection) -> list[LeadAnswered]:
    """leads.answered, as it waits for Kafka."""
    rows = await db.fetch("SELECT value FROM outbox WHERE topic = 'leads.answered' ORDER BY outbox_id")
    return [LEADS_ANSWERED.read(row["value"]).data for row in rows]


async def statuses(db: Connection) -> Counter[int]:
    """How many deliveries there are of each status."""
    return Counter(row["status"] for row in await db.fetch("SELECT status FROM deliveries"))


async def settled(db: Connection) -> bool:
    """Whether no delivery is due or under way."""
    return not (await statuses(db)).keys() & {0, 1}
