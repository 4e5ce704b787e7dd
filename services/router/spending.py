"""What a batch takes of the sites that it was decided for: places where there is a limit, before anything is recorded.

A site with a limit has so many places for open leads, or for a day's leads. The row that counts them is changed before
the ledger is written: the change locks it and says how many there really were, and until this transaction ends nobody
else takes one. Where there were fewer than it seemed, the batch is decided again in memory, from what is true now;
nothing was recorded by then, so nothing is rolled back. The same is done where others stand in the queue of a site
(`line.py`): a place there is for them.

Routers lock in one order, so that they never wait for one another in a circle:

1. leads that the ledger has, by person and lead;
2. places: loads of sites with a limit of open leads by site, then days by site;
3. the ledger's keys of new decisions, leads and live leads, by person and lead;
4. loads of the other sites by site, then months.

Who waits for a key (3) holds places, and the other, who wrote that key, has all of its own: it waits for (4) at most,
of which nobody has anything before it is done with (3). Were places taken after the ledger by one and before it by
another, each could have what the other wants, and PostgreSQL takes a second to notice. Places that only a second
decision wants would be locked out of order. So they are locked if nobody has them; otherwise the batch is rolled back,
and begins again with all of them (`NoRoom`).

The network in effect says where there is a limit. For the moment of a change two routers may differ in it, and then a
circle is possible: PostgreSQL ends it, and `transact` repeats one of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from services.router.db import days, loads, room, shares
from services.router.db.room import Place
from services.router.domain import Decided, Stale, contracted
from services.router.domain.ledger import Held
from services.router.line import Line
from services.router.reload import InEffect
from shared.postgres import Connection

K = TypeVar("K")
Answers = list[Decided | Stale]


class NoRoom(Exception):  # noqa: N818 - it names a state
    """Another router has places that only a second decision wanted: begin again with all of `places` locked."""

    def __init__(self, places: frozenset[Place]) -> None:
        super().__init__(f"others have some of {len(places)} places")
        self.places = places


class Spending:
    """Of one batch, in its transaction."""

    def __init__(
        self, connection: Connection, in_effect: InEffect, today: Mapping[str, date], queued_for: str | None = None
    ) -> None:
        """`today`: the present day of every site with a daily limit; `queued_for` as `Line` wants it."""
        self._connection = connection
        self._snapshot, self._policy = in_effect.snapshot, in_effect.policy
        self._today = today
        self._line = Line(connection, in_effect.snapshot, queued_for)
        self._taken: Mapping[Place, int] = {}
        self.again = 0
        """How often the batch had to be decided again."""

    async def decide(self, decide: Callable[[Held], Answers], seen: Held, keep: frozenset[Place]) -> Answers:
        """What `decide` says, once there is a place for all that it gives to sites with a limit.

        It is asked again when there is less room than was `seen`, or others stand before the leads of the batch. Places
        of `keep` are locked before it is asked at all. Raises NoRoom, QueuesOutdated, and RuntimeError when `decide`
        gives away what it was told is taken.
        """
        if keep:
            true = await room.keep(self._connection, keep)
        else:
            answers = decide(seen)
            wanted = self._wanted(answers)
            taken = await room.spend(self._connection, wanted)
            true = {place: count - wanted[place] for place, count in taken.items()}
            self._taken = wanted
            has_others = await self._line.has_others(answers, _corrected(seen, true))
            if self._have_room(true, wanted) and not has_others:
                return answers
            self.again += 1
        # Of places that are locked the truth is known, and `decide` gives no more than there are: every turn but the
        # last finds another one of which it was not.
        while True:
            held = _corrected(seen, true)._replace(queues=self._line.known)
            answers = decide(held)
            wanted = self._wanted(answers)
            more = wanted.keys() - true.keys()
            if more:
                free = await room.keep_free(self._connection, more)
                if len(free) < len(more):
                    raise NoRoom(frozenset(true) | more)
                true |= free
            has_others = await self._line.has_others(answers, _corrected(seen, true))
            if self._have_room(true, wanted) and not has_others:
                await room.spend(self._connection, _less(wanted, self._taken))
                self._taken = wanted
                return answers
            if not more and not has_others:
                raise RuntimeError("places that were known to be taken were given away")
            self.again += 1

    async def finish(self, decided: Sequence[Decided], month: date | None) -> None:
        """Count what was recorded and is not counted yet; give back the places of what was not recorded.

        `month`: of the shares, when there are any.
        """
        kept = {place.site_id: count for place, count in self._taken.items() if place.day is None}
        await loads.spend(self._connection, _less(_changes(decided), kept))
        counted = {place.site_id: count for place, count in self._taken.items() if place.day is not None}
        if back := _less(self._given_today(decided), counted):
            await days.spend(self._connection, back, self._today)
        if month is not None:
            keys = [contracted(self._policy, self._snapshot, site_id) for site_id in _given(decided)]
            if given := Counter([key for key in keys if key is not None]):
                await shares.spend(self._connection, given, month)

    def _wanted(self, answers: Answers) -> dict[Place, int]:
        """Places that these answers take, or give back (negative); 0 for one that a lead leaves and another takes."""
        decided = [one for one in answers if isinstance(one, Decided)]
        wanted = {
            Place(site_id, None): change
            for site_id, change in _changes(decided).items()
            if self._open_limit(site_id) is not None
        }
        given = self._given_today(decided)
        return wanted | {Place(site_id, self._today[site_id]): count for site_id, count in given.items()}

    def _given_today(self, decided: Iterable[Decided]) -> Counter[str]:
        return Counter([site_id for site_id in _given(decided) if site_id in self._today])

    def _have_room(self, true: Mapping[Place, int], wanted: Mapping[Place, int]) -> bool:
        """Whether no place is taken twice. A site above a limit that was lowered may still let go of leads."""
        return all(change < 0 or true[place] + change <= self._limit_of(place) for place, change in wanted.items())

    def _limit_of(self, place: Place) -> int:
        limit = self._open_limit(place.site_id) if place.day is None else self._snapshot.daily_limits[place.site_id]
        if limit is None:
            raise ValueError(f"{place.site_id} has no limit")
        return limit

    def _open_limit(self, site_id: str) -> int | None:
        site = self._snapshot.get(site_id)
        return None if site is None else site.open_lead_limit


def _changes(decided: Iterable[Decided]) -> Counter[str]:
    """Change of every site's load."""
    changes: Counter[str] = Counter()
    for one in decided:
        for site_id, change in one.deltas:
            changes[site_id] += change
    return changes


def _given(decided: Iterable[Decided]) -> list[str]:
    """The site of every assignment."""
    return [one.site_id for one in decided if one.outcome == "assigned" and one.site_id is not None]


def _corrected(seen: Held, true: Mapping[Place, int]) -> Held:
    open_leads = {place.site_id: count for place, count in true.items() if place.day is None}
    today = {place.site_id: count for place, count in true.items() if place.day is not None}
    return seen._replace(loads={**seen.loads, **open_leads}, taken_today={**seen.taken_today, **today})


def _less(numbers: Mapping[K, int], others: Mapping[K, int]) -> dict[K, int]:
    """What is left of `numbers` without `others`, where that is not nothing."""
    left = {key: numbers.get(key, 0) - others.get(key, 0) for key in {**numbers, **others}}
    return {key: count for key, count in left.items() if count}
