"""Places that this process has freed, so that whoever waits for them is asked for at once and not at the next sweep.

Nothing hangs on it: what a process forgets when it ends, the next sweep of any router finds by the state of rows.
"""

import asyncio
from collections.abc import Iterable


class Vacancies:
    """Sites where somebody may be served who was not before."""

    def __init__(self) -> None:
        self._site_ids: set[str] = set()
        self._are_noted = asyncio.Event()

    def note(self, site_ids: Iterable[str]) -> None:
        """There may be a place at these sites."""
        self._site_ids.update(site_ids)
        if self._site_ids:
            self._are_noted.set()

    def take(self) -> list[str]:
        """The sites noted since the last time; they are forgotten."""
        site_ids, self._site_ids = sorted(self._site_ids), set()
        self._are_noted.clear()
        return site_ids

    async def wait(self) -> None:
        """Return when there are any."""
        await self._are_noted.wait()
