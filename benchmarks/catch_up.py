"""Router catch-up: a backlog on Kafka (or, for SQL, in a table), drained; every decision durable and published."""

from functools import partial

import asyncpg

from benchmarks.contest import Drained, drain, process
from benchmarks.ground import Grounds
from benchmarks.peers.set_based_sql import INDEX, TABLES
from benchmarks.routers import fill_for, running_routers
from benchmarks.workload import Lead
from services.router.policy import Policy
from services.router.sites import Site

PEER_TABLE = "CREATE TABLE peer_assigned (lead_id text PRIMARY KEY, site_id text NOT NULL)"


async def waypost(grounds: Grounds, sites: list[Site], leads: list[Lead], processes: int) -> Drained:
    """Our router, in one or two processes, with the whole decision record."""
    ground = await grounds.fresh()
    await ground.install(sites)
    async with ground.connected() as connection, running_routers(ground, processes) as routers:
        count = partial(count_rows, connection, "router.decisions")
        await fill_for(routers, ground, leads)
        return await drain(count, len(leads), [router.pid for router in routers])


async def tutorial(grounds: Grounds, sites: list[Site], leads: list[Lead]) -> Drained:
    """A FastStream service as tutorials write it."""
    ground = await grounds.fresh()
    await ground.install(sites)
    await ground.fill(leads)
    connection = await ground.connect()
    await connection.execute(PEER_TABLE)
    arguments = [
        "benchmarks.peers.tutorial_router",
        ground.settings.kafka,
        ground.settings.require_postgres(),
        ground.settings.topic_prefix,
        str(grounds.sites_file(sites)),
    ]
    try:
        with process(arguments, {}, ground.folder / "tutorial.log") as running:
            return await drain(partial(count_rows, connection, "peer_assigned"), len(leads), [running.pid])
    finally:
        await connection.close()


async def set_based_sql(grounds: Grounds, sites: list[Site], leads: list[Lead], policy: Policy) -> Drained:
    """One SQL statement with a KNN index; its leads are loaded before the clock starts."""
    ground = await grounds.fresh()
    connection = await ground.connect()
    await load_sql_peer(connection, sites, leads, policy)
    arguments = ["benchmarks.peers.set_based_sql", ground.settings.require_postgres()]
    count = partial(count_rows, connection, "peer_leads WHERE site_id IS NOT NULL")
    try:
        with process(arguments, {}, ground.folder / "sql.log") as running:
            return await drain(count, len(leads), [running.pid])
    finally:
        await connection.close()


async def load_sql_peer(
    connection: "asyncpg.Connection[asyncpg.Record]", sites: list[Site], leads: list[Lead], policy: Policy
) -> None:
    """Tables, indexes and rows of the SQL peer."""
    await connection.execute(TABLES)
    await connection.executemany(
        "INSERT INTO peer_sites VALUES ($1, $2, ll_to_earth($3, $4))",
        [(site.site_id, [c.value for c in site.capabilities], site.lat, site.lon) for site in sites],
    )
    needs = {intent: sorted(policy.intents[intent].requires)[0].value for intent in {lead.intent for lead in leads}}
    for need in sorted(set(needs.values())):
        await connection.execute(INDEX.format(need))
    await connection.copy_records_to_table(
        "peer_leads",
        records=[(lead.lead_id, needs[lead.intent], lead.lat, lead.lon) for lead in leads],
        columns=["lead_id", "needs", "lat", "lon"],
    )
    await connection.execute("VACUUM ANALYZE peer_leads, peer_sites")


async def count_rows(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> int:
    """Rows of `table`, which may carry a WHERE clause."""
    counted: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return counted
