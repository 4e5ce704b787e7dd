"""Reads the cards of one site: inbox rows with what was answered to them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.store_notifier.db import inbox
from services.store_notifier.pages import db
from services.store_notifier.pages.cards import Card, card_of
from shared.postgres import Connection, Pool, transact


async def read_board(pool: Pool, site_id: str) -> tuple[int, list[Card]]:
    """The cards of a page, and the number after which its stream goes on."""

    async def read(connection: Connection) -> tuple[int, list[Card]]:
        # The number comes first: a change between the two reads is shown now and sent again, never missed.
        seq = await inbox.last_seq(connection, site_id)
        return seq, await _cards(connection, await inbox.board(connection, site_id))

    return await transact(pool, read)


async def read_last_seq(pool: Pool, site_id: str) -> int:
    """The number of the site's newest change."""
    return await transact(pool, lambda connection: inbox.last_seq(connection, site_id))


async def read_changes(pool: Pool, site_id: str, after_seq: int, limit: int) -> list[Card]:
    """Cards that changed after a number, in the order of their numbers."""

    async def read(connection: Connection) -> list[Card]:
        return await _cards(connection, await inbox.items_after(connection, site_id, after_seq, limit))

    return await transact(pool, read)


async def read_card(pool: Pool, site_id: str, lead_id: UUID, epoch: int) -> Card | None:
    """One card; None when the site never had this assignment."""

    async def read(connection: Connection) -> list[Card]:
        row = await inbox.item(connection, site_id, lead_id, epoch)
        return await _cards(connection, [] if row is None else [row])

    cards = await transact(pool, read)
    return cards[0] if cards else None


async def _cards(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[Card]:
    answers = await db.answers_to(connection, [(row["lead_id"], row["epoch"]) for row in rows]) if rows else []
    answered = {(answer["lead_id"], answer["epoch"]): answer for answer in answers}
    return [card_of(row, answered.get((row["lead_id"], row["epoch"]))) for row in rows]
