"""The README stays true: its tour is run line by line, its two commands by .ci/run, its links lead somewhere."""

import asyncio
import re
import sys
from pathlib import Path

from deploy.local import Stack
from tests.faults.system import installation

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LEAD_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def tour() -> list[str]:
    """The commands of the five minutes, without their comments."""
    block = README.split("## Five minutes", 1)[1].split("```bash\n", 1)[1].split("```", 1)[0]
    lines = [line.split("  #", 1)[0].strip() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("source ")]


async def test_every_line_of_the_tour_works(stack: Stack, postgres_dsn: str, topic_prefix: str, tmp_path: Path) -> None:
    async with installation(stack, postgres_dsn, topic_prefix, tmp_path, network=False) as system:
        environment = dict(system.environment)
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        lead_id = ""
        for line in tour():
            command = line.replace("LEAD_ID", lead_id)
            if exported := re.fullmatch(r"export (\w+)=\$\((.*)\)", command):
                command = exported[2]
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", command),
                cwd=ROOT,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output = (await process.communicate())[0].decode()
            assert process.returncode == 0, f"{line}\n{output}"
            if exported:
                environment[exported[1]] = output.strip()
            elif found := LEAD_ID.search(output):
                lead_id = lead_id or found[0]

    assert lead_id, "the tour sent no lead"


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
