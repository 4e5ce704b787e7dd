"""Which vehicles a site works on: names written one way, and what a lead's vehicle comes to in one network.

A vehicle is `brand` or `brand/model`. A site that lists none works on all of them; a network has as many kinds of
vehicles as its sites list, and whatever else a form may say is one of four: see `VehicleNames.kind_of`.
"""

from collections.abc import Iterable

ANY = ""
"""No vehicle was named, or the network makes no difference: every site will do."""
UNKNOWN = "?"
"""A brand that no site lists: only sites that work on everything."""


def vehicle_name(brand: str | None, model: str | None = None) -> str:
    """`brand` or `brand/model` as networks and leads are compared: case and runs of spaces make no difference.

    Empty without a brand: a model alone names no vehicle.
    """
    maker = _plain(brand)
    kind = _plain(model)
    if not maker:
        return ANY
    return f"{maker}/{kind}" if kind else maker


def read_vehicle(text: str) -> str:
    """A vehicle as network files list them (`Brand` or `Brand/Model`). Raises ValueError for anything else."""
    brand, slash, model = text.partition("/")
    name = vehicle_name(brand, model)
    if not name or (slash and "/" not in name) or "/" in model:
        raise ValueError("write Brand, or Brand/Model")
    return name


class VehicleNames:
    """The vehicles that the sites of one network list."""

    def __init__(self, listed: Iterable[frozenset[str]]) -> None:
        """`listed`: of each site, the names it lists; empty for a site that works on everything."""
        self._names = frozenset[str]().union(*listed)
        self._brands = frozenset(name.partition("/")[0] for name in self._names)

    def kind_of(self, vehicle: str) -> str:
        """What the vehicle comes to here: itself when a site lists it, else `brand/?`, `brand`, UNKNOWN or ANY.

        The answers are few however many vehicles leads name, so that there can be a tree of sites for each.
        """
        if not vehicle or not self._names:
            return ANY
        brand, slash, _ = vehicle.partition("/")
        if brand not in self._brands:
            return UNKNOWN
        if not slash or vehicle in self._names:
            return vehicle
        return f"{brand}/?"


def works_on(listed: frozenset[str], kind: str) -> bool:
    """Whether a site that lists these vehicles takes a lead of this kind (see `VehicleNames.kind_of`).

    Who names a brand and no model fits a site that lists any model of the brand.
    """
    if not listed or kind == ANY:
        return True
    brand, slash, _ = kind.partition("/")
    if brand in listed or kind in listed:
        return True
    return not slash and any(name.startswith(f"{brand}/") for name in listed)


def _plain(text: str | None) -> str:
    # A slash inside a name would look like the one between brand and model.
    return " ".join((text or "").replace("/", " ").casefold().split())
