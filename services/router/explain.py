"""`decide` for a lead that nobody sent: what would happen, without recording it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from services.router.db import days, loads, shares
from services.router.domain import NEW, Ask, LeadFeatures, Received, Stale, decide_batch, month_of
from services.router.domain.ledger import Held
from services.router.in_effect import setting_in_effect
from services.router.line import lines_at_free_sites
from services.router.rules import IntentRule
from services.router.snapshot import Site
from services.router.travel.times import TravelTimes
from shared.contracts import LeadAssigned, LeadDecided, LeadWaiting
from shared.datum import to_wgs84
from shared.errors import UserError
from shared.points import NO_POSITION, SWAPPED, look_swapped, no_position
from shared.postgres import Pool, acquire
from shared.vocabulary import Datum, Intent

# A lead that can be nobody's, always the same one: asked twice, a tie between equal sites ends alike.
_NOBODY = str(UUID(int=0))
_DECIDED: TypeAdapter[LeadDecided] = TypeAdapter(LeadDecided)


@dataclass(frozen=True)
class Explanation:
    """The decision that would be taken now, with what a reader needs beside it."""

    decision: LeadAssigned | LeadWaiting
    record: str
    """Its canonical JSON."""
    rule: IntentRule
    sites: dict[str, Site]
    """The sites that the decision names."""


async def explain_lead(
    pool: Pool,
    times: TravelTimes,
    intent: Intent,
    lat: float,
    lon: float,
    datum: Datum,
    preferred: str | None,
    now: datetime,
    vehicle: str = "",
) -> Explanation:
    """Decide a lead at this point on the current network, policy, loads and shares.

    Raises UserError when nobody can be there, or there is no network or no policy. `times` are asked when the policy
    compares them. `vehicle` as `read_vehicle` gives it.
    """
    _refuse_no_place(lat, lon)
    async with acquire(pool) as connection:
        snapshot, policy = await setting_in_effect(connection)
        held = await loads.read(connection)
        today = snapshot.today(now)
        taken = await days.read(connection, today) if today else {}
        given = await shares.read(connection, month_of(now)) if policy.shares else {}
        lines = await lines_at_free_sites(connection, snapshot, Held(held, taken), {})
    try:
        point = to_wgs84(lat, lon, datum)
    except ValueError as error:
        raise UserError(str(error)) from error
    lead = LeadFeatures(_NOBODY, _NOBODY, intent, point, preferred, now, vehicle)
    travel = (await times.of([lead], snapshot, policy)).get((_NOBODY, point))
    ask = Ask(lead, NEW, Received(_NOBODY), travel=travel)
    [answer] = decide_batch([ask], snapshot, policy, held, now, taken, given, lines)
    if isinstance(answer, Stale):
        raise TypeError("a new lead is never stale")
    decision = _DECIDED.validate_json(answer.record)
    if not isinstance(decision, LeadAssigned | LeadWaiting):
        raise TypeError("a new lead without a person is assigned or waits")
    sites = {one.site_id: site for one in decision.candidates if (site := snapshot.get(one.site_id)) is not None}
    return Explanation(decision, answer.record.decode(), policy.intents[intent], sites)


def _refuse_no_place(lat: float, lon: float) -> None:
    if look_swapped(lat, lon):
        raise UserError(f"{lat:g}, {lon:g} is no point of China: {SWAPPED}", "give --lat and --lon the other way round")
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise UserError(f"{lat:g}, {lon:g} is no point on earth", "--lat is -90 to 90 degrees, --lon -180 to 180")
    if no_position(lat, lon):
        raise UserError(f"{lat:g}, {lon:g} is no position", NO_POSITION)
