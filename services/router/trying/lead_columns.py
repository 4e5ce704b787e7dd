"""Leads of a file as columns of numbers: 33 bytes a lead, so that a million of them are read before one is decided."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.router.domain import LeadFeatures
from services.router.trying.forward import MOST_AT_ONCE, Arriving
from shared.vocabulary import Intent

INTENTS = tuple(Intent)
"""An intent in the column is its place in here."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class LeadColumns:
    """Leads in the order in which they came: equal times, and leads without a time, as the file has them."""

    rows: NDArray[np.int64]
    """Line of the file: the simulation's name of the lead, by which ties among equal sites end."""
    intents: NDArray[np.int8]
    points: NDArray[np.float64]
    """(n, 2) WGS-84 degrees: lat, lon."""
    received_us: NDArray[np.int64] | None
    """Microseconds since 1970; None: the file has no times, and all leads come at once."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def intents_asked(self) -> list[Intent]:
        """Every intent that some lead has."""
        return [INTENTS[place] for place in np.unique(self.intents).tolist()]

    def arriving(self, now: datetime) -> Iterator[list[Arriving]]:
        """The leads in parts; each is of a person of its own. `now` is the time of leads without one."""
        for first in range(0, len(self), MOST_AT_ONCE):
            part = slice(first, first + MOST_AT_ONCE)
            rows, intents, points = self.rows[part].tolist(), self.intents[part].tolist(), self.points[part].tolist()
            times = [now] * len(rows)
            if self.received_us is not None:
                times = [EPOCH + us * MICROSECOND for us in self.received_us[part].tolist()]
            yield [
                Arriving(LeadFeatures(lead_id, lead_id, INTENTS[intent], (lat, lon), None, received_at))
                for lead_id, intent, (lat, lon), received_at in zip(
                    map(_name, rows), intents, points, times, strict=True
                )
            ]


def _name(row: int) -> str:
    return str(UUID(int=row))
