"""The ground of a round: one embedded stack for the run, and per contestant a fresh database and fresh topics."""

import itertools
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from benchmarks.workload import Lead
from deploy.local import Stack, wait_for_coordinator
from services.router.network import apply
from services.router.policies import publish_default
from services.router.sites import Site
from shared.contracts import LEADS_RECEIVED
from shared.kafka import Producer, apply_topics
from shared.keys import create_keys
from shared.migrate import migrate
from shared.postgres import open_pool
from shared.settings import Settings

FILL_BATCH = 2_000


@dataclass(frozen=True)
class Ground:
    """Where one contestant works in one round."""

    settings: Settings
    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service process of this round is told."""
        return {
            "WAYPOST_DATA_FOLDER": str(self.folder),
            "WAYPOST_KAFKA": self.settings.kafka,
            "WAYPOST_POSTGRES": self.settings.require_postgres(),
            "WAYPOST_TOPIC_PREFIX": self.settings.topic_prefix,
            "WAYPOST_LOG_LEVEL": "warning",
        }

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A superuser's connection to the round's database."""
        return await asyncpg.connect(self.settings.require_postgres())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """The same, closed when the block ends."""
        connection = await self.connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def install(self, sites: list[Site]) -> None:
        """Topics, tables, keys, the network as revision 1 and the default policy as version 1."""
        await apply_topics(self.settings)
        await wait_for_coordinator(self.settings.kafka)
        await migrate(self.settings.require_postgres())
        create_keys(self.settings.key_file, os.urandom)
        async with open_pool(self.settings, "router", max_size=1) as pool:
            if sites:
                await apply(pool, tuple(sites), datetime.now(UTC))
            await publish_default(self.settings)

    async def fill(self, leads: list[Lead]) -> None:
        """Put every lead on leads.received."""
        async with Producer(self.settings, "bench") as producer:
            for start in range(0, len(leads), FILL_BATCH):
                part = leads[start : start + FILL_BATCH]
                await producer.publish(LEADS_RECEIVED.name, [(lead.key, lead.record) for lead in part])


class Grounds:
    """Makes grounds on one stack."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._numbers = itertools.count(1)

    async def fresh(self) -> Ground:
        """A new database, a new topic prefix and a new folder."""
        number = next(self._numbers)
        connection = await asyncpg.connect(self._stack.postgres_dsn)
        await connection.execute(f"CREATE DATABASE bench_{number}")
        await connection.close()
        folder = self._folder / str(number)
        folder.mkdir(parents=True)
        settings = Settings.model_validate(
            {
                "data_folder": folder,
                "kafka": self._stack.kafka_bootstrap,
                "postgres": self._stack.postgres.dsn_of(f"bench_{number}"),
                "topic_prefix": f"r{number}.",
            }
        )
        return Ground(settings, folder)

    def sites_file(self, sites: list[Site]) -> Path:
        """The sites as JSON, for peers that read them at start."""
        file = self._folder / "sites.json"
        file.write_text(json.dumps([site.to_row() for site in sites]))
        return file
