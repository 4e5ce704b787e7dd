"""Asking for a change: in effect at once or at a time when one person is enough, a proposal when two are needed."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from services.router.changes.change import Change, Kind, State
from services.router.changes.content import Effect, became, current_number, do, look
from services.router.changes.rules import ChangeRefused, may_propose, may_take_effect_at, must_be_meant
from services.router.db import changes, operators
from services.router.db.network import lock_for_writing
from services.router.operators import operator_of
from shared.postgres import Connection


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for."""

    kind: Kind
    content: str
    key: str = ""
    """The operator's key; empty: none was given."""
    takes_effect_at: datetime | None = None
    """None: at once, or as soon as it is approved."""
    even_if_changed: bool = False
    restores: int | None = None
    yes_remove: int | None = None
    """How many open sites a network may take away; None: only few."""


@dataclass(frozen=True)
class Submitted:
    """What became of a wish; no change when there is nothing to change."""

    change: Change | None
    effect: Effect

    @property
    def is_in_effect(self) -> bool:
        """Whether it was done at once."""
        return self.change is not None and self.change.state is State.IN_EFFECT


async def submit(connection: Connection, wanted: Wanted, now: datetime) -> Submitted:
    """Make the change, or propose it. Raises UserError for what may not be; a retry repeats nothing."""
    await lock_for_writing(connection)
    who = await operator_of(connection, wanted.key)
    two_person = await changes.two_person(connection)
    may_propose(wanted.kind, who, await operators.enabled(connection), two_person=two_person)
    may_take_effect_at(wanted.takes_effect_at, now)
    if two_person and wanted.even_if_changed:
        raise ChangeRefused("whoever approves a change says --even-if-changed, and not who proposes it")
    change = Change(
        change_id=await changes.next_id(connection),
        kind=wanted.kind,
        digest=sha256(wanted.content.encode()).hexdigest(),
        base=await current_number(connection, wanted.kind),
        restores=wanted.restores,
        findings=(),
        even_if_changed=wanted.even_if_changed,
        proposed_by=who,
        proposed_at=now,
        approved_by=None,
        approved_at=None,
        takes_effect_at=wanted.takes_effect_at,
        state=State.PROPOSED,
    )
    if not two_person and wanted.takes_effect_at is None:
        return await _make(connection, change, wanted, now)
    effect = await look(connection, wanted.kind, wanted.content)
    must_be_meant(effect.loss, wanted.yes_remove)
    # What is in effect now may be wanted again later: after a weekend, or a fair.
    if effect.after == effect.before and wanted.takes_effect_at is None:
        return Submitted(None, effect)
    same = await changes.open_like(connection, change.kind, change.digest)
    if same is not None:
        return Submitted(_again(same, change), effect)
    change = change._replace(findings=effect.findings)
    if not two_person:
        change = change._replace(state=State.APPROVED, approved_at=now)
    await changes.add(connection, change, wanted.content)
    return Submitted(change, effect)


async def _make(connection: Connection, change: Change, wanted: Wanted, now: datetime) -> Submitted:
    effect = await do(connection, change, wanted.content, now)
    # What was done is undone with the transaction.
    must_be_meant(effect.loss, wanted.yes_remove)
    if effect.after == effect.before:
        return Submitted(None, effect)
    made = change._replace(
        findings=effect.findings,
        approved_at=now,
        state=State.IN_EFFECT,
        ended_at=now,
        became=became(change.kind, effect),
    )
    await changes.add(connection, made, None if made.became else wanted.content)
    return Submitted(made, effect)


def _again(same: Change, asked: Change) -> Change:
    if (same.proposed_by, same.proposed_at) != (asked.proposed_by, asked.proposed_at):
        raise ChangeRefused(
            f"change {same.change_id} asks for the same and is {same.state}",
            f"`waypost changes approve {same.change_id}` can also give it another time, "
            f"`waypost changes withdraw {same.change_id}` ends it",
        )
    # The answer to a COMMIT was lost, and this is the second try.
    return same
