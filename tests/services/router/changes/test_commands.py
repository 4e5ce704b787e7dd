"""Two operators at their terminals."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.doctor import check_changes
from services.router.changes.rules import ChangeRefused
from services.verbs import app
from shared.errors import UserError
from tests.services.router.changes.world import SEVEN, SIX
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import World

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,status,weight,open_lead_limit\n"
ONE = "one,One Centre,delivery_center,Suzhou,Gusu,31.30,120.60,wgs84,sales|test_drive,open,1,\n"
TWO = "two,Two Store,agent_store,Suzhou,Gusu,31.31,120.60,wgs84,sales|test_drive,open,1,\n"


@pytest.fixture
async def waypost(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Waypost":
    """The command on an installation with a network and a policy, in a folder with files."""
    await world.set_up(site("one"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", world.settings.require_postgres())
    monkeypatch.setenv("COLUMNS", "240")
    for name, text in {"six.toml": SIX, "seven.toml": SEVEN, "five.toml": DEFAULT_POLICY}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "one.csv").write_text(HEADER + ONE, encoding="utf-8")
    (tmp_path / "two.csv").write_text(HEADER + ONE + TWO, encoding="utf-8")
    return Waypost(monkeypatch)


class Waypost:
    """Runs `waypost ...` as an operator, or without a key."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.keys = {"": ""}

    async def __call__(self, *arguments: str, by: str = "") -> str:
        """What the command prints; what it complains of is raised."""
        self._monkeypatch.setenv("WAYPOST_OPERATOR_KEY", self.keys[by])
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    async def json(self, *arguments: str, by: str = "") -> dict[str, Any]:
        """The same for machines."""
        told: dict[str, Any] = json.loads(await self(*arguments, "--json", by=by))
        return told

    async def two_people(self) -> None:
        """Ann and Ben, and the rule of two."""
        self.keys["ann"] = (await self("operator", "add", "ann", "--key-only")).strip()
        self.keys["ben"] = (await self("operator", "add", "ben", "--key-only", by="ann")).strip()
        assert "Two people make every change here." in await self("changes", "rule", "--two-person", "on", by="ann")


async def test_a_policy_goes_from_proposal_to_effect_between_two_people(waypost: Waypost) -> None:
    await waypost.two_people()
    proposed = await waypost("policy", "publish", "six.toml", by="ann")
    assert "Change 4 (policy) is proposed: it would take effect when it is approved." in proposed
    assert "`waypost policy try six.toml`" in proposed
    assert "`waypost changes approve 4`" in proposed
    assert "candidates = 5" in await waypost("policy", "show")

    shown = await waypost("changes", "show", "4")
    assert "Change 4: policy, made on policy version 1, proposed by ann at " in shown
    assert "-candidates = 5" in shown
    assert "+candidates = 6" in shown
    with pytest.raises(ChangeRefused, match="ann proposed change 4 and cannot approve it too"):
        await waypost("changes", "approve", "4", by="ann")
    assert "Policy version 2 is in effect." in await waypost("changes", "approve", "4", by="ben")
    first, *_ = (await waypost("policy", "show")).splitlines()
    assert first.startswith("# version 2, published ")
    assert first.endswith(", by ann, approved by ben (change 4)")
    told = await waypost.json("policy", "show")
    assert (told["change_id"], told["published_by"], told["approved_by"]) == (4, "ann", "ben")
    over = await waypost("changes", "show", "4")
    assert "State: in effect as 2." in over
    assert "+candidates = 6" in over


async def test_a_network_waits_for_its_time_and_can_be_withdrawn(waypost: Waypost) -> None:
    await waypost.two_people()
    proposed = await waypost("network", "import", "two.csv", "--apply", "--at", "2h", by="ann")
    assert "+ two" in proposed
    assert "Change 4 (network) is proposed: it would take effect at " in proposed
    approved = await waypost("changes", "approve", "4", by="ben")
    assert "+ two" in approved
    assert "Change 4 (network) is approved: it takes effect at " in approved
    assert "while a router runs" in approved
    listed = await waypost("changes")
    assert "approved" in listed
    assert "Two people make every change here. Times are UTC." in listed
    told = await waypost.json("changes", "show", "4")
    assert [row["site_id"] for row in told["added"]] == ["two"]
    assert (told["state"], told["proposed_by"], told["approved_by"], told["overtaken"]) == (
        "approved",
        "ann",
        "ben",
        False,
    )
    assert "Change 4 is withdrawn" in await waypost("changes", "withdraw", "4", by="ann")
    assert "State: withdrawn by ann." in await waypost("changes", "show", "4")
    told = await waypost.json("changes")
    assert [change["state"] for change in told["changes"]] == ["withdrawn", "in_effect", "in_effect", "in_effect"]
    assert told["two_person"] is True


async def test_going_back_needs_two_people_too(waypost: Waypost) -> None:
    await waypost("policy", "publish", "six.toml")
    await waypost("network", "import", "two.csv", "--apply")
    await waypost.two_people()
    back = await waypost("policy", "rollback", by="ann")
    assert "Change 6 (policy, back to 1) is proposed" in back
    assert "is in effect" not in back
    told = await waypost.json("network", "rollback", by="ben")
    assert (told["applied"], told["restored"], told["change_id"], told["state"]) == (False, 1, 7, "proposed")
    assert "Policy version 3 is in effect." in await waypost("changes", "approve", "6", by="ben")
    assert "Network revision 3 is in effect." in await waypost("changes", "approve", "7", by="ann")
    newest = (await waypost("network", "show")).splitlines()
    assert any(
        line.startswith("revision 3: 1 site,") and "by ben, approved by ann (change 7)" in line for line in newest
    )


async def test_an_overtaken_proposal_says_so_before_and_at_its_approval(waypost: Waypost) -> None:
    await waypost.two_people()
    await waypost("policy", "publish", "six.toml", by="ann")
    await waypost("policy", "publish", "seven.toml", by="ann")
    first = await waypost("changes", "approve", "4", by="ben")
    assert "Change 5 (policy, proposed) was made on policy version 1 and will be refused" in first
    assert "Policy version 2 is in effect: this change would undo what came between." in await waypost(
        "changes", "show", "5"
    )
    with pytest.raises(ChangeRefused, match="made on policy version 1, and 2 is in effect"):
        await waypost("changes", "approve", "5", by="ben")
    done = await waypost.json("changes", "approve", "5", "--even-if-changed", by="ben")
    assert (done["state"], done["became"], done["even_if_changed"]) == ("in_effect", 3, True)


async def test_one_person_schedules_without_a_key_and_a_key_only_adds_the_name(waypost: Waypost) -> None:
    scheduled = await waypost("policy", "publish", "six.toml", "--at", "2h")
    assert "Change 1 (policy) is approved: it takes effect at " in scheduled
    told = await waypost.json("policy", "publish", "seven.toml")
    assert (told["version"], told["is_new"], told["change_id"], told["state"]) == (2, True, 2, "in_effect")
    assert told["overtaken"] == [1]
    again = await waypost("changes", "approve", "1", "--even-if-changed", "--at", "3h")
    assert "Change 1 (policy) is approved: it takes effect at " in again
    waypost.keys["ann"] = (await waypost("operator", "add", "ann", "--key-only")).strip()
    await waypost("policy", "publish", "five.toml", by="ann")
    assert ", by ann (change 4)" in await waypost("policy", "show")
    waypost.keys["guess"] = "wpo_guess"
    with pytest.raises(UserError, match="the key in WAYPOST_OPERATOR_KEY is not accepted"):
        await waypost("policy", "publish", "six.toml", by="guess")


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2020-01-01T03:00+08:00", "2019-12-31 19:00:00 UTC has passed"),
        ("2026-12-01T03:00", "does not say in which zone"),
        ("tomorrow", "is no time"),
    ],
)
async def test_a_time_that_is_none_or_has_passed_is_refused(waypost: Waypost, at: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        await waypost("policy", "publish", "six.toml", "--at", at)
    with pytest.raises(UserError, match="--at, --even-if-changed and --yes-remove are for --apply"):
        await waypost("network", "import", "two.csv", "--at", at)
    assert (await waypost.json("changes"))["changes"] == []


async def test_where_two_are_needed_nobody_sees_the_key_of_another(waypost: Waypost) -> None:
    await waypost.two_people()
    with pytest.raises(UserError, match="nobody may see the key of another") as refused:
        await waypost("operator", "add", "cleo", by="ann")
    assert "waypost operator key" in refused.value.hint
    made = await waypost("operator", "key")
    key, fingerprint = [line.strip() for line in made.splitlines() if line.startswith("    ")]
    with pytest.raises(UserError, match="that is a key and no fingerprint"):
        await waypost("operator", "add", "cleo", "--fingerprint", key, by="ann")
    assert "Change 4 (operator) is proposed" in await waypost(
        "operator", "add", "cleo", "--fingerprint", fingerprint, by="ann"
    )
    assert f"It says: cleo, with the key of fingerprint {fingerprint}." in await waypost("changes", "show", "4")
    assert "Change 4 (operator) is in effect." in await waypost("changes", "approve", "4", by="ben")
    waypost.keys["cleo"] = key
    await waypost("policy", "publish", "six.toml", by="cleo")
    assert "ben is accepted no more" in await waypost("operator", "disable", "ben", by="cleo")
    told = await waypost.json("operator", "list")
    assert [(one["operator"], one["added_by"], one["disabled_by"]) for one in told["operators"]] == [
        ("ann", None, None),
        ("ben", "ann", "cleo"),
        ("cleo", "ann", None),
    ]
    assert key not in await waypost("operator", "list")


async def test_the_rule_is_shown_and_goes_off_with_two_people_only(waypost: Waypost) -> None:
    assert "One person may make a change here." in await waypost("changes", "rule")
    assert "No change yet." in await waypost("changes")
    await waypost.two_people()
    asked = await waypost("changes", "rule", "--two-person", "off", by="ben")
    assert "Change 4 (rule of two) is proposed" in asked
    assert await waypost.json("changes", "rule") == {"two_person": True}
    assert "It says: two people are needed: off." in await waypost("changes", "show", "4")
    await waypost("changes", "approve", "4", by="ann")
    assert await waypost.json("changes", "rule") == {"two_person": False}
    with pytest.raises(UserError, match="on or off, not 'maybe'"):
        await waypost("changes", "rule", "--two-person", "maybe", by="ann")


@pytest.mark.parametrize("name", ["Ann", "wang li", "", "-x", "a" * 64])
async def test_a_name_that_topics_could_not_carry_is_refused(waypost: Waypost, name: str) -> None:
    with pytest.raises(UserError, match="cannot be an operator's name"):
        await waypost("operator", "add", "--", name)


async def test_the_doctor_tells_of_a_change_whose_time_has_passed(waypost: Waypost, world: World) -> None:
    await waypost("policy", "publish", "six.toml", "--at", "2h")
    assert await check_changes(world.settings) == []
    await world.db.execute("UPDATE router.changes SET takes_effect_at = now() - interval '2 minutes'")
    [problem] = await check_changes(world.settings)
    assert "not in effect: 1: does a router run?" in problem
