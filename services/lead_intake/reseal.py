"""After a new contact key became the active one: every contact is sealed anew, so that the old key can be destroyed."""

from services.lead_intake import db_people
from services.lead_intake.seal import Seal
from shared.postgres import Connection

ROWS = 500
"""Per transaction, so that no lead waits long for its row."""


async def reseal_some(connection: Connection, seal: Seal) -> int:
    """Seal up to 500 contacts with the active key; returns how many there were, 0 when all are done.

    Raises Unreadable when the key file lacks the key of one: nothing of this transaction is kept then.
    """
    old = await db_people.take_old_seals(connection, seal.key_id, ROWS)
    if old:
        sealed = [seal.close(lead_id, seal.open(lead_id, key_id, box)) for lead_id, key_id, box in old]
        await db_people.replace_seals(connection, seal.key_id, [lead_id for lead_id, _, _ in old], sealed)
    return len(old)
