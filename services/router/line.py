"""What a batch knows of the queues of sites: nothing at first, for nearly always nobody stands before its leads.

A batch looks at the queue of a site when it has a place there, with the row that counts the places locked: whoever
waits and was committed by then is seen, and nobody else takes a place before the batch has ended. Only if others stand
there, all queues that matter are read, and the batch is decided again.

Leads of the batch itself are passed over in what is read: the oldest is decided first, and whoever still waits then
stands in line again. Among the first of a queue they would hide others, when they go elsewhere.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from services.router.db import queues
from services.router.domain import Decided, Stale, Waiter
from services.router.domain.ledger import Held
from services.router.snapshot import Snapshot
from shared.postgres import Connection


class QueuesOutdated(Exception):  # noqa: N818 - it names a state
    """Queues were found for an older network, policy or opening: find them again, then begin again."""


class Line:
    """The queues of one batch, in its transaction."""

    def __init__(self, connection: Connection, snapshot: Snapshot, queued_for: str | None) -> None:
        """`queued_for`: what the queues must be of, as `InEffect` says it; None: whatever they are of will do."""
        self._connection = connection
        self._snapshot = snapshot
        self._queued_for = queued_for
        self._looked_at: set[str] = set()
        self.known: dict[str, list[Waiter]] = {}
        """The others in queues, where there are any."""

    async def has_others(self, answers: Sequence[Decided | Stale], held: Held) -> bool:
        """Whether others wait for sites that these answers give leads to, and were not known to.

        The places of those sites are locked; `held` is what is true of them. Raises QueuesOutdated.
        """
        decided = [one for one in answers if isinstance(one, Decided)]
        given = {one.site_id for one in decided if one.outcome == "assigned" and one.site_id is not None}
        sites = {site_id for site_id in given - self._looked_at if self._snapshot.can_be_full(site_id)}
        if not sites:
            return False
        self._looked_at |= sites
        places = self._places(decided, held, sites)
        if not places:
            return False
        # Only what was decided before may stand in a queue.
        ours = [one.lead_id for one in decided if one.epoch > 1]
        read = await queues.first(self._connection, places, self._queued_for, ours)
        if read.are_outdated:
            raise QueuesOutdated
        if all(self.known.get(site_id) == line for site_id, line in read.lines.items()):
            return False
        if not self.known:
            # Other leads of the batch may want to go there instead.
            self.known = await lines_at_free_sites(self._connection, self._snapshot, held, _freed(decided), ours)
        self.known |= read.lines
        return True

    def _places(self, decided: Sequence[Decided], held: Held, site_ids: Collection[str]) -> dict[str, int]:
        return _places(self._snapshot, held, site_ids, _freed(decided))


async def lines_at_free_sites(
    connection: Connection, snapshot: Snapshot, held: Held, freed: Mapping[str, int], but: Sequence[str] = ()
) -> dict[str, list[Waiter]]:
    """The queues of all sites that have room by `held`, or have once they let go of so many leads as `freed` says;
    without the leads of `but`."""
    sites = await queues.sites_waited_for(connection)
    places = _places(snapshot, held, [site_id for site_id in sites if snapshot.can_be_full(site_id)], freed)
    return (await queues.first(connection, places, None, but)).lines if places else {}


def _freed(decided: Sequence[Decided]) -> Counter[str]:
    return Counter([site_id for one in decided for site_id, change in one.deltas if change < 0])


def _places(snapshot: Snapshot, held: Held, site_ids: Collection[str], freed: Mapping[str, int]) -> dict[str, int]:
    """How many places each of these sites may have, where it has any: so many of its queue matter."""
    places = {site_id: _free(snapshot, held, site_id) + freed.get(site_id, 0) for site_id in site_ids}
    return {site_id: count for site_id, count in places.items() if count > 0}


def _free(snapshot: Snapshot, held: Held, site_id: str) -> int:
    """How many more leads a site with a limit could be given; below 0 when it has more than it may."""
    site = snapshot.get(site_id)
    if site is None:
        return 0
    left = []
    if site.open_lead_limit is not None:
        left.append(site.open_lead_limit - held.loads.get(site_id, 0))
    if site.daily_lead_limit is not None:
        left.append(site.daily_lead_limit - held.taken_today.get(site_id, 0))
    return min(left, default=0)
