"""Settling again while another router was quicker."""

from collections.abc import Awaitable, Callable

from services.router.db.room import Place
from services.router.line import QueuesOutdated
from services.router.settle import Settled
from services.router.spending import NoRoom
from services.router.writing import Overtaken

MOST_REPEATS = 8
"""Rivals are met once or twice; a batch that loses so often meets a fault, not a rival."""


async def until_settled(
    attempt: Callable[[frozenset[Place]], Awaitable[Settled]], on_repeat: Callable[[str], None], what: str
) -> Settled:
    """What `attempt` settled in a transaction of its own, once no rival was in the way.

    It is given the places to lock before it decides; `on_repeat` the reason why it has to be made again. Whoever raises
    QueuesOutdated has found the queues again. Raises RuntimeError, which names `what`, when it was made MOST_REPEATS
    times.
    """
    keep: frozenset[Place] = frozenset()
    for _ in range(MOST_REPEATS):
        try:
            return await attempt(keep)
        except Overtaken:
            on_repeat("overtaken")
        except QueuesOutdated:
            on_repeat("queues_outdated")
        except NoRoom as error:
            on_repeat("no_room")
            keep = error.places
    raise RuntimeError(f"{what} was overtaken {MOST_REPEATS} times")
