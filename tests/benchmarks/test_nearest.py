"""The peers of the nearest site find what there is to find, and what they miss is counted."""

from pathlib import Path

import asyncpg

from benchmarks.decide import make_traffic
from benchmarks.nearest import Search
from benchmarks.peers.knn_sql import CORE, KnnPeer, works_of
from benchmarks.peers.naive_nearest import BruteForce, by_loop
from benchmarks.peers.postgis import find_postgis
from deploy.local import Stack


def test_loops_and_the_tree_agree_but_for_the_sphere() -> None:
    traffic = make_traffic(200, 1)
    search = Search(traffic)

    assert search.waypost().farther == 0
    assert search.loop().farther < 0.02
    assert search.brute_force().farther < 0.02


def test_both_loops_find_the_same_place() -> None:
    traffic = make_traffic(200, 1)
    peer, points = BruteForce(traffic.sites, traffic.policy), {s.site_id: (s.lat, s.lon) for s in traffic.sites}

    for lead in traffic.leads:
        one, other = by_loop(lead, traffic.sites, traffic.policy), peer.nearest(lead)
        assert one is not None
        assert other is not None
        assert points[one] == points[other]


def test_every_intent_has_the_condition_of_its_rule() -> None:
    policy = make_traffic(1, 0).policy
    work_of, works = works_of(policy)

    assert work_of.keys() == policy.intents.keys()
    for intent, rule in policy.intents.items():
        assert all(capability in works[work_of[intent]] for capability in rule.requires)
        assert all(f"'{kind}'" in works[work_of[intent]] for kind in rule.kinds)


async def test_the_index_of_postgresql_answers_for_every_lead_and_is_nearly_always_right(stack: Stack) -> None:
    traffic = make_traffic(200, 2)
    connection = await asyncpg.connect(stack.postgres_dsn)
    await connection.execute("CREATE DATABASE knn_peer")
    await connection.close()
    connection = await asyncpg.connect(stack.postgres.dsn_of("knn_peer"))

    peer = await KnnPeer.load(connection, CORE, traffic.policy, traffic.sites)
    rows = await peer.fetch(*peer.arguments(traffic.batches[0]))
    searched = await Search(traffic).knn(peer)
    await connection.close()

    assert sorted(row["number"] for row in rows) == list(range(1, len(traffic.batches[0]) + 1))
    assert searched.farther < 0.1


def test_the_newest_postgresql_that_has_postgis_is_the_peer(tmp_path: Path) -> None:
    assert find_postgis(tmp_path) is None
    for version, has_postgis in (("9.6", True), ("15", True), ("16", True), ("17", False)):
        extension = tmp_path / "usr/share/postgresql" / version / "extension"
        programs = tmp_path / "usr/lib/postgresql" / version / "bin"
        extension.mkdir(parents=True)
        programs.mkdir(parents=True)
        (programs / "initdb").touch()
        if has_postgis:
            (extension / "postgis.control").touch()

    found = find_postgis(tmp_path)

    assert found is not None
    assert found.binaries == tmp_path / "usr/lib/postgresql/16/bin"
