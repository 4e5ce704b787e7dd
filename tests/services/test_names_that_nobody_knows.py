"""A verb that takes the name of something refuses one that nobody knows, and says which one was probably meant."""

import asyncio
import json
from pathlib import Path

import pytest

from shared.keys import create_keys
from shared.migrate import migrate
from tests.services.router.networks import DEFAULT_POLICY
from tests.waypost_command import Ran, run_waypost

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,partner\n"
SITES = "".join(
    f"{name},Name,agent_store,Suzhou,Wuzhong,31.2{number},120.6,wgs84,sales|test_drive,lucky-wheels\n"
    for number, name in enumerate(("lake-east-store", "lake-west-store", "old-town-point"))
)
LEAD = "019a0000-0000-7000-8000-000000000000"
ENDPOINT = "019a0000-0000-4000-8000-000000000000"
POINT = ("--lat", "31.2", "--lon", "120.6", "--datum", "wgs84")
INBOX = ("endpoint", "add", "--inbox", "--site")
HOOK = ("endpoint", "add", "--url", "https://192.0.2.1/", "--partner")


@pytest.fixture(scope="module")
async def place(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of an installation in which there is one of everything."""
    await migrate(postgres_dsn)
    folder: Path = tmp_path_factory.mktemp("place")
    create_keys(folder / "keys.json", lambda count: b"7" * count)
    network, policy = folder / "network.csv", folder / "policy.toml"
    network.write_text(HEADER + SITES)
    policy.write_text(DEFAULT_POLICY)
    settings = {
        "WAYPOST_POSTGRES": postgres_dsn,
        "WAYPOST_DATA_FOLDER": str(folder),
        "WAYPOST_NOTIFIER_URL": "http://127.0.0.1:1",
    }
    for arguments in (
        ("network", "import", str(network), "--apply"),
        ("policy", "publish", str(policy)),
        ("source", "add", "web-form"),
        (*INBOX, "lake-west-store"),
    ):
        ran = await waypost(settings, *arguments)
        assert ran.exit_code == 0, ran.output
    return settings


async def waypost(settings: dict[str, str], *arguments: str) -> Ran:
    return await asyncio.to_thread(run_waypost, *arguments, env=settings)


@pytest.mark.parametrize(
    ("arguments", "message", "advice"),
    [
        ((*INBOX, "lake-est-store"), "no site lake-est-store", " or lake-"),
        ((*INBOX, "zzz"), "no site zzz", "`waypost network show` lists the sites; --new"),
        ((*HOOK, "lucky-weels"), "no partner lucky-weels", "did you mean lucky-wheels?"),
        (("network", "show", "--site", "old-town"), "no site old-town", "did you mean old-town-point?"),
        (
            ("explain", "test_drive", *POINT, "--preferred", "lake-east"),
            "no site lake-east",
            "did you mean lake-east-s",
        ),
        (("order", "give", LEAD, "lake-east", "--by", "mei"), "no site lake-east", "did you mean lake-east-store"),
        (("order", "give", LEAD, "lake-east-store", "--by", "mei"), LEAD, ""),
        (("order", "retry", LEAD, "--by", "mei"), LEAD, ""),
        (("lead", LEAD), LEAD, ""),
        (("endpoint", "list", "--site", "lake-west"), "lake-west has no endpoint", "did you mean lake-west-store?"),
        (("endpoint", "list", "--partner", "nobody"), "nobody has no endpoint", "endpoint list"),
        (("endpoint", "attempts", ENDPOINT), ENDPOINT, "endpoint list"),
        (("endpoint", "ping", ENDPOINT), ENDPOINT, "endpoint list"),
        (("endpoint", "rotate", ENDPOINT), ENDPOINT, "endpoint list"),
        (("endpoint", "disable", ENDPOINT), ENDPOINT, "endpoint list"),
        (("endpoint", "enable", ENDPOINT), ENDPOINT, "endpoint list"),
        (("source", "revoke", "web-from"), "no source web-from", "did you mean web-form?"),
        (("source", "revoke", "web-form", "--key-id", "00000000"), "no such key", "source list"),
        (("policy", "show", "--version", "99"), "no policy version 99", ""),
        (("network", "show", "--revision", "99"), "no network revision 99", ""),
        (("changes", "show", "99"), "no change 99", ""),
        (("run", "routers"), "no service 'routers'", "router"),
    ],
)
async def test_a_name_that_nobody_knows_is_refused_with_the_nearest(
    place: dict[str, str], arguments: tuple[str, ...], message: str, advice: str
) -> None:
    ran = await waypost(place, *arguments)

    assert ran.exit_code, ran.output
    assert ran.stdout == ""
    assert message in ran.stderr
    assert advice in ran.stderr
    assert ran.stderr.count("\n") == 1


async def test_a_site_that_is_not_in_the_network_yet_may_be_added_on_purpose(place: dict[str, str]) -> None:
    assert (await waypost(place, *INBOX, "planned-store")).exit_code == 1
    added = await waypost(place, *INBOX, "planned-store", "--new")
    assert added.exit_code == 0, added.output


async def test_a_site_that_has_its_inbox_keeps_the_key_of_it(place: dict[str, str]) -> None:
    again = await waypost(place, *INBOX, "lake-west-store")
    assert again.exit_code == 0
    assert "/inbox/lake-west-store" in again.stdout
    assert "endpoint rotate" in again.stdout
    assert json.loads((await waypost(place, *INBOX, "lake-west-store", "--json")).stdout)["key"] is None
