"""Finds again for which sites leads wait, when another network or policy takes effect or a site begins its business.

A site that has just opened, or takes more leads than before, is for whoever waited longest. The waiting leads are asked
for one after the other (`timers.py`), and until a lead is, its last decision knows nothing of such a site: so before a
router gives anybody a place there, all that wait are put into the queues where they belong now: the oldest first, and
no longer than leads that have just come may wait for it. With thousands, the next batch goes on from there.
"""

import time
from datetime import datetime

from services.router.db import ledger, queues
from services.router.domain import WaitingLead, wanted_sites
from services.router.questions import features_of, ledger_of
from services.router.reload import InEffect
from shared.postgres import Connection, Pool, transact
from shared.telemetry import get_logger

AT_ONCE = 200
"""Leads of one transaction, which holds their rows: 0.2 s, so that several routers wait in turn within their limit."""
WITHIN_S = 1.0
"""20,000 waiting leads take 10 to 20 s. Places are for the oldest, who come first, and nobody waits for the rest."""


async def requeue(
    pool: Pool, in_effect: InEffect, now: datetime, *, at_once: int = AT_ONCE, within_s: float = WITHIN_S
) -> int:
    """Bring the queues of waiting leads up to what is in effect, the oldest first; returns how many leads were not.

    Ends with all of them, or after `within_s`; what is begun is finished. Without leads that are being decided at this
    moment: it waits for no decision.
    """
    total, until = 0, time.monotonic() + within_s
    while True:
        found = await transact(pool, lambda connection: _requeue_some(connection, in_effect, now, at_once))
        total += found
        if found < at_once or time.monotonic() >= until:
            if total:
                get_logger().info(
                    "router.requeued",
                    leads=total,
                    queued_for=in_effect.queued_for(now),
                    all=found < at_once,
                )
            return total


async def _requeue_some(connection: Connection, in_effect: InEffect, now: datetime, at_once: int) -> int:
    queued_for = in_effect.queued_for(now)
    await queues.lock_requeue(connection)
    lead_ids = await queues.lock_outdated(connection, queued_for, at_once)
    if not lead_ids:
        return 0
    rows = await ledger.lock_leads(connection, lead_ids, [])
    waiting = [WaitingLead(features_of(row), ledger_of(row)) for row in rows]
    sites = wanted_sites(waiting, in_effect.snapshot, in_effect.policy, now)
    await queues.stand(connection, [row.lead_id for row in rows], [" ".join(found) for found in sites])
    await queues.mark(connection, lead_ids, queued_for)
    return len(lead_ids)
