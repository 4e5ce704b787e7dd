"""Travel times that were asked for before, for a while: roads change seldom, and leads come from the same districts."""

from typing import NamedTuple

from services.router.barriers import Point
from shared.recent import Recent


class Pair(NamedTuple):
    """A way: from a lead's rounded point to a site where it stood then. A site that moves is another pair."""

    start: Point
    site_id: str
    end: Point


class TravelCache(Recent[Pair, int | None]):
    """Seconds by way; None where the engine knows no way."""
