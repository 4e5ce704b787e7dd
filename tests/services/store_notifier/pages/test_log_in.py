"""Who may look: the key, the cookie, and how a log-in ends."""

import hashlib

from services.store_notifier import endpoints
from tests.services.store_notifier.pages.visitor import Visitor
from tests.services.store_notifier.pages.world import World, now


async def test_the_inbox_asks_for_its_key_first(world: World) -> None:
    site = await world.open_site()
    stranger = Visitor(world, site)

    page, refused = await stranger.get(), await stranger.log_in("not the key")

    assert (page.status, page.headers["location"]) == (303, f"{site.path}/login")
    assert refused.status == 403
    assert "does not open the inbox" in refused.text
    assert "set-cookie" not in refused.headers


async def test_the_key_gives_a_cookie_that_scripts_and_other_sites_cannot_use(world: World) -> None:
    site = await world.open_site()
    visitor = Visitor(world, site)

    answer = await visitor.log_in(site.key)

    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", f"path={site.path}"} <= attributes
    assert (await visitor.get()).status == 200


async def test_postgresql_keeps_only_the_hash_of_a_log_in(world: World) -> None:
    visitor = await Visitor.logged_in(world, await world.open_site())
    token = visitor.cookie.partition("=")[2]

    rows = await world.pool.fetch("SELECT * FROM inbox_sessions WHERE site_id = $1", visitor.site.site_id)

    assert [row["token_sha256"] for row in rows] == [hashlib.sha256(token.encode()).digest()]
    assert token not in str(rows)


async def test_a_log_in_opens_one_site_only(world: World) -> None:
    mine, other = await world.open_site(), await world.open_site()
    lead = await world.assign(other)
    visitor = await Visitor.logged_in(world, mine)
    csrf = await visitor.csrf()

    page = await visitor.get(other.path)
    answer = await visitor.post(f"{lead.path}/answer", {"csrf": csrf, "answer": "accepted"})
    crossed = lead.path.replace(other.site_id, mine.site_id)
    under_own_name = await visitor.post(f"{crossed}/answer", {"csrf": csrf, "answer": "accepted"})

    assert page.status == answer.status == 303
    assert under_own_name.status == 404
    assert await world.answered_facts(lead) == []


async def test_a_rotated_key_ends_its_log_ins(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)

    await endpoints.rotate(
        world.pool, endpoints.inbox_endpoint_id(site.site_id), key=bytes(32), random_bytes=lambda n: b"r" * n, now=now()
    )

    assert (await visitor.get()).status == 303
    assert (await visitor.log_in(site.key)).status == 403


async def test_a_log_in_ends_after_the_working_day(world: World) -> None:
    visitor = await Visitor.logged_in(world, await world.open_site())

    await world.pool.execute(
        "UPDATE inbox_sessions SET expires_at = now() - interval '1 second' WHERE site_id = $1", visitor.site.site_id
    )

    assert (await visitor.get()).status == 303


async def test_logging_out_ends_the_log_in_everywhere(world: World) -> None:
    visitor = await Visitor.logged_in(world, await world.open_site())

    answer = await visitor.post(f"{visitor.site.path}/logout", {"csrf": await visitor.csrf()})

    assert answer.status == 303
    assert (await visitor.get()).headers["location"].endswith("/login?expired")
