"""`waypost policy check` and `waypost network check`: what is wrong with a file, without changing anything.

The verbs are attached to their groups in `services.router.commands`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from services.router import network, policies
from services.router.changes.change import Kind
from services.router.changes.content import Effect, look
from services.router.changes.printing import say
from services.router.db import network as db
from services.router.db.network import Current
from services.router.policy import Policy
from services.router.sites import canonical_rows
from services.router.snapshot import Snapshot
from services.router.tables import print_findings
from services.router.terminal import run
from shared.postgres import Pool, acquire
from shared.terminal.output import Json, Output, print_json
from shared.words import counted

FileOnly = Annotated[
    bool, typer.Option("--file-only", help="Look at the file alone, and not at what is in effect; no stack is needed.")
]


def check_policy(
    file: Annotated[Path, typer.Argument(help="A policy file (TOML).")],
    file_only: FileOnly = False,
    as_json: Json = False,
) -> None:
    """Check FILE, and whether it fits the network in effect. Nothing is published; faults end with a non-zero exit."""
    text = policies.read_policy_file(file)
    if file_only:
        # On no network at all: only what contradicts the rules of any network is refused.
        policies.findings_of(Policy.from_toml(text, version=1), Snapshot.build((), 0))
        _tell(file, "policy", None, as_json)
    else:
        _tell(file, "policy", _compared(Kind.POLICY, text), as_json)


def check_network(
    file: Annotated[Path, typer.Argument(help="A .csv or .geojson file with every site of the network.")],
    file_only: FileOnly = False,
    as_json: Json = False,
) -> None:
    """Check FILE, and what the policy in effect wants of it. Nothing is imported; faults end with a non-zero exit."""
    sites = network.read_network_file(file)
    found = None if file_only else _compared(Kind.NETWORK, canonical_rows(sites).decode())
    _tell(file, f"network of {counted(len(sites), 'site')}", found, as_json)


@dataclass(frozen=True)
class _Comparison:
    """What a file would do to what is in effect."""

    effect: Effect
    current: Current


def _compared(kind: Kind, content: str) -> _Comparison:
    async def work(pool: Pool) -> _Comparison:
        async with acquire(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            return _Comparison(await look(connection, kind, content), await db.current(connection))

    return run(work)


def _tell(file: Path, what: str, found: _Comparison | None, as_json: bool) -> None:
    findings = () if found is None else found.effect.findings
    if as_json:
        current = (None, None) if found is None else (found.current.revision or None, found.current.version or None)
        told: dict[str, Any] = {"valid": True, "findings": list(findings)}
        print_json(told | {"network_revision": current[0], "policy_version": current[1]})
        return
    console = Output()
    print_findings(console, findings)
    warned = f", with {counted(len(findings), 'warning')}" if findings else ""
    say(console, f"{file} is a valid {what}{warned}. {_beside(found)} Nothing was changed.")


def _beside(found: _Comparison | None) -> str:
    if found is None:
        return "It was not compared with what is in effect."
    revision, version = found.current
    network = f"network revision {revision}" if revision else "no network"
    policy = f"policy version {version}" if version else "no policy"
    return f"In effect are {network} and {policy}."
