"""The README stays true: its tour is run line by line, its two commands by .ci/run, its links lead somewhere."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from shared.keys import create_keys

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LEAD_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def tour() -> list[str]:
    """The commands of the five minutes, without their comments."""
    block = README.split("## Five minutes", 1)[1].split("```bash\n", 1)[1].split("```", 1)[0]
    lines = [line.split("  #", 1)[0].strip() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("source ")]


@asynccontextmanager
async def waypost(*arguments: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs until Ctrl-C, which it gets at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *arguments),
        cwd=ROOT,
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


async def said(process: asyncio.subprocess.Process, beginning: str) -> None:
    """Wait until the command says something that begins so."""
    assert process.stdout is not None
    told = b""
    async with asyncio.timeout(180):
        while line := await process.stdout.readline():
            told += line
            if line.startswith(beginning.encode()):
                return
    raise AssertionError(f"it ended without saying {beginning!r}:\n{told.decode()}")


async def shell(line: str, environment: Mapping[str, str]) -> str:
    """What a line of the tour prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", line),
        cwd=ROOT,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, f"{line}\n{output}"
    return output


async def take_the_tour(environment: dict[str, str]) -> tuple[str, str]:
    """Every line as it is written; the lead that was sent, and what the line about the inbox said."""
    lead_id, inbox = "", ""
    for line in tour():
        command = line.replace("LEAD_ID", lead_id)
        if exported := re.fullmatch(r"export (\w+)=\$\((.*)\)", command):
            environment[exported[1]] = (await shell(exported[2], environment)).strip()
            continue
        output = await shell(command, environment)
        if "endpoint add" in line:
            inbox = output
        elif found := LEAD_ID.search(output):
            lead_id = lead_id or found[0]
    assert lead_id, "the tour sent no lead"
    return lead_id, inbox


async def test_the_tour_works_after_a_demo_and_twice_in_a_row(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}  # noqa: TID251
    environment |= {
        "WAYPOST_DATA_FOLDER": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }
    create_keys(tmp_path / "keys.json", os.urandom)  # as `make setup` does

    # A demo, far enough to have changed everything that it changes; meanwhile the commands find it.
    async with waypost("demo", environment=environment) as demo:
        await said(demo, "lead   1 ")
        assert "waypost" not in await shell("waypost network show", environment)
        refused = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", "up", cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
        )
        assert b"already runs" in (await refused.communicate())[1]
    assert demo.returncode == 130

    jar = aiohttp.CookieJar(unsafe=True)  # the page is at a number, not a name
    async with waypost("up", environment=environment) as up, aiohttp.ClientSession(cookie_jar=jar) as browser:
        await said(up, "Ready.")
        first, inbox = await take_the_tour(environment)
        told = dict(re.findall(r"(?m)^(page|key) +(\S+)$", inbox))
        origin = {"origin": re.sub(r"(?<=\d)/.*", "", told["page"])}
        async with browser.post(f"{told['page']}/login", data={"key": told["key"]}, headers=origin) as answer:
            page = await answer.text()
        async with asyncio.timeout(60):
            while first not in page:
                await asyncio.sleep(0.2)
                async with browser.get(told["page"]) as answer:
                    page = await answer.text()

        _, again = await take_the_tour(environment)
        assert told["page"] in again
        assert "endpoint rotate" in again
        async with browser.get(told["page"]) as answer:
            assert (answer.status, first in await answer.text()) == (200, True)

        # A store on this machine may be called by the notifier that was started here, so it may be added here.
        line = f"waypost endpoint add --site suzhou-wujiang-store --url {told['page']}"
        assert "secret" in await shell(line, environment)
    assert up.returncode == 0


def test_ci_runs_the_two_commands() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    for command in re.findall(r"```console\n\$ (make \w+)", README):
        assert command in script
    assert "make demo ARGS=--exit" in script


def test_every_target_that_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    named = set(re.findall(r"make (\w+)", README)) - {"alone"}

    assert named
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} <= {"sure"}


def test_every_link_leads_to_a_file_of_the_project() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

    broken = [
        f"{page.relative_to(ROOT)} -> {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert broken == []
