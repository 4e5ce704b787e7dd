"""The places that a lead without a certain one may mean, as the intake keeps and shows them.

No finer than a district: they stand unsealed beside the lead. A unit of the list is kept by its official code, another
place as `@31.30,120.60 name`, to two decimals (1 km).
"""

from dataclasses import dataclass

from services.lead_intake.places import Places
from shared.vocabulary import Datum

SEPARATOR = "\n"
"""Between candidates on their way to PostgreSQL; none holds a line break."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place outside the bundled list."""

    name: str
    lat: float
    lon: float

    def __str__(self) -> str:
        return f"@{self.lat:.2f},{self.lon:.2f} {' '.join(self.name.split())}".rstrip()


def shown(kept: str, places: Places) -> dict[str, str | float]:
    """What an answer says of a candidate."""
    if not kept.startswith("@"):
        # A later list may not know a code any more; the code itself still says what was meant.
        unit = places.unit(kept)
        return {"adcode": kept, "name": unit.name if unit else ""}
    point, _, name = kept[1:].partition(" ")
    lat, _, lon = point.partition(",")
    # With its datum it can be sent back as it is.
    return {"name": name, "lat": float(lat), "lon": float(lon), "datum": Datum.WGS84}
