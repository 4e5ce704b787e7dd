"""Travel times as operators see them: explained, checked, and left out of studies."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from services.router.settings import RouterSettings
from services.router.travel.checking import check_travel
from services.verbs import app
from shared.errors import UserError
from shared.migrate import migrate
from tests.services.router.networks import DEFAULT_POLICY
from tests.services.router.travel.engine import FakeEngine, fake_engine

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities\n"
ACROSS = "across,Across,agent_store,Xiamen,Haicang,24.49,118.06,wgs84,sales\n"
ROUND = "round,Round,agent_store,Xiamen,Jimei,24.49,117.99,wgs84,sales\n"
ASKED = ("explain", "purchase", "--lat", "24.49", "--lon", "118.03", "--datum", "wgs84")
LEADS = "intent,lat,lon,datum\npurchase,24.49,118.03,wgs84\n"


@pytest.fixture
async def installation(postgres_dsn: str) -> str:
    """A database with the router's tables."""
    await migrate(postgres_dsn)
    return postgres_dsn


@pytest.fixture
def waypost(installation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator["Waypost"]:
    """The command in an empty folder, on a network with water in it and a policy that compares travel times."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", installation)
    monkeypatch.setenv("COLUMNS", "200")
    command = Waypost(monkeypatch)
    Path("network.csv").write_text(HEADER + ACROSS + ROUND)
    Path("policy.toml").write_text(f"{DEFAULT_POLICY}\n[travel]\ncandidates = 8\n")
    Path("leads.csv").write_text(LEADS)
    command("network", "import", "network.csv", "--apply")
    command("policy", "publish", "policy.toml")
    yield command
    Path("policy.toml").write_text(DEFAULT_POLICY)
    command("policy", "publish", "policy.toml")


class Waypost:
    """Runs `waypost ...` and gives what it prints."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def sets(self, **variables: str) -> None:
        """Environment variables for what follows."""
        for name, value in variables.items():
            self._monkeypatch.setenv(f"WAYPOST_{name.upper()}", value)

    def __call__(self, *arguments: str) -> str:
        """What the command prints; what it complains of is raised."""
        result = CliRunner().invoke(app, list(arguments), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout


def test_without_an_engine_explaining_says_that_distance_decided(waypost: Waypost) -> None:
    shown = waypost(*ASKED)

    assert "would get this purchase lead" in shown
    assert "By distance, not by travel time: no engine is set (WAYPOST_TRAVEL_URL)." in shown
    assert "by road" not in shown


def test_studies_say_that_they_measure_by_distance(waypost: Waypost) -> None:
    line = "Measured by distance: no engine is asked for the travel times that the policy compares."

    assert line in waypost("policy", "try", "policy.toml", "--last", "1h")
    assert line in waypost("policy", "simulate", "--leads", "leads.csv")
    assert json.loads(waypost("policy", "simulate", "--leads", "leads.csv", "--json"))["measure"] == "distance"


async def test_explaining_with_an_engine_names_the_quickest_and_every_time(waypost: Waypost) -> None:
    async with fake_engine(lambda start, end: 2_400.0 if end[1] > 118.03 else 840.0) as engine:
        waypost.sets(travel_url=engine.url, travel_timeout_ms="5000")
        shown = await _in_thread(waypost, *ASKED)
        machine = json.loads(await _in_thread(waypost, *ASKED, "--json"))

    assert "round would get this purchase lead, 4.1 km and 14 min away" in shown
    assert "takes longer to reach" in shown
    assert "40 min" in shown
    assert (machine["site_id"], machine["measure"]) == ("round", "travel_time")


async def _in_thread(waypost: Waypost, *arguments: str) -> str:
    """The command has an event loop of its own."""
    return await asyncio.to_thread(waypost, *arguments)


async def doctored(waypost: Waypost, installation: str, engine: FakeEngine, **settings: str) -> list[str]:
    """What the doctor finds wrong with the engine."""
    asked = RouterSettings(postgres=SecretStr(installation), travel_url=engine.url, **settings)  # type: ignore[arg-type]
    return await check_travel(asked)


async def test_the_doctor_asks_the_engine_for_a_way_in_the_network(waypost: Waypost, installation: str) -> None:
    async with fake_engine() as engine:
        assert await doctored(waypost, installation, engine) == []
        assert engine.asked == [(((24.49, 118.06),), ((24.49, 117.99),))]

        engine.road = lambda start, end: None
        assert await doctored(waypost, installation, engine) == [
            "the engine knows no way from across to round: was it given the map of this region?"
        ]
        assert await doctored(waypost, installation, engine, travel_api="valhalla", travel_profile="truck") == [
            "the engine knows no way from across to round: was it given the map of this region?"
        ]
        assert engine.costings == ["driving", "driving", "truck"]

        engine.status, engine.body = 400, b'{"code":"InvalidQuery"}'
        [refused] = await doctored(waypost, installation, engine)
        assert refused.startswith("the engine gave no travel time: refused (HTTP 400 InvalidQuery): correct WAYPOST")
        engine.status = 502
        assert await doctored(waypost, installation, engine) == [
            "the engine gave no travel time: unavailable (HTTP 502): start it, or correct WAYPOST_TRAVEL_URL"
        ]


@pytest.mark.parametrize(
    "url", ["localhost:5000", "ftp://engine", "http://", "http://engine?key=1", "http://engine/#here"]
)
def test_an_address_that_cannot_be_asked_is_refused_when_settings_are_read(url: str) -> None:
    with pytest.raises(UserError, match="WAYPOST_TRAVEL_URL: write http://HOST:PORT"):
        RouterSettings(travel_url=url)
