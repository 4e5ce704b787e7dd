"""Everything that must be in place before the first lead: network, policy, sources with keys, endpoints of stores."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from deploy.demo.feed import SOURCES
from deploy.demo.make_network import FOLDER
from deploy.demo.store_process import Agreed
from services.lead_intake import db_sources
from services.lead_intake.db_sources import Source
from services.lead_intake.source_keys import make_key
from services.router import network, policies
from services.store_notifier import endpoints
from services.store_notifier.db import endpoints as endpoint_rows
from shared.access_keys import hash_of
from shared.keys import load_keys
from shared.postgres import Connection, Pool, open_pool, transact
from shared.settings import Settings
from shared.vocabulary import SiteStatus

CONSENT_VERSION = "2026-01"
"""What a source's leads agreed to when they do not say it themselves, as ADF mails do not."""
PAGES = ("ningbo-haishu-store", "xian-weiyang-store", "suzhou-huqiu-store", "suzhou-huqiu-store-2")
"""Sites whose inbox the demo opens: those that never answer by themselves, and the two of the mall."""
IN_FLIGHT = 4


@dataclass(frozen=True)
class Page:
    """One site's inbox and the key that opens it."""

    site_id: str
    url: str
    key: str


@dataclass(frozen=True)
class Prepared:
    """What the play needs to know of the set-up."""

    network_revision: int
    """The revision that this made and that routers must take over; 0 when the network was in effect already."""
    policy_version: int
    """Likewise."""
    source_keys: dict[str, str]
    agreed: tuple[Agreed, ...]
    pages: tuple[Page, ...]


async def prepare(settings: Settings, store_url: str) -> Prepared:
    """Set the demo up on an empty stack. Raises UserError when the network or the policy is refused."""
    now = datetime.now(UTC)
    sites = network.read_network_file(FOLDER / "network.csv")
    async with open_pool(settings, "router", max_size=1) as pool:
        change = await network.apply(pool, sites, now)
        policy = await policies.publish(pool, (FOLDER / "policy.toml").read_text(encoding="utf-8"), now)
    keys = load_keys(settings.key_file)
    async with open_pool(settings, "lead_intake", max_size=1) as pool:
        source_keys = await transact(pool, lambda connection: _add_sources(connection, now))
    open_sites = [site.site_id for site in sites if site.status is SiteStatus.OPEN]
    async with open_pool(settings, "store_notifier", max_size=1) as pool:
        agreed = await _add_webhooks(pool, open_sites, store_url, keys.endpoint_key, now)
        inboxes = await _open_inboxes(pool, now)
    pages = tuple(Page(site_id, f"{settings.notifier_url}/inbox/{site_id}", key) for site_id, key in inboxes.items())
    revision = change.revision if change.revision != change.before else 0
    return Prepared(revision, policy.version if policy.is_new else 0, source_keys, agreed, pages)


async def _add_sources(connection: Connection, now: datetime) -> dict[str, str]:
    keys = {source: make_key(os.urandom) for source in SOURCES.values()}
    for source, key in keys.items():
        await db_sources.add_source(connection, Source(source, CONSENT_VERSION), now)
        await db_sources.add_key(connection, source, hash_of(key), now)
    return keys


async def _add_webhooks(
    pool: Pool, site_ids: Sequence[str], store_url: str, endpoint_key: bytes, now: datetime
) -> tuple[Agreed, ...]:
    agreed = []
    for site_id in site_ids:
        endpoint_id, url = uuid4(), f"{store_url}/hooks/{site_id}"
        secret = await endpoints.add_webhook(
            pool,
            endpoint_id,
            endpoint_rows.Owner(site_id),
            url,
            in_flight_cap=IN_FLIGHT,
            key=endpoint_key,
            random_bytes=os.urandom,
            now=now,
        )
        agreed.append(Agreed(site_id, str(endpoint_id), secret))
    return tuple(agreed)


async def _open_inboxes(pool: Pool, now: datetime) -> dict[str, str]:
    return {site_id: await endpoints.add_inbox(pool, site_id, os.urandom, now) for site_id in PAGES}
