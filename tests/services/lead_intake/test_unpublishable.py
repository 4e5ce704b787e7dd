"""A row of the outbox that Kafka never takes: it is buried, and what stands behind it is published."""

from datetime import UTC, datetime

import pytest

from services.lead_intake import db
from services.lead_intake.db import OutboxRow
from shared.contracts import DEAD_LETTERS, LEADS_RECEIVED
from shared.postgres import Connection
from tests.services.lead_intake.running import Installation, IntakeProcess, until


@pytest.mark.usefixtures("intake")
async def test_the_sweeper_buries_it_and_goes_on(installation: Installation, intake: IntakeProcess) -> None:
    async def put(connection: Connection) -> None:
        for key, value in ((b"too large", bytes(1_200_000)), (b"behind", b"the next")):
            await db.insert_outbox(connection, OutboxRow(LEADS_RECEIVED.name, key, value, None), EARLIER)

    async def drained() -> bool:
        return not await installation.rows("SELECT FROM outbox")

    await installation.do(put)
    await until(drained, "the outbox is not empty")

    assert b"the next" in await installation.facts(LEADS_RECEIVED.name)
    [dead] = [DEAD_LETTERS[LEADS_RECEIVED.name].read(raw).data for raw in await installation.facts(LEADS_RECEIVED.dead)]
    assert dead.is_unpublished
    assert len(dead.raw_base64) == 1_600_000
    assert (await intake.post()).status == 202


EARLIER = datetime(2026, 3, 2, tzinfo=UTC)
"""So long ago that the row is the sweeper's."""
