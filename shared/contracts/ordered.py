"""leads.ordered: what an operator decided for one lead by hand."""

from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from shared.contracts.answered import Result
from shared.contracts.contract import Contract
from shared.contracts.received import Place
from shared.vocabulary import Slug


class Order(Contract):
    """What an operator said; without a site, a place and a result it means: try again now."""

    ordered_by: Slug
    """The operator's name."""
    site_id: Slug | None = None
    """The site that is to have the lead, whatever its distance and kind, and whatever it answered before."""
    place: Place | None = None
    """Where the lead is, from now on."""
    result: Result | None = None
    """The lead is over and nobody needs to act. Never beside a site or a place."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Order":
        return _not_both(self)


class LeadOrdered(Contract):
    """An operator's order for a lead that waits or is held, as it stood after its decision of `epoch`."""

    lead_id: UUID
    epoch: Annotated[int, Field(ge=1)]
    """The lead's latest epoch when the order was given: the lead may have moved on since, and then it is too late."""
    site_id: Slug | None = None
    place: Place | None = None
    result: Result | None = None
    ordered_by: Slug
    ordered_at: AwareDatetime

    @model_validator(mode="after")
    def _says_one_thing(self) -> "LeadOrdered":
        return _not_both(self)

    @property
    def order(self) -> Order:
        """The part that a decision keeps."""
        return Order(ordered_by=self.ordered_by, site_id=self.site_id, place=self.place, result=self.result)


OrderT = TypeVar("OrderT", Order, LeadOrdered)


def _not_both(said: OrderT) -> OrderT:
    if said.result is not None and (said.site_id is not None or said.place is not None):
        raise ValueError("a lead that is over goes to no site")
    return said
