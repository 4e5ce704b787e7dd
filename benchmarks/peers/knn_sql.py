"""The nearest capable site by an index of PostgreSQL: one statement for 500 leads, a LATERAL search for each.

One partial index for each kind of work, as a careful author would make them: the search then needs no filter. It finds
a site and its distance and nothing else: no distance limit, no load, no other candidates, no record, nothing written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from services.router.domain import LeadFeatures
from services.router.policy import Policy
from services.router.rules import IntentRule
from services.router.sites import Site
from shared.vocabulary import Intent


@dataclass(frozen=True)
class Dialect:
    """How a point is kept and measured; `point` makes one of the columns `lat` and `lon`."""

    extensions: tuple[str, ...]
    type: str
    point: str


POSTGIS = Dialect(("postgis",), "geography(Point, 4326)", "ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography")
"""Metres on a sphere: what `<->` of geography means (https://postgis.net/docs/geometry_distance_knn.html)."""
CORE = Dialect((), "point", "point(lon * cosd(33), lat)")
"""What PostgreSQL has without extensions: a plane. Degrees of longitude are drawn together for one latitude in the
middle of the network, which is the most that a plane can do."""


class KnnPeer:
    """The network in a table of one connection's database, ready to be asked. Made by `load`."""

    def __init__(
        self, statement: "PreparedStatement[asyncpg.Record]", backend: int, work_of: dict[Intent, int]
    ) -> None:
        self._statement = statement
        self.backend = backend
        """Process id of the one that searches."""
        self._work_of = work_of

    @classmethod
    async def load(
        cls, connection: "asyncpg.Connection[asyncpg.Record]", dialect: Dialect, policy: Policy, sites: Sequence[Site]
    ) -> "KnnPeer":
        """Extensions, table, rows, indexes and the statement."""
        for extension in dialect.extensions:
            await connection.execute(f"CREATE EXTENSION {extension}")
        await connection.execute(
            "CREATE TEMPORARY TABLE given (site_id text, capabilities text[], kind text, lat float8, lon float8)"
        )
        await connection.copy_records_to_table(
            "given", records=[(s.site_id, sorted(s.capabilities), s.kind, s.lat, s.lon) for s in sites]
        )
        await connection.execute(
            f"CREATE TABLE peer_sites (site_id text, capabilities text[], kind text, place {dialect.type} NOT NULL);"
            f"INSERT INTO peer_sites SELECT site_id, capabilities, kind, {dialect.point} FROM given"
        )
        work_of, works = works_of(policy)
        for number, serves in enumerate(works):
            await connection.execute(
                f"CREATE INDEX peer_sites_{number} ON peer_sites USING gist (place) WHERE {serves}"
            )
        await connection.execute("VACUUM ANALYZE peer_sites")
        # Planned once, not for each batch again: what this measures is the search.
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
        prepared = await connection.prepare(statement(dialect, works))
        return cls(prepared, connection.get_server_pid(), work_of)

    def arguments(self, leads: Sequence[LeadFeatures]) -> tuple[list[int], list[float], list[float]]:
        """What `fetch` wants of a batch: kind of work, latitude and longitude of each lead."""
        lats, lons = zip(*[lead.point for lead in leads if lead.point is not None], strict=True)
        return [self._work_of[lead.intent] for lead in leads], list(lats), list(lons)

    async def fetch(self, works: list[int], lats: list[float], lons: list[float]) -> list[asyncpg.Record]:
        """A row for each lead that some site may serve: its `number` from 1, `site_id` and `distance`."""
        return await self._statement.fetch(works, lats, lons)


def works_of(policy: Policy) -> tuple[dict[Intent, int], list[str]]:
    """The kinds of work that a policy knows: which one an intent is, and the condition on a site that may do each."""
    works = sorted({serving(rule) for rule in policy.intents.values()})
    return {intent: works.index(serving(rule)) for intent, rule in policy.intents.items()}, works


def serving(rule: IntentRule) -> str:
    """The condition on a site that may serve the intent."""
    capabilities = ",".join(sorted(rule.requires))
    kinds = ", ".join(f"'{kind}'" for kind in sorted(rule.kinds))
    return f"capabilities @> '{{{capabilities}}}' AND kind IN ({kinds})"


def statement(dialect: Dialect, works: Sequence[str]) -> str:
    """One search for each kind of work, each by its own index, in one statement."""
    searches = [
        f"""
        SELECT a.number, s.site_id, s.distance FROM asked a CROSS JOIN LATERAL (
            SELECT site_id, place <-> a.place AS distance FROM peer_sites
            WHERE {serves} ORDER BY place <-> a.place LIMIT 1
        ) s WHERE a.work = {number}"""
        for number, serves in enumerate(works)
    ]
    return f"""
    WITH asked AS MATERIALIZED (
        SELECT number, work, {dialect.point} AS place
        FROM unnest($1::int[], $2::float8[], $3::float8[]) WITH ORDINALITY AS given (work, lat, lon, number)
    ){" UNION ALL ".join(searches)}"""
