"""A private PostgreSQL with PostGIS from the system's packages, for as long as it is measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from deploy.leftovers import Leftovers
from deploy.postgres import Installation, Postgres
from deploy.process import Child

MISSING = "not measured: this machine has no PostGIS (`sudo sh deploy/install_postgis.sh`)"


def find_postgis(root: Path = Path("/")) -> Installation | None:
    """The newest PostgreSQL under Debian's folders that has PostGIS; None without one."""
    controls = (root / "usr/share/postgresql").glob("*/extension/postgis.control")
    versions = sorted((control.parts[-3] for control in controls), key=_major)
    folders = [root / "usr/lib/postgresql" / version / "bin" for version in versions]
    found = [folder for folder in folders if (folder / "initdb").exists()]
    return Installation(found[-1], ("--locale=C",)) if found else None


@asynccontextmanager
async def serving_postgis(
    installation: Installation, folder: Path
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a new cluster in `folder`, on a free port of the loopback, not as root; it ends with the block.

    Raises UserError when it does not start.
    """
    leftovers = Leftovers(folder / "children.json")
    server = Postgres(folder, lambda name: Child(name, folder / "logs" / f"{name}.log", leftovers), installation)
    try:
        await asyncio.to_thread(server.boot)  # makes the folder
        connection = await asyncpg.connect(server.dsn)
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await asyncio.to_thread(server.stop)


def _major(version: str) -> int:
    return int(version) if version.isdigit() else 0
