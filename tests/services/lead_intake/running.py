"""A real intake process for tests, with its database, topics, key file and one source."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.lead_intake import db_sources
from services.lead_intake.db_sources import Source
from services.lead_intake.settings import IntakeSettings
from services.lead_intake.source_keys import make_key
from shared.access_keys import hash_of
from shared.kafka import apply_topics
from shared.keys import create_keys
from shared.migrate import migrate
from shared.postgres import Connection, open_pool, transact
from tests.services.lead_intake.builders import lead_json

PROGRAM = """
import sys
from services.lead_intake.main import main
from services.lead_intake.settings import read_settings
from shared.process import run
settings = read_settings()
sys.exit(run(lambda stop: main(settings, stop)))
"""
PATIENCE_S = 90.0


@dataclass(frozen=True)
class Answer:
    """What the intake answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Installation:
    """Where the intakes of one test module work."""

    settings: IntakeSettings
    key: str
    folder: Path
    _processes: list["IntakeProcess"] = field(default_factory=list)

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.settings.require_postgres(), timeout=10)
        try:
            await connection.execute("SET search_path TO lead_intake")
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def facts(self, topic: str) -> list[bytes]:
        """The values of all records of a topic, as of now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.require_kafka(), enable_auto_commit=False)
        await consumer.start()
        try:
            name = self.settings.topic_prefix + topic
            partitions = [TopicPartition(name, n) for n in consumer.partitions_for_topic(name) or ()]
            if not partitions:
                partitions = [TopicPartition(name, n) for n in range(1 if topic != "leads.received" else 12)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            values: list[bytes] = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    values += [record.value for record in records]
            return values
        finally:
            await consumer.stop()

    async def do(self, work: Callable[[Connection], Awaitable[Any]]) -> Any:
        async with open_pool(self.settings, "lead_intake", max_size=1) as pool:
            return await transact(pool, work)

    @asynccontextmanager
    async def running(self, **settings: str) -> AsyncIterator["IntakeProcess"]:
        """One more intake process, with settings of its own."""
        process = IntakeProcess(self, settings, self.folder / f"intake-{len(self._processes)}.log")
        self._processes.append(process)
        process.start()
        try:
            await process.until_ready()
            yield process
        finally:
            process.stop()


class IntakeProcess:
    """One process; `url` stays the same when it is killed and started again."""

    def __init__(self, installation: Installation, settings: dict[str, str], log: Path) -> None:
        self.installation = installation
        self.log = log
        self._settings = settings
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.status: int | None = None

    def start(self) -> None:
        base = self.installation.settings
        environment = {
            "WAYPOST_KAFKA": base.kafka,
            "WAYPOST_POSTGRES": base.require_postgres(),
            "WAYPOST_TOPIC_PREFIX": base.topic_prefix,
            "WAYPOST_KEYS": str(base.key_file),
            "WAYPOST_DATA_FOLDER": str(base.data_folder),
            "WAYPOST_INTAKE_PORT": str(self.port),
        } | {f"WAYPOST_{name.upper()}": value for name, value in self._settings.items()}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stderr=log, stdout=log)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self.status = self._process.wait(15)
            self._process = None

    async def until_ready(self) -> None:
        await until(self._answers, f"the intake does not answer: {self.log.read_text()[-2000:]}")

    async def _answers(self) -> bool:
        try:
            return (await self.get("/")).status == 404
        except aiohttp.ClientError:
            return False

    async def post(self, body: object = None, path: str = "/v1/leads", **headers: str) -> Answer:
        """POST a body (bytes as they are, anything else as JSON); a header's `_` is a dash."""
        given = {"authorization": f"Bearer {self.installation.key}", "content-type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else orjson.dumps(lead_json() if body is None else body)
        return await self._request("POST", path, data, given)

    async def get(self, path: str, **headers: str) -> Answer:
        given = {"authorization": f"Bearer {self.installation.key}"}
        return await self._request("GET", path, None, given | headers)

    async def ask(self, *, origin: str, headers: str) -> Answer:
        """What a browser asks before it posts a form of another origin."""
        given = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": headers}
        return await self._request("OPTIONS", "/v1/leads", None, given)

    async def _request(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, self.url + path, data=data, headers=headers) as response,
        ):
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, await response.read())


async def install(dsn: str, kafka: str, prefix: str, folder: Path) -> Installation:
    settings = IntakeSettings(data_folder=folder, kafka=kafka, postgres=dsn, topic_prefix=prefix)
    create_keys(settings.key_file, os.urandom)
    await migrate(dsn)
    await apply_topics(settings)
    installation = Installation(settings, "", folder)
    installation.key = await add_source(installation, "web-form", "adf-1")
    return installation


async def add_source(installation: Installation, name: str, consent_version: str | None = None) -> str:
    key = make_key(os.urandom)

    async def work(connection: Connection) -> None:
        now = datetime.now(UTC)
        await db_sources.add_source(connection, Source(name, consent_version), now)
        await db_sources.add_key(connection, name, hash_of(key), now)

    await installation.do(work)
    return key


async def until(true: Callable[[], Awaitable[bool]], what: str, within_s: float = PATIENCE_S) -> None:
    """Poll until it is true; fails with `what` after the deadline."""
    deadline = time.monotonic() + within_s
    while not await true():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)
