"""Intake under load: many connections, each sending its next lead when the last was answered 202 after a commit."""

import hashlib
import json
import time
from dataclasses import dataclass

from benchmarks.contest import cpu_seconds, percentile, process
from benchmarks.ground import Grounds
from benchmarks.keep_alive import request_of, send_all, wait_until_open
from deploy.ports import choose_ports

CONNECTIONS = 64
WARM_UP = 1_000
"""Requests before the clock runs: prepared statements, the key cache, and a broker whose code is not compiled yet."""
SOURCE_KEY = "bench-key"


@dataclass(frozen=True)
class Taken:
    """One contestant's round."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """Per lead, of the intake's process alone."""


def body_of(number: int) -> bytes:
    """A lead as a form sends it; every number is another (made-up) person."""
    return json.dumps(
        {
            "intent": "purchase",
            "contact": {"name": f"Test Person {number}", "phone": f"+86139{number:08}"},
            "location": {"lat": 31.2989, "lon": 120.5853, "datum": "gcj02"},
            "channel": "form",
            "consent": {"given_at": "2026-03-02T01:00:00Z", "text_version": "2026-01"},
        }
    ).encode()


async def waypost(grounds: Grounds, requests: int) -> Taken:
    """Our intake: sealed contact, person, idempotency, outbox, then 202."""
    ground = await grounds.fresh()
    await ground.install([])
    connection = await ground.connect()
    await connection.execute("INSERT INTO lead_intake.sources (source, created_at) VALUES ('bench', now())")
    await connection.execute(
        "INSERT INTO lead_intake.source_keys (key_hash, source, created_at) VALUES ($1, 'bench', now())",
        hashlib.sha256(SOURCE_KEY.encode()).digest(),
    )
    await connection.close()
    port = choose_ports(ground.folder / "ports.json", ["intake"])["intake"]
    environment = {**ground.environment, "WAYPOST_INTAKE_PORT": str(port)}
    with process(["services.cli", "run", "lead_intake"], environment, ground.folder / "intake.log") as running:
        return await _load(running.pid, port, requests)


async def tutorial(grounds: Grounds, requests: int) -> Taken:
    """FastAPI and one INSERT per request; it seals nothing, knows no person and publishes nothing."""
    ground = await grounds.fresh()
    connection = await ground.connect()
    await connection.execute("CREATE TABLE peer_intake (lead_id uuid PRIMARY KEY, lead jsonb NOT NULL)")
    await connection.close()
    port = choose_ports(ground.folder / "ports.json", ["intake"])["intake"]
    arguments = ["benchmarks.peers.tutorial_intake", ground.settings.require_postgres(), str(port)]
    with process(arguments, {}, ground.folder / "tutorial.log") as running:
        return await _load(running.pid, port, requests)


async def _load(pid: int, port: int, requests: int) -> Taken:
    headers = [("Authorization", f"Bearer {SOURCE_KEY}"), ("Content-Type", "application/json")]
    prepared = [request_of("/v1/leads", headers, body_of(number)) for number in range(requests + WARM_UP)]
    await wait_until_open(port)
    await send_all(port, prepared[:WARM_UP], CONNECTIONS, 202)
    used, begun = cpu_seconds(pid), time.perf_counter()
    took_ms = await send_all(port, prepared[WARM_UP:], CONNECTIONS, 202)
    seconds = time.perf_counter() - begun
    cpu_us = (cpu_seconds(pid) - used) * 1e6 / requests
    return Taken(requests / seconds, percentile(took_ms, 0.5), percentile(took_ms, 0.99), cpu_us)
