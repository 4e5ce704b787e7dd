"""Services on machines whose clock is wrong, beside others: they say so, and no lead notices."""

from pathlib import Path

import asyncpg
import pytest

from shared.migrate import SERVICES
from tests.faults.conftest import under
from tests.faults.load import Load, Sites
from tests.faults.system import System
from tests.faults.wrong_clock import Extra, clock_set_by, wrong_clock

PER_S = 20


async def time_of_postgres(system: System) -> str:
    connection = await asyncpg.connect(system.settings.require_postgres())
    try:
        return str(await connection.fetchval("SELECT clock_timestamp()"))
    finally:
        await connection.close()


async def stamped_outside(system: System, since: str) -> dict[str, int]:
    """How many times of each kind lie before `since` or after now."""
    connection = await asyncpg.connect(system.settings.require_postgres())
    columns = {
        "received": "SELECT received_at FROM lead_intake.leads",
        "decided": "SELECT decided_at FROM router.decisions",
        "published": "SELECT kafka_time FROM audit.records WHERE topic LIKE 'leads.%'",
        "attempted": "SELECT attempted_at FROM store_notifier.attempts",
        "answered": "SELECT answered_at FROM store_notifier.answers",
    }
    try:
        counts = {
            name: await connection.fetchval(
                f"SELECT count(*) FROM ({query}) AS times(at) "
                "WHERE at < $1::text::timestamptz - interval '20 s' OR at > clock_timestamp() + interval '20 s'",
                since,
            )
            for name, query in columns.items()
        }
        counts["silent"] = await connection.fetchval(
            "SELECT count(*) FROM router.decisions WHERE record->>'cause' = 'silent'"
        )
        return counts
    finally:
        await connection.close()


Wrong = dict[str, tuple[str, str]]
"""Processes by name: their service, and by how much their clock is wrong."""

MIXED: Wrong = {
    "slow-router": ("router", "-1h"),
    "lagging-router": ("router", "-45s"),
    "fast-router": ("router", "+1h"),
    "fast-intake": ("lead_intake", "+1h"),
    "slow-notifier": ("store_notifier", "-1h"),
    "fast-audit": ("audit", "+1h"),
}
SECONDS = {"-1h": -3600, "-45s": -45, "+1h": 3600}
UNSURE_S = 10
"""On a busy machine an answer takes its time, and so much of the offset is its way."""


def every_service(offset: str) -> Wrong:
    return {f"wrong-{service}": (service, offset) for service in SERVICES}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(MIXED, id="each its own"),
        *(pytest.param(every_service(offset), marks=pytest.mark.faults, id=f"all {offset}") for offset in SECONDS),
    ],
)
async def test_services_on_a_wrong_clock_go_by_postgresqls(
    system: System, sites: Sites, load: Load, wrong: Wrong
) -> None:
    since = await time_of_postgres(system)
    extras = {name: Extra(system, service, name, wrong_clock(offset)) for name, (service, offset) in wrong.items()}
    for name, extra in extras.items():
        service, offset = wrong[name]
        side = "behind" if SECONDS[offset] < 0 else "ahead of"
        await extra.until_clock_says(f" s {side} PostgreSQL's: synchronise both with NTP")
        assert abs(await extra.metric("waypost_clock_offset_seconds") - SECONDS[offset]) < UNSURE_S
        if service == "lead_intake":
            load.urls.append(extra.url)

    async with under(load, PER_S):
        pass

    report = await system.prove(load.acknowledged)
    assert report["terms"]["accepted"]["count"] >= len(load.acknowledged) > 2 * PER_S
    assert await stamped_outside(system, since) == dict.fromkeys(
        ("received", "decided", "published", "attempted", "answered", "silent"), 0
    )
    assert sites.seen, "no site was told anything"


async def test_a_clock_that_is_set_while_a_router_decides_is_told_and_does_no_harm(
    system: System, load: Load, tmp_path: Path
) -> None:
    since = await time_of_postgres(system)
    clock = tmp_path / "clock"
    clock.write_text("+0")
    router = Extra(system, "router", "stepping-router", clock_set_by(clock))
    await router.until_clock_says("ok")

    async with under(load, PER_S):
        for step, told in (("-1h", "behind"), ("+0", "ok"), ("+2h", "ahead of"), ("+0", "ok")):
            clock.write_text(step)
            await router.until_clock_says(told)

    await system.prove(load.acknowledged)
    outside = await stamped_outside(system, since)
    assert outside["decided"] == outside["silent"] == 0
    assert abs(await router.metric("waypost_clock_offset_seconds")) < UNSURE_S
