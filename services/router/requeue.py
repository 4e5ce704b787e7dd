"""Finds again for which sites leads wait, when another network or policy takes effect or a site begins its business.

A site that has just opened, or takes more leads than before, is for whoever waited longest. The waiting leads are asked
for one after the other (`timers.py`), and until a lead is, its last decision knows nothing of such a site: so before a
router gives anybody a place there, all that wait are put into the queues where they belong now.
"""

from datetime import datetime

from services.router.db import ledger, queues
from services.router.domain import LeadState, WaitingLead, wanted_sites
from services.router.questions import features_of, ledger_of
from services.router.reload import InEffect
from shared.postgres import Connection, Pool, transact
from shared.telemetry import get_logger

AT_ONCE = 500
"""Leads of one transaction, which holds their rows."""


async def requeue(pool: Pool, in_effect: InEffect, now: datetime) -> int:
    """Bring the queues of all waiting leads up to what is in effect; returns how many leads were not."""
    total = 0
    while True:
        found = await transact(pool, lambda connection: _requeue_some(connection, in_effect, now))
        total += found
        if found < AT_ONCE:
            if total:
                get_logger().info("router.requeued", leads=total, queued_for=in_effect.queued_for(now))
            return total


async def _requeue_some(connection: Connection, in_effect: InEffect, now: datetime) -> int:
    queued_for = in_effect.queued_for(now)
    lead_ids = await queues.outdated(connection, queued_for, AT_ONCE)
    if not lead_ids:
        return 0
    rows = [row for row in await ledger.lock_leads(connection, lead_ids, []) if row.state == LeadState.WAITING]
    waiting = [WaitingLead(features_of(row), ledger_of(row)) for row in rows]
    sites = wanted_sites(waiting, in_effect.snapshot, in_effect.policy, now)
    locked = [row.lead_id for row in rows]
    await queues.stand(connection, locked, [" ".join(found) for found in sites])
    await queues.mark(connection, locked, queued_for)
    return len(lead_ids)
