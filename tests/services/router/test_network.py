from pathlib import Path

import orjson
import pytest

from services.router import network, policies
from services.router.network import NetworkRefused, read_network_file
from services.router.policies import PolicyRefused
from services.router.sites import network_digest
from shared.contracts import NETWORK_CHANGED, POLICIES_PUBLISHED
from shared.errors import UserError
from tests.services.router.networks import DEFAULT_POLICY, NOW, site
from tests.services.router.world import World, in_minutes

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,status,weight,open_lead_limit\n"
CENTER = "sz-dc,Suzhou DC,delivery_center,Suzhou,Xiangcheng,31.4,120.63,wgs84,sales|vehicle_delivery,open,1,\n"
STORE = "sz-a1,Plaza Store,agent_store,Suzhou,Gusu,31.31,120.62,gcj02,sales|test_drive,open,1,20\n"


async def test_a_preview_changes_nothing_and_applying_keeps_every_revision(world: World, tmp_path: Path) -> None:
    await world.set_up(site("old"))
    file = tmp_path / "network.csv"
    file.write_text(HEADER + CENTER + STORE)
    sites = read_network_file(file)

    preview = await network.preview(world.pool, sites)
    assert (preview.before, preview.revision) == (1, 2)
    assert [one.site_id for one in preview.diff.added] == ["sz-a1", "sz-dc"]
    assert [one.site_id for one in preview.diff.removed] == ["old"]
    assert await world.rows("SELECT revision FROM router.network_revisions") == [(1,)]

    assert await network.apply(world.pool, sites, in_minutes(1)) == preview
    again = await network.apply(world.pool, sites, in_minutes(2))
    assert (again.before, again.revision, bool(again.diff)) == (2, 2, False)
    rows = await world.rows("SELECT revision, digest, sites::text FROM router.network_revisions ORDER BY revision")
    assert [row[0] for row in rows] == [1, 2]
    assert rows[1][1] == network_digest(sites)
    assert [row["site_id"] for row in orjson.loads(rows[1][2])] == ["sz-a1", "sz-dc"]


async def test_an_agent_store_that_claims_vehicle_delivery_is_refused_with_row_and_reason(tmp_path: Path) -> None:
    file = tmp_path / "network.csv"
    file.write_text(HEADER + CENTER + STORE.replace("sales|test_drive", "sales|vehicle_delivery"))
    with pytest.raises(NetworkRefused) as refused:
        read_network_file(file)
    [bad] = refused.value.bad
    assert (bad.row, bad.site_id, bad.field) == (3, "sz-a1", "capabilities")
    assert "row 3 sz-a1: capabilities: an agent store may never have vehicle_delivery" in refused.value.message


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("network.xlsx", b"PK", "neither .csv nor .geojson"),
        ("network.csv", HEADER.encode() + CENTER.replace("Suzhou DC", "苏州").encode("gbk"), "not UTF-8"),
        ("network.geojson", b"[]", "FeatureCollection"),
    ],
    ids=["spreadsheet", "gbk", "no-features"],
)
def test_a_file_that_is_no_network_is_refused_with_the_way_out(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UserError) as refused:
        read_network_file(file)
    assert says in refused.value.message


def test_a_missing_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_network_file(tmp_path / "nowhere.csv")


async def test_two_kept_revisions_can_be_compared(world: World) -> None:
    await world.set_up(site("a"), site("b"))
    await network.apply(world.pool, (site("a", limit=5), site("c")), in_minutes(1))

    change = await network.difference(world.pool, None, None)
    assert (change.before, change.revision) == (1, 2)
    assert [one.after.site_id for one in change.diff.changed] == ["a"]
    assert change.diff.changed[0].columns == ("open_lead_limit",)
    first = await network.difference(world.pool, 0, 1)
    assert [one.site_id for one in first.diff.added] == ["a", "b"]
    with pytest.raises(UserError, match="no network revision 9"):
        await network.difference(world.pool, 1, 9)


async def test_a_change_is_announced_with_the_commit(world: World) -> None:
    await world.set_up(site("a"))
    rows = dict(await world.rows("SELECT topic, value FROM router.announcements"))
    changed = NETWORK_CHANGED.read(rows[NETWORK_CHANGED.name]).data
    assert (changed.revision, changed.sites, changed.added) == (1, 1, 1)
    assert changed.digest == network_digest([site("a")])
    assert POLICIES_PUBLISHED.read(rows[POLICIES_PUBLISHED.name]).data.version == 1


async def test_a_policy_is_kept_as_written_and_the_same_text_is_no_new_version(world: World) -> None:
    await world.set_up(site("a"))
    assert not (await policies.publish(world.pool, DEFAULT_POLICY, in_minutes(1))).is_new
    changed = DEFAULT_POLICY.replace("candidates = 5", "candidates = 6")
    published = await policies.publish(world.pool, changed, in_minutes(1))
    assert (published.version, published.is_new) == (2, True)
    assert await world.rows("SELECT toml FROM router.policies WHERE version = 2") == [(changed,)]


async def test_a_policy_against_the_1n_rules_is_refused_and_changes_nothing(world: World) -> None:
    await world.set_up(site("a"))
    wrong = DEFAULT_POLICY.replace(
        'requires = ["vehicle_delivery"]\nkinds = ["delivery_center"]',
        'requires = ["vehicle_delivery"]\nkinds = ["agent_store"]',
    )
    with pytest.raises(PolicyRefused, match="only a delivery center may have vehicle_delivery"):
        await policies.publish(world.pool, wrong, NOW)
    assert await world.rows("SELECT version FROM router.policies") == [(1,)]
