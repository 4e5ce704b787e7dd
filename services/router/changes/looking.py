"""What a person sees of a change: its row, and how it differs from what it is made on or was made in place of."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff

import orjson

from services.router import network
from services.router.changes.change import OPEN, Change, Kind, State
from services.router.changes.content import current_number
from services.router.db import changes
from services.router.db import network as db
from services.router.network import sites_of
from services.router.sites import Site, diff_networks, loss_of
from shared.errors import UserError
from shared.postgres import Connection


@dataclass(frozen=True)
class View:
    """A change and its difference."""

    change: Change
    compared_with: int
    """Version or revision that the difference starts from; 0: from nothing."""
    current: int
    """What is in effect now."""
    content: str | None
    """The policy's text, or what a change of the other kinds says."""
    text: Sequence[str] = ()
    """Lines of the unified difference of a policy."""
    difference: network.Change | None = None

    @property
    def is_overtaken(self) -> bool:
        """Something took effect since the change was made."""
        change = self.change
        is_numbered = change.kind in (Kind.POLICY, Kind.NETWORK)
        return is_numbered and change.state in OPEN and change.base != self.current


async def view(connection: Connection, change_id: int) -> View:
    """A change as it is now. Raises UserError for an unknown one."""
    change = await changes.one(connection, change_id)
    if change is None:
        raise UserError(f"there is no change {change_id}", "`waypost changes` lists them")
    content = await changes.content_of(connection, change_id)
    current = await current_number(connection, change.kind)
    if change.state is State.IN_EFFECT and change.became is not None:
        older = change.became - 1
    else:
        older = current if change.state in OPEN else change.base
    if change.kind is Kind.POLICY:
        before, after = await db.policy(connection, older), content
        if change.became is not None:
            kept = await db.policy(connection, change.became)
            after = kept.toml if kept else None
        lines = unified_diff(
            before.toml.splitlines() if before else [],
            (after or "").splitlines(),
            f"version {older}",
            f"change {change_id}",
            lineterm="",
        )
        return View(change, older, current, after, text=list(lines))
    if change.kind is Kind.NETWORK:
        kept_sites = sites_of(await db.revision(connection, older)) if older else ()
        if change.became is not None:
            sites = sites_of(await db.revision(connection, change.became))
        else:
            sites = tuple(Site.from_row(row) for row in orjson.loads(content or "[]"))
        diff = diff_networks(kept_sites, sites)
        difference = network.Change(older, change.became or older + 1, len(sites), diff, loss_of(kept_sites, diff))
        return View(change, older, current, None, difference=difference)
    return View(change, change.base, current, content)
