"""Going on with the rest of a batch while somebody has rows locked that a few of its leads need.

A router that is frozen within its transaction, or a person at psql, holds a site's row or a lead's for seconds. Leads
that need it wait for it; the others of their batch do not.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from services.router.reading import Arrival
from services.router.settle import NOTHING_SETTLED, Settled
from shared.postgres import Connection, PostgresUnavailable, limit_lock_waits

LOCK_WAIT_S = 2
"""So long the router's sessions wait for a lock, as a rule: rivals at work hold theirs for milliseconds."""
BRIEF_WAIT_MS = 20
"""While the leads that wait for a lock are told from the others."""
MOST_ROUNDS = 4
"""After so many the rest comes back from Kafka: PostgreSQL ends a frozen transaction within two."""

SettleSome = Callable[[Sequence[Arrival], int | None], Awaitable[Settled]]
"""Settles some arrivals and publishes what came of it; waits for a lock as long as it is given, in milliseconds, or as
long as the session does. Raises RowsLocked, with nothing settled."""


class RowsLocked(Exception):  # noqa: N818 - it names a state
    """Somebody kept a row locked that these arrivals need; nothing was recorded of them."""


@asynccontextmanager
async def raising_rows_locked(connection: Connection, wait_ms: int | None) -> AsyncIterator[None]:
    """Within a transaction: raise RowsLocked where a lock was not to be had; None waits as long as the session does."""
    if wait_ms is not None:
        await limit_lock_waits(connection, wait_ms)
    try:
        yield
    except asyncpg.LockNotAvailableError as error:
        raise RowsLocked from error


async def settle_around_locks(
    arrivals: Sequence[Arrival], settle_some: SettleSome, on_locked: Callable[[], None]
) -> Settled:
    """Settle all of them: together, or those first that need no locked row, and the others as soon as they can be.

    Raises PostgresUnavailable when a row stays locked.
    """
    done, left = NOTHING_SETTLED, arrivals
    for _ in range(MOST_ROUNDS):
        try:
            return done.then(await settle_some(left, None))
        except RowsLocked:
            on_locked()
        free, left = await _settle_the_free(left, settle_some)
        done = done.then(free)
        if not left:
            return done
    raise PostgresUnavailable(f"rows that {len(left)} arrivals need stay locked")


async def _settle_the_free(arrivals: Sequence[Arrival], settle_some: SettleSome) -> tuple[Settled, list[Arrival]]:
    """What could be settled without waiting, part by part, and the arrivals that need a row which is locked."""
    done, locked = NOTHING_SETTLED, list[Arrival]()
    # Breadth first: the largest parts without a locked row are not kept by the smallest with one.
    ordered = near_together(arrivals)
    parts = deque(halves(ordered) or [ordered])
    while parts:
        part = parts.popleft()
        try:
            done = done.then(await settle_some(part, BRIEF_WAIT_MS))
        except RowsLocked:
            smaller = halves(part)
            parts.extend(smaller)
            if not smaller:
                locked += part
    return done, locked


def near_together(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """In an order in which those that may need one row stand beside each other: of one site, or of one neighbourhood.

    What concerns one person's leads stays together, in its own order.
    """
    whose = _whose(arrivals)
    place: dict[str, str] = {}
    for arrival in arrivals:
        place.setdefault(whose(arrival), _place(arrival))
    return sorted(arrivals, key=lambda arrival: (place[whose(arrival)], whose(arrival)))


def halves(arrivals: Sequence[Arrival]) -> list[Sequence[Arrival]]:
    """Two parts, which share no person; none when there is only one person."""
    whose = _whose(arrivals)
    owners = [whose(arrival) for arrival in arrivals]
    cuts = [i for i in range(1, len(owners)) if owners[i] != owners[i - 1]]
    if not cuts:
        return []
    cut = min(cuts, key=lambda i: abs(2 * i - len(owners)))
    return [arrivals[:cut], arrivals[cut:]]


def _whose(arrivals: Sequence[Arrival]) -> Callable[[Arrival], str]:
    persons = {arrival.lead_id: arrival.person_id for arrival in arrivals if arrival.person_id is not None}
    return lambda arrival: persons.get(arrival.lead_id) or arrival.lead_id


def _place(arrival: Arrival) -> str:
    """A tenth of a degree, about 10 km; nothing where the arrival itself does not say where its lead is."""
    point = arrival.received.point if arrival.received is not None else None
    return "" if point is None else f"{point[0]:.1f} {point[1]:.1f}"
