"""The router as one SQL statement: 500 waiting rows a time, SKIP LOCKED, the nearest capable site by KNN index.

It validates nothing, publishes nothing and keeps no log that could be replayed; its leads are in PostgreSQL already.
Started as `python -m benchmarks.peers.set_based_sql DSN`.
"""

import asyncio
import sys

import asyncpg

TABLES = """
CREATE EXTENSION IF NOT EXISTS cube;
CREATE EXTENSION IF NOT EXISTS earthdistance;
CREATE UNLOGGED TABLE peer_sites (site_id text PRIMARY KEY, capabilities text[] NOT NULL, place cube NOT NULL);
CREATE TABLE peer_leads (lead_id uuid PRIMARY KEY, needs text NOT NULL, lat float8, lon float8,
                         site_id text, distance_m float8, decided_at timestamptz);
CREATE INDEX peer_waiting ON peer_leads (lead_id) WHERE site_id IS NULL;
"""
# One partial index per capability is what a careful author would do; KNN then needs no filter.
INDEX = "CREATE INDEX peer_sites_{0} ON peer_sites USING gist (place) WHERE capabilities @> '{{{0}}}'"

ROUTE = """
WITH waiting AS (
    SELECT lead_id, lat, lon FROM peer_leads WHERE site_id IS NULL AND needs = '{0}'
    LIMIT 500 FOR UPDATE SKIP LOCKED
), nearest AS (
    SELECT w.lead_id, s.site_id, earth_distance(s.place, ll_to_earth(w.lat, w.lon)) AS distance_m
    FROM waiting w CROSS JOIN LATERAL (
        SELECT site_id, place FROM peer_sites WHERE capabilities @> '{{{0}}}'
        ORDER BY place <-> ll_to_earth(w.lat, w.lon) LIMIT 1
    ) s
)
UPDATE peer_leads l SET site_id = n.site_id, distance_m = n.distance_m, decided_at = clock_timestamp()
FROM nearest n WHERE l.lead_id = n.lead_id
"""


async def main(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    needs = [row[0] for row in await connection.fetch("SELECT DISTINCT needs FROM peer_leads ORDER BY 1")]
    statements = [await connection.prepare(ROUTE.format(need)) for need in needs]
    print("ready", flush=True)
    busy = True
    while busy:
        busy = False
        for statement in statements:
            await statement.fetch()
            busy |= statement.get_statusmsg() != "UPDATE 0"
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
