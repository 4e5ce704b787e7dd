"""What a test needs in the notifier's tables before its story begins, made by the notifier's own functions."""

import os
from dataclasses import dataclass
from uuid import UUID, uuid4

from services.store_notifier import endpoints
from services.store_notifier.db.endpoints import Owner
from services.store_notifier.handlers import read, record_batch
from shared.contracts import LeadDecided
from shared.keys import Keys
from shared.postgres import Pool, transact
from tests.services.store_notifier.world import now, record_of

NOWHERE = "http://127.0.0.1:9/hook"
"""An address where nobody listens."""
PARTNER = "wu-river-group"
SITE, OTHER_SITE = "suzhou-gusu-a", "suzhou-wuzhong-b"


@dataclass(frozen=True)
class Endpoint:
    """A webhook of a site, as the store knows it."""

    endpoint_id: UUID
    secret: str


async def add_webhook(pool: Pool, keys: Keys, url: str, site_id: str = SITE, *, cap: int = 2) -> Endpoint:
    """A webhook of a site."""
    endpoint_id = uuid4()
    secret = await endpoints.add_webhook(
        pool,
        endpoint_id,
        Owner(site_id),
        url,
        in_flight_cap=cap,
        key=keys.endpoint_key,
        random_bytes=os.urandom,
        now=now(),
    )
    return Endpoint(endpoint_id, secret)


async def add_partner(pool: Pool, keys: Keys, url: str, partner: str = PARTNER) -> Endpoint:
    """A webhook of who runs sites."""
    endpoint_id = uuid4()
    secret = await endpoints.add_webhook(
        pool,
        endpoint_id,
        Owner(partner=partner),
        url,
        in_flight_cap=2,
        key=keys.endpoint_key,
        random_bytes=os.urandom,
        now=now(),
    )
    return Endpoint(endpoint_id, secret)


async def handle(pool: Pool, *decisions: LeadDecided) -> dict[str, int]:
    """Let the handler record decisions as one batch."""
    batch = read([record_of(decision, offset) for offset, decision in enumerate(decisions)])
    assert batch.dead == []
    return await transact(pool, lambda connection: record_batch(connection, batch, now()))
