"""What the contracts of partners do to leads, and what that costs in distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.router.domain.candidates import Row, settle_tie
from services.router.partner_shares import PartnerShare
from services.router.snapshot import Snapshot
from shared.contracts import Lost


@dataclass(frozen=True)
class ShareEffect:
    """What a policy's shares do to the leads of one simulation."""

    partners: tuple[PartnerShare, ...]
    """What each got; months are counted one by one, as a router does, and here added up."""
    moved: int
    """Leads that another of the equally near sites had got in that decision, but for the shares."""
    moved_km_more: float | None
    """How much farther these went, on average; negative: nearer. None when there are none."""
    leads_without: tuple[int, ...]
    """Leads of each of `partners` when all are decided without shares from the beginning."""
    mean_km_without: float | None
    gini_without: float


def metres_for_share(record: Mapping[str, Any], snapshot: Snapshot) -> int | None:
    """Metres more than to the site that an assignment had named without shares; None when it is the same site.

    Everything else is as the decision saw it. Of more equally near sites than a record lists, the listed ones count.
    """
    tied = [
        one for one in record["candidates"] if one["site_id"] == record["site_id"] or one.get("lost") == Lost.TIE_SHARE
    ]
    # Whoever lost to the winner by load or by the draw loses to it without shares too.
    rows = [_row(one, snapshot) for one in tied]
    other = tied[settle_tie(record["lead_id"], rows, list(range(len(rows))))]
    if other["site_id"] == record["site_id"]:
        return None
    return int(record["distance_m"] - other["distance_m"])


def _row(candidate: Mapping[str, Any], snapshot: Snapshot) -> Row:
    index = snapshot.index_of(candidate["site_id"])
    if index is None:
        raise ValueError(f"{candidate['site_id']} is in no network of this decision")
    return candidate["distance_m"], candidate["site_id"], candidate["load"], None, snapshot.offers[index].weight, 0
