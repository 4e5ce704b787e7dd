"""Our router, but for its look at who waits: what the order of waiting leads costs is the difference.

Started as `python -m benchmarks.peers.router_without_queues`, with the settings of a router.
"""

from collections.abc import Sequence

import services.router.main as router_main
import services.router.spending as router_spending
from services.router.domain import Decided, Stale
from services.router.domain.ledger import Held
from services.router.line import Line
from services.router.settings import read_settings
from shared.process import run


class NobodyWaits(Line):
    """Finds that nobody stands before any lead."""

    async def has_others(self, answers: Sequence[Decided | Stale], held: Held) -> bool:
        """Without a look."""
        return False


if __name__ == "__main__":
    vars(router_spending)["Line"] = NobodyWaits
    run(lambda stop: router_main.main(read_settings(), stop))
