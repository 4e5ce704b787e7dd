"""What happens when the owner of a stack is killed: nothing is left running, nothing acknowledged is lost."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import Stack, read_stack

CHECKOUT = Path(__file__).parents[2]


@dataclass
class Owner:
    """A process that owns a stack with all its children (see `parent.py`)."""

    process: subprocess.Popen[bytes]
    folder: Path
    kafka: str
    postgres: str
    family: list[psutil.Process]

    def kill(self) -> list[psutil.Process]:
        """Kill -9 it; returns what of its family still runs a minute later."""
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(self.family, timeout=60)
        return alive


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.parent", str(tmp_path / "data")], cwd=CHECKOUT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        report = json.loads(process.stdout.readline())
        children = [psutil.Process(pid) for pid in report["pids"]]
        backends = psutil.Process(report["pids"][1]).children(recursive=True)
        yield Owner(process, tmp_path / "data", report["kafka"], report["postgres"], [*children, *backends])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_no_child_outlives_an_owner_that_is_killed(owner: Owner) -> None:
    assert len(owner.family) > 3  # broker, postmaster, service and PostgreSQL's own workers

    assert owner.kill() == []
    assert read_stack(owner.folder) is None


async def test_a_crash_loses_nothing_and_the_next_start_just_works(owner: Owner) -> None:
    await _leave_traces(owner)
    before = read_stack(owner.folder)
    assert before is not None
    owner.kill()

    async with Stack(owner.folder) as stack:
        assert stack.cluster_id == before.cluster_id
        assert stack.postgres_dsn == owner.postgres
        connection = await asyncpg.connect(stack.postgres_dsn)
        assert await connection.fetchval("SELECT word FROM traces") == "kept"
        await connection.close()
        async with AIOKafkaConsumer(bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest") as consumer:
            consumer.assign([TopicPartition("traces", 0)])
            async with asyncio.timeout(60):
                assert (await consumer.getone()).value == b"kept"


def test_a_process_that_did_outlive_its_owner_is_ended_by_the_next_start(tmp_path: Path) -> None:
    survivor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    started_at = psutil.Process(survivor.pid).create_time()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    recorded = {survivor.pid: ("kafka", started_at), stranger.pid: ("postgres", started_at - 3600)}
    (tmp_path / "children.json").write_text(json.dumps(recorded))
    try:
        with Stack(tmp_path):
            assert not psutil.pid_exists(survivor.pid)
            assert stranger.poll() is None  # the same process id, but it is not the one that was recorded
    finally:
        for process in (survivor, stranger):
            process.kill()
            process.wait()


async def _leave_traces(owner: Owner) -> None:
    connection = await asyncpg.connect(owner.postgres)
    await connection.execute("CREATE TABLE traces (word text)")
    await connection.execute("INSERT INTO traces VALUES ('kept')")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=owner.kafka)
    await admin.start()
    await admin.create_topics([NewTopic("traces", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=owner.kafka, acks="all") as producer:
        await producer.send_and_wait("traces", b"kept", partition=0)
