"""Through which channels a site can be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class Channels:
    """Of one site: its active webhooks, whether its inbox has an active key, whether it ever got any endpoint."""

    webhooks: tuple[UUID, ...]
    inbox: bool
    any_endpoint: bool

    @property
    def reaches_inbox(self) -> bool:
        """A site that never got an endpoint is told by its inbox: its people can be given a key at any time."""
        return self.inbox or not self.any_endpoint


NOTHING = Channels((), inbox=False, any_endpoint=False)


def by_site(found: Sequence[asyncpg.Record]) -> dict[str, Channels]:
    """Channels of each site among these rows of endpoints."""
    sites: dict[str, list[asyncpg.Record]] = {}
    for row in found:
        sites.setdefault(row["site_id"], []).append(row)
    return {
        site_id: Channels(
            tuple(row["endpoint_id"] for row in rows if row["kind"] == "webhook" and row["status"] == "active"),
            any(row["kind"] == "inbox" and row["status"] == "active" for row in rows),
            any_endpoint=True,
        )
        for site_id, rows in sites.items()
    }
