"""Changes whose time has come: put into effect by whichever router looks first, once, or refused by name."""

from datetime import datetime

from services.router.changes.change import Change, Kind, State
from services.router.changes.content import became, current_number, do, findings_now, look
from services.router.changes.rules import must_have_its_base, must_not_surprise
from services.router.db import changes
from services.router.db.network import try_to_lock_for_writing
from shared.errors import UserError
from shared.postgres import Connection, Pool, acquire, allow_idle, transact

ENDED_WITHIN_S = 60
"""PostgreSQL may wait so long between two statements that put changes into effect."""


async def put_due_into_effect(pool: Pool, now: datetime) -> list[Change]:
    """What became of the changes that were due: in effect or refused, in the order of their times.

    They end in one transaction, so that a policy and a network of one time are never seen apart. Nothing is done while
    an operator or another router writes: leads do not wait for that, and the next look finds what is left.
    """
    async with acquire(pool) as connection:
        if not await changes.due(connection, now):
            return []

    async def work(connection: Connection) -> list[Change]:
        if not await try_to_lock_for_writing(connection):
            return []
        # A network of 100,000 sites is read and compared here; who decides leads waits for nothing of this.
        await allow_idle(connection, ENDED_WITHIN_S)
        return [await _end(connection, number, now) for number in await changes.due(connection, now)]

    return await transact(pool, work)


async def _end(connection: Connection, number: int, now: datetime) -> Change:
    change = await changes.one(connection, number)
    if change is None:
        raise ValueError(f"change {number} is due and not there")
    try:
        # A savepoint: what fails half-way leaves nothing but its refusal.
        async with connection.transaction():
            ended = await _take_effect(connection, change, now)
    except UserError as refused:
        ended = _refused(change, refused.message, now)
    except (ValueError, KeyError) as error:
        # What an older Waypost took for a network or a policy; the router must outlive it.
        ended = _refused(change, f"its content cannot be read ({type(error).__name__})", now)
    await changes.put(connection, ended)
    return ended


async def _take_effect(connection: Connection, change: Change, now: datetime) -> Change:
    content = await changes.content_of(connection, change.change_id)
    if content is None:
        raise ValueError("no content")
    current = await current_number(connection, change.kind)
    must_have_its_base(change, current, even_if_changed=change.even_if_changed)
    known = await findings_now(connection) if change.kind in (Kind.POLICY, Kind.NETWORK) else ()
    must_not_surprise(change, (await look(connection, change.kind, content)).findings, known)
    effect = await do(connection, change, content, now)
    return change._replace(state=State.IN_EFFECT, ended_at=now, became=became(change.kind, effect))


def _refused(change: Change, why: str, now: datetime) -> Change:
    return change._replace(state=State.REFUSED, refusal=why, ended_at=now)
