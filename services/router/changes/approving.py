"""What a second person says to a change: it shall take effect, or it shall not."""

from dataclasses import dataclass
from datetime import datetime

from services.router.changes.change import Change, State
from services.router.changes.content import Effect, became, current_number, do, look
from services.router.changes.rules import (
    ChangeRefused,
    may_approve,
    may_take_effect_at,
    may_withdraw,
    must_be_meant,
    must_have_its_base,
)
from services.router.db import changes
from services.router.db.network import lock_for_writing
from services.router.operators import operator_of
from shared.errors import UserError
from shared.postgres import Connection


@dataclass(frozen=True)
class Approved:
    """A change that takes effect at its time, or did at once, and what it does."""

    change: Change
    effect: Effect


@dataclass(frozen=True)
class Word:
    """An operator's word on a change."""

    change_id: int
    key: str = ""
    """The operator's key; empty: none was given."""
    at: datetime | None = None
    """When it takes effect; None: as it was proposed, and the moment of the word itself: at once."""
    even_if_changed: bool = False
    yes_remove: int | None = None
    """How many open sites the network may take away, where that is more than the change itself says."""


async def approve(connection: Connection, word: Word, now: datetime) -> Approved:
    """Approve a change, and put it into effect unless it has a time. Raises UserError, and then nothing is changed."""
    await lock_for_writing(connection)
    who = await operator_of(connection, word.key)
    change = await _known(connection, word.change_id)
    content = await changes.content_of(connection, word.change_id)
    if change.approved_at == now and change.approved_by == who:
        # The answer to a COMMIT was lost, and this is the second try.
        return Approved(change, Effect(change.base, change.became or change.base, change.findings))
    may_approve(change, who, two_person=await changes.two_person(connection))
    takes_effect_at = change.takes_effect_at if word.at is None else word.at if word.at != now else None
    may_take_effect_at(takes_effect_at, now)
    must_have_its_base(change, await current_number(connection, change.kind), even_if_changed=word.even_if_changed)
    if content is None:
        raise ChangeRefused(f"change {change.change_id} has lost its content", "propose it again")
    approved = change._replace(
        even_if_changed=word.even_if_changed,
        approved_by=who,
        approved_at=now,
        takes_effect_at=takes_effect_at,
        state=State.APPROVED,
    )
    if takes_effect_at is None:
        effect = await do(connection, approved, content, now)
        approved = approved._replace(state=State.IN_EFFECT, ended_at=now, became=became(change.kind, effect))
    else:
        effect = await look(connection, change.kind, content)
    # What the proposal said already was read by whoever approves it.
    if word.yes_remove is not None or not any(str(effect.loss) in finding for finding in change.findings):
        must_be_meant(effect.loss, word.yes_remove)
    approved = approved._replace(findings=effect.findings)
    await changes.put(connection, approved)
    return Approved(approved, effect)


async def withdraw(connection: Connection, word: Word, now: datetime) -> Change:
    """End a change that did not take effect. Raises UserError when it has an end already."""
    await lock_for_writing(connection)
    who = await operator_of(connection, word.key)
    change = await _known(connection, word.change_id)
    if change.state is State.WITHDRAWN and change.ended_at == now:
        return change
    may_withdraw(change, who, two_person=await changes.two_person(connection))
    ended = change._replace(state=State.WITHDRAWN, ended_at=now, withdrawn_by=who)
    await changes.put(connection, ended)
    return ended


async def _known(connection: Connection, change_id: int) -> Change:
    change = await changes.one(connection, change_id)
    if change is None:
        raise UserError(f"there is no change {change_id}", "`waypost changes` lists them")
    return change
