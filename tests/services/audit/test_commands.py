"""The commands as people and machines run them: what they print and the status that they end with."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from tests.services.audit.places import DAY, START
from tests.services.audit.world import World
from tests.waypost_command import Ran, run_waypost

WINDOW = ["--from", (START - DAY).isoformat(), "--to", (START + DAY).isoformat(), "--wait", "0"]
Invoke = Callable[..., Awaitable[Ran]]


@pytest.fixture
def invoke(migrated_dsn: str, tmp_path: Path) -> Invoke:
    """Run a command against the module's database, with no Kafka and no local stack in sight."""

    async def run(*arguments: str, postgres: str = migrated_dsn, kafka: str = "") -> Ran:
        env = {
            "WAYPOST_POSTGRES": postgres,
            "WAYPOST_DATA_FOLDER": str(tmp_path),
            "WAYPOST_KAFKA": kafka,
            "COLUMNS": "120",
        }
        # In a thread of its own: a command begins its own event loop.
        return await asyncio.to_thread(lambda: run_waypost(*arguments, env=env))

    return run


async def test_a_clean_replay_ends_with_status_0_and_says_so(world: World, invoke: Invoke) -> None:
    await world.receive()

    ran = await invoke("audit", "replay", *WINDOW)

    assert ran.exit_code == 0, ran.output
    assert "SAME" in ran.stdout
    assert "CLEAN 1 decision in" in ran.stdout


async def test_an_altered_row_is_named_to_people_and_ends_with_status_1(world: World, invoke: Invoke) -> None:
    lead_id = await world.receive()
    await world.tamper("UPDATE router.decisions SET site_id = 'far'")

    ran = await invoke("audit", "replay", *WINDOW)

    assert ran.exit_code == 1
    assert f"TAMPERED lead {lead_id} epoch 1: router.decisions.site_id: the row says far" in ran.stdout
    assert "NOT CLEAN" in ran.stdout


async def test_an_altered_row_is_named_to_machines(world: World, invoke: Invoke) -> None:
    lead_id = await world.receive()
    await world.tamper("UPDATE router.decisions SET site_id = 'far'")

    ran = await invoke("audit", "replay", *WINDOW, "--json")
    report = orjson.loads(ran.stdout)

    assert ran.exit_code == 1
    assert (report["clean"], report["decisions"], report["counts"]["TAMPERED"]) == (False, 1, 1)
    assert report["findings"] == [
        {
            "verdict": "TAMPERED",
            "lead_id": str(lead_id),
            "epoch": 1,
            "field": "router.decisions.site_id",
            "detail": "the row says far, published was near",
        }
    ]


async def test_a_missing_lead_is_named_by_count(world: World, invoke: Invoke) -> None:
    await world.receive()
    lost = await world.accept()

    shown = await invoke("audit", "count", *WINDOW)
    told = await invoke("audit", "count", *WINDOW, "--json")
    report = orjson.loads(told.stdout)

    assert (shown.exit_code, told.exit_code) == (1, 1)
    assert str(lost) in shown.stdout
    assert report["terms"]["accepted"]["count"] == 2
    assert report["findings"] == {"accepted, but not on leads.received": {"total": 1, "first": [str(lost)]}}


async def test_a_clean_count_ends_with_status_0(world: World, invoke: Invoke) -> None:
    await world.receive()

    ran = await invoke("audit", "count", *WINDOW)

    assert ran.exit_code == 0, ran.output
    assert "CLEAN 1 accepted lead in" in ran.stdout


async def test_verify_names_the_first_broken_record(world: World, invoke: Invoke) -> None:
    await world.receive()
    clean = await invoke("audit", "verify")
    await world.tamper("UPDATE audit.records SET value = 'x' WHERE topic = 'network.changed'")

    broken = await invoke("audit", "verify")
    told = await invoke("audit", "verify", "--json")

    assert (clean.exit_code, broken.exit_code, told.exit_code) == (0, 1, 1)
    assert "BROKEN network.changed/0/0: its bytes do not fit the chain" in broken.stdout
    assert orjson.loads(told.stdout)["breaks"] == [
        {"topic": "network.changed", "partition": 0, "record_offset": 0, "what": "its bytes do not fit the chain"}
    ]


async def test_the_journey_of_a_lead_says_who_why_and_who_lost(world: World, invoke: Invoke) -> None:
    lead_id = await world.receive()
    await world.decline(lead_id, START + timedelta(minutes=2))
    await world.accepted_by_holder(lead_id, START + timedelta(minutes=3))

    ran = await invoke("lead", str(lead_id))
    told = orjson.loads((await invoke("lead", str(lead_id), "--json")).stdout)

    assert ran.exit_code == 0, ran.output
    assert "accepted by Old Town (middle)" in ran.stdout
    assert "given to Lakeside (near), 111 m away: the nearest that can take it" in ran.stdout
    assert "not North Gate (far)" in ran.stdout
    assert "+2 min" in ran.stdout
    assert [moment["what"] for moment in told["moments"]] == [
        "received",
        "decided",
        "answered",
        "decided",
        "answered",
        "decided",
    ]


async def test_the_journey_says_when_the_hours_of_the_holder_never_come(world: World, invoke: Invoke) -> None:
    lead_id = await world.receive()
    never = "so its clock runs as if it were always open"
    assert never not in (await invoke("lead", str(lead_id))).stdout
    # As an import of before would have left it: such hours are refused now.
    await world.tamper(
        """UPDATE router.network_revisions SET sites = (
               SELECT json_agg(site::jsonb || '{"hours": "2020 Mo-Fr 09:00-18:00"}')
               FROM json_array_elements(sites) AS site
           )"""
    )

    ran = await invoke("lead", str(lead_id))

    assert ran.exit_code == 0, ran.output
    assert never in " ".join(ran.stdout.split())
    assert never in orjson.loads((await invoke("lead", str(lead_id), "--json")).stdout)["now"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lead", "42"], "no lead id"),
        (["lead", str(uuid4())], "nobody knows a lead"),
        (["audit", "replay", "--from", "tomorrow"], "is no time"),
        (["audit", "count", "--from", "1h", "--to", "2h"], "before it begins"),
        (["audit", "replay", "--topic", "leads.sold"], "no decision is caused by"),
    ],
)
async def test_what_could_not_run_ends_with_status_2_and_one_line(
    world: World, invoke: Invoke, arguments: list[str], words: str
) -> None:
    ran = await invoke(*arguments)

    assert ran.exit_code == 2
    assert words in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


async def test_without_postgres_a_command_says_what_to_do(invoke: Invoke) -> None:
    absent = await invoke("audit", "count", postgres="postgresql://nobody@127.0.0.1:1/none")
    unset = await invoke("audit", "verify", postgres="")

    assert (absent.exit_code, unset.exit_code) == (2, 2)
    assert "waypost doctor" in absent.stderr
    assert "waypost up" in unset.stderr


async def test_a_database_without_tables_is_told_apart(stack: object, invoke: Invoke, migrated_dsn: str) -> None:
    ran = await invoke("audit", "verify", postgres=migrated_dsn.rsplit("/", 1)[0] + "/postgres")

    assert ran.exit_code == 2
    assert "waypost migrate" in ran.stderr


async def test_without_kafka_the_ledger_is_judged_and_the_doubt_is_said_in_one_line(
    world: World, invoke: Invoke
) -> None:
    await world.receive()

    ran = await invoke("audit", "count", *WINDOW, kafka="127.0.0.1:1")
    told = orjson.loads((await invoke("audit", "count", *WINDOW, "--json", kafka="127.0.0.1:1")).stdout)

    assert ran.exit_code == 0, ran.output
    assert "Kafka could not be asked" in ran.stdout
    assert ran.stderr == ""
    assert told["behind"] is None
