"""Trying, going back and simulating, as people type it, on a ledger that a router wrote."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.router import trial
from services.router.network import NetworkRefused
from services.router.policies import PolicyRefused
from services.router.simulating import LeadsRefused
from services.verbs import app
from shared.errors import UserError
from shared.vocabulary import Intent
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import World, received_record

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,status,weight,open_lead_limit\n"
OLD = "old,Old Centre,delivery_center,Suzhou,Gusu,31.30,120.60,wgs84,sales|test_drive,open,1,\n"
NEW = "new,New Centre,delivery_center,Suzhou,Gusu,31.31,120.60,wgs84,sales|test_drive,open,1,\n"
HERE, THERE = (31.30, 120.60), (31.31, 120.60)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def waypost(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Waypost":
    """The command on the world's database, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", world.settings.require_postgres())
    monkeypatch.setenv("COLUMNS", "240")
    return Waypost(tmp_path)


class Waypost:
    """Runs `waypost ...` apart from the loop of the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, text: str) -> None:
        """A file in the folder where the command runs."""
        (self._folder / name).write_text(text, encoding="utf-8")

    async def __call__(self, *arguments: str) -> str:
        """What the command prints; what it complains of is raised."""
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    async def json(self, *arguments: str) -> dict[str, Any]:
        """The same for machines."""
        told: dict[str, Any] = json.loads(await self(*arguments, "--json"))
        return told


async def ledger(world: World) -> list[tuple[Any, ...]]:
    """Everything that a trial must leave as it is."""
    return [
        *await world.rows("SELECT lead_id, epoch, record::text FROM router.decisions ORDER BY lead_id, epoch"),
        *await world.rows("SELECT lead_id, state, site_id, changed_at FROM router.leads ORDER BY lead_id"),
        *await world.rows("SELECT site_id, held FROM router.site_loads ORDER BY site_id"),
        *await world.rows("SELECT fact_id, topic FROM router.announcements ORDER BY fact_id"),
        *await world.rows("SELECT max(revision) FROM router.network_revisions"),
        *await world.rows("SELECT max(version) FROM router.policies"),
    ]


async def a_week_of_leads(world: World) -> None:
    """Five leads: two here, one there, one from nowhere, one long ago; all decided on one site."""
    await world.set_up(site("old", *HERE))
    async with world.router() as router:
        await router.handle(
            received_record(901, HERE, at=NOW - timedelta(days=2)),
            received_record(902, HERE, intent=Intent.TEST_DRIVE, at=NOW - timedelta(hours=3)),
            received_record(903, THERE, at=NOW - timedelta(days=6)),
            received_record(904, None, at=NOW - timedelta(days=1)),
            received_record(905, THERE, at=NOW - timedelta(days=9)),
        )


async def test_a_network_is_tried_on_the_leads_of_the_past_days_and_nothing_is_recorded(
    world: World, waypost: Waypost
) -> None:
    await a_week_of_leads(world)
    before = await ledger(world)
    waypost.write("next.csv", HEADER + OLD + NEW)

    told = await waypost.json("network", "try", "next.csv", "--last", "7d")
    assert (told["leads"], told["moved"], told["newly_waiting"], told["no_longer_waiting"]) == (4, 1, {}, {})
    [moved] = told["first_moved"]
    assert moved["lead_id"].endswith("387")  # 903
    assert (moved["from_site"], moved["to_site"], moved["to_lost"]) == ("old", "new", "not_in_network")
    assert (moved["from_m"], moved["to_m"]) == (1109, 0)
    assert told["sites"] == [
        {"site_id": "new", "before": 0, "after": 1, "gained": 1, "lost": 0},
        {"site_id": "old", "before": 3, "after": 2, "gained": 0, "lost": 1},
    ]
    assert told["before"]["waiting"] == {"location_unclear": 1}
    assert (told["before"]["mean_km"], told["after"]["mean_km"]) == (0.37, 0)

    shown = await waypost("network", "try", "next.csv", "--show", "1")
    assert "To another site: 1; newly waiting: 0; no longer waiting: 0; as before: 3." in shown
    assert "nearer; so far: not in the network" in shown
    assert "Mean distance: 0.37 km now, 0.00 km then." in shown
    assert await ledger(world) == before


async def test_the_window_can_be_named_by_its_ends(world: World, waypost: Waypost) -> None:
    await a_week_of_leads(world)
    waypost.write("next.csv", HEADER + OLD + NEW)
    long_ago = (NOW - timedelta(days=9)).isoformat()
    told = await waypost.json("network", "try", "next.csv", "--from", long_ago, "--to", "3d")
    assert (told["leads"], told["moved"]) == (2, 2)
    assert (await waypost.json("network", "try", "next.csv", "--last", "1h"))["leads"] == 0
    with pytest.raises(UserError, match="--last and --from"):
        await waypost("network", "try", "next.csv", "--last", "1h", "--from", "2d")
    with pytest.raises(UserError, match="before they begin"):
        await waypost("network", "try", "next.csv", "--from", "1d", "--to", "2d")
    with pytest.raises(UserError, match="no length of time"):
        await waypost("network", "try", "next.csv", "--last", "a week")


async def test_a_person_who_comes_again_joins_however_the_leads_are_read(
    world: World, waypost: Waypost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.set_up(site("old", *HERE))
    async with world.router() as router:
        await router.handle(
            *[received_record(910 + hours, HERE, person=7, at=NOW - timedelta(hours=hours)) for hours in (9, 5, 1)],
            received_record(920, HERE, at=NOW - timedelta(hours=3)),
        )
    waypost.write("next.csv", HEADER + NEW)
    at_once = await waypost.json("network", "try", "next.csv", "--from", "1d", "--to", NOW.isoformat())
    assert (at_once["leads"], at_once["moved"]) == (4, 4)
    assert (at_once["before"]["joined"], at_once["before"]["assigned"]) == (2, 2)
    assert [one["from_lost"] for one in at_once["first_moved"]].count("joined") == 2
    monkeypatch.setattr(trial, "CHUNK", 1)
    in_parts = await waypost.json("network", "try", "next.csv", "--from", "1d", "--to", NOW.isoformat())
    assert in_parts | {"from": at_once["from"]} == at_once


async def test_a_policy_is_tried_on_the_leads_of_the_past_days(world: World, waypost: Waypost) -> None:
    await a_week_of_leads(world)
    before = await ledger(world)
    waypost.write("next.toml", DEFAULT_POLICY.replace("max_distance_km = 100", "max_distance_km = 0.5"))

    told = await waypost.json("policy", "try", "next.toml", "--last", "7d")
    assert (told["moved"], told["newly_waiting"]) == (0, {"too_far": 1})
    assert told["sites"] == [{"site_id": "old", "before": 3, "after": 2, "gained": 0, "lost": 1}]
    shown = await waypost("policy", "try", "next.toml")
    assert "To another site: 0; newly waiting: 1; no longer waiting: 0; as before: 3." in shown
    assert "too_far" in shown
    assert await ledger(world) == before


async def test_a_file_that_would_be_refused_is_refused_here_too(world: World, waypost: Waypost) -> None:
    await a_week_of_leads(world)
    waypost.write("wrong.csv", HEADER + OLD.replace("delivery_center", "agent_store").replace("sales|", "paint|"))
    with pytest.raises(NetworkRefused, match="row 2 old: capabilities"):
        await waypost("network", "try", "wrong.csv")
    waypost.write(
        "wrong.toml",
        DEFAULT_POLICY.replace(
            'requires = ["vehicle_delivery"]\nkinds = ["delivery_center"]',
            'requires = ["vehicle_delivery"]\nkinds = ["agent_store"]',
        ),
    )
    for verb in ("try", "publish"):
        with pytest.raises(PolicyRefused, match="only a delivery center may have vehicle_delivery"):
            await waypost("policy", verb, "wrong.toml")
    waypost.write("wrong.toml", "tie_band = 3")
    for verb in ("try", "publish"):
        with pytest.raises(UserError, match="tie_band: unknown key; did you mean tie_band_m"):
            await waypost("policy", verb, "wrong.toml")


async def test_going_back_says_what_it_did(world: World, waypost: Waypost) -> None:
    await a_week_of_leads(world)
    waypost.write("next.csv", HEADER + OLD + NEW)
    waypost.write("next.toml", DEFAULT_POLICY.replace("candidates = 5", "candidates = 6"))
    await waypost("network", "import", "next.csv", "--apply")
    await waypost("policy", "publish", "next.toml")

    shown = await waypost("policy", "rollback")
    assert "Policy version 3 is in effect: the text of version 1, in place of version 2." in shown
    assert DEFAULT_POLICY in await waypost("policy", "show")
    told = await waypost.json("network", "rollback", "--to", "1")
    assert (told["before"], told["restored"], told["revision"]) == (2, 1, 3)
    assert [one["site_id"] for one in told["removed"]] == ["new"]
    with pytest.raises(UserError, match="revision 1 is in effect already, as number 3"):
        await waypost("network", "rollback", "--to", "1")
    shown = await waypost("network", "rollback")
    assert "+ new" in shown
    assert "Revision 4 is in effect: the sites of revision 2, in place of revision 3." in shown
    assert (await waypost.json("policy", "rollback"))["version"] == 4


async def test_a_simulation_shows_what_each_tie_band_costs_and_buys(world: World, waypost: Waypost) -> None:
    await world.set_up(site("west", 31.3, 120.600), site("east", 31.3, 120.610))
    before = await ledger(world)
    rows = "".join(f"purchase,31.3,120.601,wgs84,2026-03-01T10:{minute:02}:00Z\n" for minute in range(40))
    waypost.write("leads.csv", "intent,lat,lon,datum,received_at\n" + rows)

    told = await waypost.json("policy", "simulate", "--leads", "leads.csv", "--tie-band", "0,2000")
    narrow, wide = told["simulations"]
    assert (narrow["tie_band_m"], narrow["gini"], narrow["mean_km"]) == (0, 0.5, 0.095)
    assert (wide["gini"], wide["assigned"], wide["waiting"]) == (0, 40, {})
    assert [(one["site_id"], one["leads"], one["share"]) for one in narrow["sites"]] == [
        ("west", 40, 1.0),
        ("east", 0, 0.0),
    ]
    assert told["timed"] is True
    shown = await waypost("policy", "simulate", "--leads", "leads.csv")
    assert "west" in shown
    assert "100.0%" in shown
    assert "policy of version 1" in shown
    assert await ledger(world) == before


async def test_a_policy_file_can_be_simulated(world: World, waypost: Waypost) -> None:
    await world.set_up(site("far", 31.4, 120.6))
    lead = {"intent": "purchase", "lat": 31.3, "lon": 120.6, "datum": "wgs84"}
    waypost.write("leads.ndjson", json.dumps(lead) + "\n")
    waypost.write("near.toml", DEFAULT_POLICY.replace("max_distance_km = 100", "max_distance_km = 5"))
    told = await waypost.json("policy", "simulate", "--leads", "leads.ndjson", "--policy", "near.toml")
    assert told["policy_version"] is None
    assert told["simulations"][0]["waiting"] == {"too_far": 1}
    shown = await waypost("policy", "simulate", "--leads", "leads.ndjson", "--policy", "near.toml")
    assert "1 too_far" in shown
    assert "no site let go of any" in shown


async def test_leads_that_cannot_be_read_name_every_row(world: World, waypost: Waypost) -> None:
    await world.set_up(site("a"))
    waypost.write("leads.csv", "intent,lat,lon,datum\nbuy,31.3,120.6,wgs84\npurchase,31.3,120.6,\n")
    with pytest.raises(LeadsRefused) as refused:
        await waypost("policy", "simulate", "--leads", "leads.csv")
    assert "2 faults" in refused.value.message
    assert "row 2: intent: unknown name" in refused.value.message
    assert "row 3: datum: is missing and is never guessed" in refused.value.message
    waypost.write("leads.txt", "")
    with pytest.raises(UserError, match=r"neither \.csv nor \.ndjson"):
        await waypost("policy", "simulate", "--leads", "leads.txt")
    with pytest.raises(UserError, match="cannot be read"):
        await waypost("policy", "simulate", "--leads", "nowhere.csv")


@pytest.mark.parametrize(("bands", "says"), [("5,wide", "no list of metres"), ("0,9000", "at most 5000")])
async def test_a_band_that_no_policy_may_have_is_refused(world: World, waypost: Waypost, bands: str, says: str) -> None:
    await world.set_up(site("a"))
    waypost.write("leads.csv", "intent,lat,lon,datum\npurchase,31.3,120.6,wgs84\n")
    with pytest.raises(UserError, match=says):
        await waypost("policy", "simulate", "--leads", "leads.csv", "--tie-band", bands)
