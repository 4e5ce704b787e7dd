"""What is known of a lead's place: a public one, or none with what may be meant."""

from dataclasses import dataclass

from services.lead_intake.nearness import Spot
from services.lead_intake.units import KnownPlace
from shared.contracts import Place
from shared.vocabulary import Datum

PUBLIC_DECIMALS = 4
"""Facts carry points to 4 decimals (at most 8 m off); the exact one is sealed with the contact."""


@dataclass(frozen=True, slots=True)
class Located:
    """A lead's public place; without one, what may be meant, as far as anything is known."""

    place: Place | None = None
    candidates: tuple[str, ...] = ()
    """As `candidates` keeps them."""
    open: bool = False
    """Whether a map service may know more: names that no list knows, or that mean several places."""


NOWHERE = Located()


def public(spot: Spot | KnownPlace, given: Datum = Datum.WGS84, adcode: str | None = None) -> Place:
    """The place that facts carry, of a point that was given in datum `given`."""
    return Place(
        lat=round(spot.lat, PUBLIC_DECIMALS),
        lon=round(spot.lon, PUBLIC_DECIMALS),
        accuracy=spot.accuracy,
        given_datum=given,
        adcode=spot.adcode if isinstance(spot, KnownPlace) else adcode,
    )
