"""The commands as people type them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.router import printing
from services.router.settings import RouterSettings
from services.verbs import app
from shared.contracts import Lost, WhyDistance
from shared.errors import UserError
from shared.migrate import migrate
from tests.services.router.networks import DEFAULT_POLICY
from tests.waypost_command import run_waypost

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,status,weight,open_lead_limit\n"
CENTER = "sz-dc,Suzhou DC,delivery_center,Suzhou,Xiangcheng,31.4,120.63,wgs84,sales|vehicle_delivery,open,1,\n"
STORE = "sz-a1,Plaza Store,agent_store,Suzhou,Gusu,31.31,120.62,wgs84,sales|test_drive,open,1,20\n"


@pytest.fixture(scope="module")
async def migrated(postgres_dsn: str) -> str:
    """A database with the router's tables and nothing in them."""
    await migrate(postgres_dsn)
    return postgres_dsn


@pytest.fixture
def waypost(migrated: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Waypost":
    """The command, in an empty folder, with the network and the default policy in effect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", migrated)
    monkeypatch.setenv("COLUMNS", "200")
    command = Waypost(tmp_path)
    command.write("network.csv", HEADER + CENTER + STORE)
    command.write("policy.toml", DEFAULT_POLICY)
    command("network", "import", "network.csv", "--apply")
    command("policy", "publish", "policy.toml")
    return command


class Waypost:
    """Runs `waypost ...` and gives what it prints."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, text: str) -> None:
        """A file in the folder where the command runs."""
        (self._folder / name).write_text(text, encoding="utf-8")

    def __call__(self, *arguments: str) -> str:
        """What the command prints; what it complains of is raised."""
        result: Result = CliRunner().invoke(app, list(arguments), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout


def test_importing_shows_the_diff_and_changes_nothing_without_apply(waypost: Waypost) -> None:
    waypost.write("next.csv", HEADER + CENTER + STORE.replace(",20\n", ",25\n"))
    shown = waypost("network", "import", "next.csv")
    assert "sz-a1  open_lead_limit: 20 -> 25" in shown
    assert "add --apply" in shown
    assert json.loads(waypost("network", "show", "--json", "--site", "sz-a1"))["sites"][0]["open_lead_limit"] == 20


def test_applying_makes_a_revision_that_can_be_shown_and_compared(waypost: Waypost) -> None:
    before = json.loads(waypost("network", "show", "--json"))["revision"]
    waypost.write("next.csv", HEADER + CENTER)
    applied = json.loads(waypost("network", "import", "next.csv", "--apply", "--json"))
    assert (applied["applied"], applied["revision"]) == (True, before + 1)
    assert "- sz-a1" in waypost("network", "diff")
    assert "sz-dc" in waypost("network", "show")
    assert "sz-a1" in waypost("network", "show", "--revision", str(before))


def test_a_refused_file_names_row_and_reason(waypost: Waypost) -> None:
    waypost.write("wrong.csv", HEADER + CENTER + STORE.replace("test_drive", "used_vehicle_sales"))
    with pytest.raises(UserError) as refused:
        waypost("network", "import", "wrong.csv", "--apply")
    assert "row 3 sz-a1" in refused.value.message
    assert "only delivery centers may" in refused.value.message


def test_the_policy_in_effect_is_printed_as_it_was_written(waypost: Waypost) -> None:
    assert DEFAULT_POLICY in waypost("policy", "show")
    assert json.loads(waypost("policy", "show", "--json"))["toml"] == DEFAULT_POLICY
    with pytest.raises(UserError, match="no policy version 99"):
        waypost("policy", "show", "--version", "99")


def test_publishing_warns_of_intents_that_nobody_serves(waypost: Waypost) -> None:
    assert "no open site of kind" in waypost("policy", "publish", "policy.toml")


def test_explaining_names_the_site_and_why_the_others_lose(waypost: Waypost) -> None:
    shown = waypost("explain", "purchase", "--lat", "31.31", "--lon", "120.62", "--datum", "wgs84")
    assert "sz-a1 would get this purchase lead, 0 m away" in shown
    assert "farther" in shown
    machine = json.loads(
        waypost("explain", "vehicle_delivery", "--lat", "31.31", "--lon", "120.62", "--datum", "wgs84", "--json")
    )
    assert (machine["outcome"], machine["site_id"]) == ("assigned", "sz-dc")
    waits = waypost("explain", "paint_repair", "--lat", "31.31", "--lon", "120.62", "--datum", "wgs84")
    assert "it would wait: no_capable_site" in waits


def test_explaining_a_wish_says_why_the_nearer_site_loses(waypost: Waypost) -> None:
    shown = waypost(
        "explain", "purchase", "--lat", "31.31", "--lon", "120.62", "--datum", "wgs84", "--preferred", "sz-dc"
    )
    assert "sz-dc would get this purchase lead" in shown
    assert "nearer, but the person asked for another site" in shown


def test_every_reason_of_a_candidate_has_words() -> None:
    assert printing.WHY_LOST.keys() == set(Lost)
    assert printing.WHY_DISTANCE.keys() == set(WhyDistance)


def test_without_postgres_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", "postgresql://nobody@127.0.0.1:1/none")
    ran = run_waypost("network", "show")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "PostgreSQL is not reachable" in ran.stderr


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYPOST_ROUTER_MAX_BATCH", "7")
    assert RouterSettings().router_max_batch == 7
