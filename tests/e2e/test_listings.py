"""Every listing of the command, in every width: ids stand whole on one line, and `--json` is JSON alone.

Which listings there are is asked of the command itself: a new verb has to be put into one of the lists below.
"""

import asyncio
import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import Stack
from tests.faults.system import System, installation
from tests.verbs import every_verb, options_of, walk
from tests.waypost_command import Ran, run_waypost

LONG = "suzhou-" + "long-" * 10 + "store"
"""As long as the id of a site may be but for one."""
NEAR, FAR = "suzhou-near-store", "suzhou-next-store"
HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,open_lead_limit,partner"
CAN = "sales|test_drive"
SITES = f"""{HEADER}
{NEAR},Near,agent_store,Suzhou,Wuzhong,31.2600,120.6300,wgs84,{CAN},1,grand
{FAR},Next,agent_store,Suzhou,Wuzhong,31.2700,120.6400,wgs84,{CAN},,grand
{LONG},A name of many words as some are now and then,agent_store,Suzhou,Wuzhong,31.2800,120.6500,wgs84,{CAN},,lucky
"""
SHARES = '\n[[shares]]\ncity = "Suzhou"\npartners = { grand = 60, lucky = 40 }\n'
ACTING = {
    "changes approve", "changes rule", "changes withdraw", "contracts check", "contracts write", "demo", "doctor",
    "endpoint add", "endpoint disable", "endpoint enable", "endpoint ping", "endpoint rotate", "keys init", "migrate",
    "network rollback", "operator add", "operator disable", "operator key", "order close", "order give", "order place",
    "order retry", "policy publish", "policy rollback", "privacy erase", "privacy reseal", "run", "source add",
    "source revoke", "topics apply", "up",
}  # fmt: skip
"""Verbs that do something and say a sentence about it."""
LISTINGS = {
    "audit count", "audit replay", "audit verify", "changes", "changes show", "endpoint attempts", "endpoint list",
    "explain", "lead", "network check", "network diff", "network gaps", "network import", "network show", "network try",
    "operator list", "policy check", "policy shares", "policy show", "policy simulate", "policy try", "queue", "send",
    "source list", "topics check",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A listing with its arguments, and what it must show whole."""

    arguments: tuple[str, ...]
    ids: tuple[str, ...] = ()


def test_every_verb_is_a_listing_or_an_act() -> None:
    assert {" ".join(words) for words in every_verb()} == ACTING | LISTINGS
    assert not ACTING & LISTINGS


def test_every_listing_has_json() -> None:
    without = {
        " ".join(words)
        for words, command in walk()
        if " ".join(words) in LISTINGS and not any("--json" in option.opts for option in options_of(command))
    }
    assert without == set()


def lead(number: int, location: dict[str, object]) -> dict[str, object]:
    return {
        "intent": "test_drive",
        "contact": {"name": "Test Person", "phone": f"+86 174 0000 09{number:02}"},
        "location": location,
        "consent": {"given_at": "2026-03-02T09:00:00+08:00", "text_version": "2026-01"},
    }


@pytest.fixture(scope="module")
async def system(
    stack: Stack, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """All services, with three sites of which one has a name that fills a line."""
    async with installation(
        stack, postgres_dsn, topic_prefix, tmp_path_factory.mktemp("listings"), network=False
    ) as running:
        yield running


@pytest.fixture(scope="module")
async def cases(system: System, tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Something to show for each listing."""
    folder: Path = tmp_path_factory.mktemp("shown")
    network, next_network, policy = folder / "network.csv", folder / "next.csv", folder / "policy.toml"
    network.write_text(SITES)
    next_network.write_text(SITES.replace("31.2600,120.6300", "31.9000,120.9000"))
    await system.clean("network", "import", str(network), "--apply")
    policy.write_text(await system.clean("policy", "show") + SHARES)
    await system.clean("policy", "publish", str(policy))
    await system.routers_know(revision=1, version=2)
    operator, source = "an-operator-with-a-name-of-some-length", "a-source-with-a-name-of-some-length"
    await system.clean("operator", "add", operator)
    key = (await system.clean("source", "add", source, "--key-only")).strip()
    added = json.loads(await system.clean("endpoint", "add", "--site", LONG, "--url", "http://127.0.0.1:9/", "--json"))

    near = {"lat": 31.2801, "lon": 120.6501, "datum": "wgs84"}
    (folder / "near.json").write_text(json.dumps(lead(1, near)))
    (folder / "far.json").write_text(json.dumps(lead(2, {"lat": 45.75, "lon": 126.65, "datum": "wgs84"})))
    sent = json.loads(
        await system.clean("send", str(folder / "near.json"), str(folder / "far.json"), "--key", key, "--json")
    )
    placed, waits = (row["lead_id"] for row in sent["leads"])
    await system.settled({placed, waits})
    async with asyncio.timeout(60):
        while not json.loads(await system.clean("endpoint", "attempts", added["endpoint_id"], "--json"))["attempts"]:
            await asyncio.sleep(0.2)
    await system.clean("audit", "count", "--wait", "60")
    columns = folder / "leads.csv"
    columns.write_text("intent,lat,lon,datum\ntest_drive,31.28,120.65,wgs84\n")
    return [
        Case(("audit", "count", "--wait", "0")),
        Case(("audit", "replay", "--wait", "0", "--jobs", "1")),
        Case(("audit", "verify")),
        Case(("changes",), ("1", "2")),
        Case(("changes", "show", "1"), (NEAR, LONG)),
        Case(("endpoint", "attempts", added["endpoint_id"]), (placed,)),
        Case(("endpoint", "list"), (added["endpoint_id"], LONG, "http://127.0.0.1:9/")),
        Case(("explain", "test_drive", "--lat", "31.28", "--lon", "120.65", "--datum", "wgs84"), (NEAR, FAR, LONG)),
        Case(("lead", placed), (placed, LONG, NEAR, FAR)),
        Case(("network", "check", str(network))),
        Case(("network", "diff"), (NEAR, FAR, LONG)),
        Case(("network", "gaps"), (LONG,)),
        Case(("network", "import", str(next_network)), (NEAR,)),
        Case(("network", "show"), (NEAR, FAR, LONG)),
        Case(("network", "try", str(next_network))),
        Case(("operator", "list"), (operator,)),
        Case(("policy", "check", str(policy))),
        Case(("policy", "shares"), ("grand", "lucky")),
        Case(("policy", "show")),
        Case(("policy", "simulate", "--leads", str(columns)), (NEAR, FAR, LONG)),
        Case(("policy", "try", str(policy))),
        Case(("queue",), (waits,)),
        Case(("send", str(folder / "near.json"), "--key", key), ("near.json",)),
        Case(("source", "list"), (source,)),
        Case(("topics", "check")),
    ]


async def test_ids_are_whole_in_every_width_and_json_is_json(system: System, cases: list[Case]) -> None:
    assert {words for words in LISTINGS if not any(_is_of(case, words) for case in cases)} == set()
    for case in cases:
        told = await _run(system, case, "--json")
        assert (told.exit_code, told.stderr) == (0, ""), (case, told.output)
        json.loads(told.stdout)
        for width in (40, 80, 200, None):
            shown = await _run(system, case, width=width)
            # In a terminal, standard error has a bar while it works.
            assert (shown.exit_code, shown.stderr if width is None else "") == (0, ""), (case, width, shown.output)
            lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout).splitlines()
            for wanted in case.ids:
                whole = re.compile(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])")
                assert any(whole.search(line) for line in lines), (case, width, wanted, shown.stdout)
            assert "…" not in shown.stdout
            if width is None:
                assert "\x1b" not in shown.stdout
                assert not re.search("[│┃─━]", shown.stdout)
            for uuid in re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]*", shown.stdout):
                assert len(uuid) == 36, (case, width, uuid)


@pytest.mark.parametrize("width", [40])
async def test_a_terminal_sees_what_the_width_says(system: System, cases: list[Case], width: int) -> None:
    case = next(case for case in cases if case.arguments == ("queue",))

    shown = await asyncio.to_thread(_in_terminal, system, case, width)

    assert any(case.ids[0] in line for line in shown.splitlines())


def _is_of(case: Case, words: str) -> bool:
    return " ".join(case.arguments).split(" ")[: len(words.split())] == words.split()


async def _run(system: System, case: Case, *options: str, width: int | None = None) -> Ran:
    terminal = {} if width is None else {"TTY_COMPATIBLE": "1", "COLUMNS": str(width), "TERM": "xterm"}
    environment = {**system.environment, "COLUMNS": "40", **terminal}
    return await asyncio.to_thread(run_waypost, *case.arguments, *options, env=environment)


def _in_terminal(system: System, case: Case, width: int) -> str:
    """What the command writes to a real terminal of this width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in system.environment.items() if name not in ("COLUMNS", "LINES")}
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "services.cli", *case.arguments],
        {**environment, "TERM": "xterm"},
        file_actions=[(os.POSIX_SPAWN_DUP2, its, 1), (os.POSIX_SPAWN_CLOSE, ours)],
    )
    os.close(its)
    read = b""
    try:
        while chunk := os.read(ours, 65_536):
            read += chunk
    except OSError:  # the end of a terminal is an error on Linux
        pass
    finally:
        os.close(ours)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, read.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", read.decode())
