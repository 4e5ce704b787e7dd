"""The router as a FastStream tutorial would write it: one message, one lookup, one INSERT, one publish.

Started as `python -m benchmarks.peers.tutorial_router BOOTSTRAP DSN PREFIX SITES_FILE`.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg
from faststream import FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from scipy.spatial import cKDTree


class Lead(BaseModel):
    """The part of leads.received that this router uses."""

    data: dict[str, Any]


class Assigned(BaseModel):
    """What it publishes."""

    lead_id: str
    site_id: str


async def main(bootstrap: str, dsn: str, prefix: str, sites: list[dict[str, Any]]) -> None:
    tree = cKDTree([(site["lat"], site["lon"]) for site in sites])
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=4)
    broker = KafkaBroker(bootstrap, logger=None)

    @broker.subscriber(
        f"{prefix}leads.received", group_id=f"{prefix}tutorial", auto_offset_reset="earliest", batch=False
    )
    @broker.publisher(f"{prefix}leads.decided")
    async def route(lead: Lead) -> Assigned:
        place = lead.data["place"]
        _, nearest = tree.query((place["lat"], place["lon"]))
        assigned = Assigned(lead_id=lead.data["lead_id"], site_id=sites[int(nearest)]["site_id"])
        await pool.execute(
            "INSERT INTO peer_assigned (lead_id, site_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            assigned.lead_id,
            assigned.site_id,
        )
        return assigned

    await FastStream(broker).run()


if __name__ == "__main__":
    bootstrap, dsn, prefix, sites_file = sys.argv[1:5]
    asyncio.run(main(bootstrap, dsn, prefix, json.loads(Path(sites_file).read_text())))
