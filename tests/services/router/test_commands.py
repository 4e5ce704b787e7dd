"""The commands as people type them."""

import json
import re
from pathlib import Path

import pytest
from typer import BadParameter
from typer.testing import CliRunner, Result

from services.router import printing
from services.router.settings import RouterSettings
from services.verbs import app
from shared.contracts import Lost, WhyDistance
from shared.errors import UserError
from shared.migrate import migrate
from shared.postgres import PostgresUnavailable
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


@pytest.mark.parametrize(
    ("lat", "lon", "says"),
    [
        ("0", "0", "no position"),
        ("-0.0", "0.0001", "no position"),
        ("120.62", "31.31", "look swapped"),
        ("87.6", "43.8", "look swapped"),
        ("31.31", "200", "no point on earth"),
        ("91", "120.62", "no point on earth"),
    ],
)
def test_nobody_is_explained_a_place_where_nobody_is(waypost: Waypost, lat: str, lon: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        waypost("explain", "purchase", "--lat", lat, "--lon", lon, "--datum", "wgs84")


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


def test_checking_a_policy_says_what_publishing_would_and_publishes_nothing(waypost: Waypost) -> None:
    before = json.loads(waypost("policy", "show", "--json"))["version"]
    waypost.write("next.toml", DEFAULT_POLICY.replace("candidates = 5 ", "candidates = 7 "))
    shown = waypost("policy", "check", "next.toml")
    assert "no open site of kind" in shown
    assert "next.toml is a valid policy, with 6 warnings. In effect are network revision" in shown
    told = json.loads(waypost("policy", "check", "next.toml", "--json"))
    assert (told["valid"], told["policy_version"], len(told["findings"])) == (True, before, 6)
    assert json.loads(waypost("policy", "show", "--json"))["version"] == before


def test_checking_refuses_what_publishing_refuses(waypost: Waypost) -> None:
    waypost.write("wrong.toml", DEFAULT_POLICY.replace("candidates = 5 ", 'candidates = "7" '))
    with pytest.raises(UserError, match="candidates: is a text; write a number"):
        waypost("policy", "check", "wrong.toml")
    waypost.write("never.toml", DEFAULT_POLICY.replace('kinds = ["delivery_center"]', 'kinds = ["agent_store"]'))
    for words in (("check",), ("check", "--file-only"), ("publish",)):
        with pytest.raises(UserError, match="only a delivery center may have"):
            waypost("policy", words[0], "never.toml", *words[1:])


def test_a_file_alone_is_checked_without_a_stack(waypost: Waypost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYPOST_POSTGRES", "postgresql://nobody@127.0.0.1:1/none")
    assert "policy.toml is a valid policy. It was not compared" in waypost(
        "policy", "check", "policy.toml", "--file-only"
    )
    shown = waypost("network", "check", "network.csv", "--file-only")
    assert "network.csv is a valid network of 2 sites. It was not compared" in shown
    with pytest.raises(PostgresUnavailable):
        waypost("policy", "check", "policy.toml")


def test_checking_a_network_says_what_the_policy_wants_of_it(waypost: Waypost) -> None:
    waypost.write("next.csv", HEADER + CENTER)
    shown = waypost("network", "check", "next.csv")
    assert "no open site of kind" in shown
    assert "next.csv is a valid network of 1 site, with" in shown
    waypost.write("wrong.csv", HEADER + CENTER.replace("31.4", "3_1.4"))
    with pytest.raises(UserError, match=r"wrong.csv is refused, 1 fault"):
        waypost("network", "check", "wrong.csv")


def test_a_file_with_one_site_is_asked_back(waypost: Waypost) -> None:
    stores = "".join(STORE.replace("sz-a1", f"sz-a{number}") for number in range(1, 5))
    waypost.write("all.csv", HEADER + CENTER + stores)
    waypost.write("one.csv", HEADER + CENTER)
    waypost("network", "import", "all.csv", "--apply")
    lost = "4 of 5 open sites would get no leads any more: sz-a1, sz-a2, sz-a3 and 1 more"
    shown = waypost("network", "import", "one.csv")
    assert f"Is this the whole network? {lost}." in shown
    assert "add --apply --yes-remove 4 to put it into effect" in shown
    with pytest.raises(UserError, match=lost) as refused:
        waypost("network", "import", "one.csv", "--apply")
    assert refused.value.hint == "a network file holds every site; if that is meant, add --yes-remove 4"
    with pytest.raises(UserError, match="--yes-remove says 3, and 4 of 5 open sites would get no leads"):
        waypost("network", "import", "one.csv", "--apply", "--yes-remove", "3")
    assert "1 site: 0 added, 0 changed, 4 removed" in waypost(
        "network", "import", "one.csv", "--apply", "--yes-remove", "4"
    )
    waypost("network", "rollback")
    with pytest.raises(UserError, match=lost):
        waypost("network", "rollback")
    assert "the sites of revision" in waypost("network", "rollback", "--yes-remove", "4")


@pytest.mark.parametrize(
    "at",
    [
        "9999-12-31T23:59-12:00",
        "2026-02-30T03:00Z",
        "2026-03-03T24:00Z",
        "999999d",
        "0001-01-01T00:00+14:00",
        "2h2m",
        "x",
    ],
)
def test_a_time_that_no_calendar_has_is_refused_in_a_line(waypost: Waypost, at: str) -> None:
    for words in (("policy", "publish", "policy.toml"), ("network", "import", "network.csv", "--apply")):
        with pytest.raises(UserError, match="--at ") as refused:
            waypost(*words, "--at", at)
        assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("lat", "says"),
    [
        ("3_1.3", "did you mean 31.3?"),
        ("٣١.٣", "did you mean 31.3?"),
        ("31,3", "did you mean 31.3?"),
        ("nan", "is not a number"),
        ("inf", "is not a number"),
    ],
)
def test_a_number_at_the_command_is_read_as_strictly(waypost: Waypost, lat: str, says: str) -> None:
    with pytest.raises(BadParameter, match=re.escape(says)):
        waypost("explain", "purchase", "--lat", lat, "--lon", "120.62", "--datum", "wgs84")


@pytest.mark.parametrize("number", ["1_0", "٣", "99999999999999999999", "0x1", "1.0", "-1"])
def test_a_whole_number_at_the_command_is_read_as_strictly(waypost: Waypost, number: str) -> None:
    for words in (
        ("network", "show", "--revision", number),
        ("network", "diff", "--", number),
        ("network", "rollback", "--to", number),
        ("network", "gaps", "--sites", number),
        ("network", "import", "network.csv", "--apply", "--yes-remove", number),
        ("policy", "show", "--version", number),
        ("policy", "rollback", "--to", number),
        ("policy", "try", "policy.toml", "--show", number),
        ("changes", "--show", number),
        ("changes", "show", "--", number),
        ("changes", "approve", "--", number),
        ("changes", "withdraw", "--", number),
        ("queue", "--limit", number),
    ):
        with pytest.raises(BadParameter):
            waypost(*words)
