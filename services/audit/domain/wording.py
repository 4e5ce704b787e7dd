"""What people say for what the contracts say: one place, so that a call centre and a page use the same words."""

from collections.abc import Mapping

from shared.contracts import (
    AttemptResult,
    Cause,
    DeclineReason,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadJoined,
    LeadOrdered,
    LeadReceived,
    LeadWaiting,
    Lost,
    Measure,
    Place,
    Result,
    WaitingReason,
    WhyDistance,
)
from shared.words import counted

LOST = {
    Lost.FARTHER: "farther away",
    Lost.TIE_LOAD: "just as near, but busier",
    Lost.TIE_SHARE: "just as near, but the partners' shares of the city's leads chose another",
    Lost.TIE_HASH: "just as near and as busy; its turn comes with other leads",
    Lost.FULL: "full: it holds as many open leads as it may",
    Lost.DECLINED: "let this lead go before",
    Lost.TOO_FAR: "beyond the distance that the policy allows",
    Lost.CLOSED_NOW: "closed at this hour, and an open site was near",
    Lost.NOT_IN_BUSINESS: "not opened yet, or closed for good",
    Lost.SLOWER: "takes longer to reach",
    Lost.NO_ROUTE: "no way there by road",
    Lost.NOT_PREFERRED: "nearer, but the customer asked for another site",
    Lost.KIND_NOT_ALLOWED: "this kind of site may not take such leads",
    Lost.SERVED_ELSEWHERE: "nearer, but the person stays with the site that served them before",
    Lost.FULL_TODAY: "has had all the leads that it takes on one day",
    Lost.PARTNER_BARRED: "the policy gives its partner no such leads",
    Lost.OUTSIDE_RADIUS: "farther than the lead was looked for so far",
}
WHY_DISTANCE = {
    WhyDistance.NOT_CONFIGURED: "no engine is set up",
    WhyDistance.TIMEOUT: "the engine did not answer in time",
    WhyDistance.UNAVAILABLE: "the engine could not be reached, or was broken",
    WhyDistance.REFUSED: "the engine refused the question",
    WhyDistance.UNREADABLE: "the engine's answer could not be read",
    WhyDistance.NO_ROUTE: "the engine knows no way to any site that was compared",
    WhyDistance.NONE_ELIGIBLE: "no site that was compared could take it",
}
WAITING = {
    WaitingReason.LOCATION_UNCLEAR: "nobody could say where the customer is",
    WaitingReason.NO_CAPABLE_SITE: "no open site can do this",
    WaitingReason.TOO_FAR: "every site that can do this is too far away",
    WaitingReason.ALL_FULL: "every site in reach is full",
    WaitingReason.ALL_DECLINED: "every site in reach let it go",
    WaitingReason.NEEDS_PERSON: "the sites that were asked did not act",
}
_CHANGE = "until the network or the policy changes"
UNTIL = {
    WaitingReason.LOCATION_UNCLEAR: "until somebody says where (waypost order place)",
    WaitingReason.NO_CAPABLE_SITE: _CHANGE,
    WaitingReason.TOO_FAR: _CHANGE,
    WaitingReason.ALL_FULL: "until one has room",
    WaitingReason.ALL_DECLINED: _CHANGE,
    WaitingReason.NEEDS_PERSON: "until a person decides (waypost order)",
}
"""What ends each wait."""
CAUSE = {
    Cause.RECEIVED: "it came in",
    Cause.ACCEPTED: "the site accepted",
    Cause.DECLINED: "the site declined",
    Cause.OUTCOME: "the site reported the outcome",
    Cause.SILENT: "the site did not answer in time",
    Cause.UNDELIVERABLE: "the site could not be reached",
    Cause.RETRIED: "it was tried again",
    Cause.ORDERED: "an operator ordered it",
    Cause.ERASED: "the person was erased",
}
DECLINED = {
    DeclineReason.NO_STAFF: "no staff",
    DeclineReason.NO_VEHICLE: "no vehicle",
    DeclineReason.TOO_FAR: "too far",
    DeclineReason.NOT_OUR_WORK: "not our work",
    DeclineReason.OTHER: "other reason",
}
RESULT = {
    Result.WON: "won",
    Result.LOST: "lost",
    Result.UNREACHABLE: "customer not reachable",
    Result.INVALID: "not a real request",
}
ATTEMPT = {
    AttemptResult.DELIVERED: "delivered",
    AttemptResult.RETRY: "failed, will be tried again",
    AttemptResult.FAILED: "failed for good",
    AttemptResult.GONE: "the endpoint is gone",
    AttemptResult.BLOCKED: "blocked: the address may not be called",
    AttemptResult.VOID: "not sent: the assignment was over",
}
EVENT = {
    "reminder": "reminded ",
    "escalated": "told the partner of ",
    "revoked": "told of its loss: ",
    "escalation_ended": "told the partner how it ended: ",
}
_PREFERRED = {
    "honoured": "the site the customer asked for",
    "refused_unknown": "the site asked for is not in the network",
    "refused_incapable": "the site asked for cannot do this",
    "refused_unavailable": "the site asked for could not take it",
}


def why_lost(lost: Lost, detour_m: int | None, travel_s: int | None = None) -> str:
    """Why a candidate did not get the lead; `detour_m` is what barriers add to its straight distance."""
    parts = [LOST[lost]]
    if detour_m is not None:
        parts.append(f"{detour_m / 1000:.1f} km more, round a barrier")
    if travel_s is not None:
        parts.append(f"{duration(travel_s)} by road")
    return "; ".join(parts)


def distance(metres: int) -> str:
    """840 m, 3.2 km, 127 km."""
    if metres < 1_000:
        return f"{metres} m"
    return f"{metres / 1_000:.1f} km" if metres < 100_000 else f"{metres / 1_000:.0f} km"


def duration(seconds: float) -> str:
    """0.042 s, 2.3 s, 14 min, 3 h 20 min, 2 d 4 h."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 1:
        return f"{seconds:.3f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def request(lead: LeadReceived) -> str:
    """What is wanted: `test drive, Example E5 2026`."""
    vehicle = lead.vehicle
    parts = [vehicle.brand, vehicle.model, vehicle.year and str(vehicle.year)] if vehicle else []
    named = " ".join(part for part in parts if part)
    intent = lead.intent.value.replace("_", " ")
    return f"{intent}, {named}" if named else intent


def where(place: Place | None) -> str:
    """Where the customer is, and how well that is known."""
    if place is None:
        return "place unknown"
    code = f", adcode {place.adcode}" if place.adcode else ""
    how = {"point": "exact point", "district": "middle of the district", "city": "middle of the city"}
    return f"{place.lat:.4f}, {place.lon:.4f} ({how[place.accuracy.value]}, given as {place.given_datum.value}{code})"


def site(site_id: str | None, names: Mapping[str, str]) -> str:
    """A site as people know it, with the id that they can look up."""
    if site_id is None:
        return "no site"
    return f"{names[site_id]} ({site_id})" if names.get(site_id, site_id) != site_id else site_id


def ordered(said: LeadOrdered, names: Mapping[str, str]) -> str:
    """What an operator wanted: `mei: to Lakeside (near)`."""
    parts = []
    if said.place is not None:
        parts.append(f"it is at {where(said.place)}")
    if said.site_id is not None:
        parts.append(f"give it to {site(said.site_id, names)}")
    if said.result is not None:
        parts.append(f"it is over, {RESULT[said.result]}")
    return f"{said.ordered_by}: {'; '.join(parts) or 'try again'}"


_CANNOT = {
    "refused_unknown": "is not in the network any more",
    "refused_incapable": "cannot do this work",
    "refused_unavailable": "cannot take it now or is too far",
}


def why(decision: LeadAssigned) -> str:
    """Why this site and no other."""
    if decision.order is not None and decision.order.site_id is not None:
        return f"{decision.order.ordered_by} named it"
    if decision.preferred == "honoured":
        return _PREFERRED["honoured"]
    if decision.stay is not None and decision.stay.verdict == "honoured":
        return f"it served the person before (rule {decision.stay.rule})"
    lost = {candidate.lost for candidate in decision.candidates}
    if decision.center_after is not None:
        return f"the nearest delivery center that can take it; sites that let it go before: {decision.center_after}"
    by_time = decision.measure is Measure.TRAVEL_TIME
    near = "quick to reach" if by_time else "near"
    if Lost.TIE_SHARE in lost:
        reason = f"as {near} as another, {_by_share(decision)}"
    elif Lost.TIE_LOAD in lost:
        reason = f"as {near} as another, and less busy"
    elif Lost.TIE_HASH in lost:
        reason = f"as {near} and as busy as another; the fair draw chose it"
    else:
        reason = "the quickest to reach that can take it" if by_time else "the nearest that can take it"
    if decision.why_distance is not None:
        reason += f", by distance and not by travel time: {WHY_DISTANCE[decision.why_distance]}"
    if decision.radius_m is not None:
        reason += f", looked for within {distance(decision.radius_m)}"
    if decision.stay is not None:
        reason += f"; {decision.stay.site_id}, which served the person before, {_CANNOT[decision.stay.verdict]}"
    refused = _PREFERRED.get(decision.preferred)
    return f"{reason} ({refused})" if refused else reason


def _by_share(decision: LeadAssigned) -> str:
    [behind] = [one.share_behind for one in decision.candidates if one.site_id == decision.site_id] or [None]
    if behind is None:
        return "whose partner has had its share of the city's leads"
    if behind <= 0:
        return "and its partner is the least ahead of its share of the city's leads"
    leads = counted(behind / 100, "lead")
    return f"and without it its partner would be {leads} behind its share of the city's, further than any other"


def nobody_told(silence: LeadAssigned, names: Mapping[str, str]) -> str:
    """A site was silent for too long, and nobody heard of it."""
    why = f"its partner {silence.partner} has no endpoint" if silence.partner else "the network names no partner"
    return f"{site(silence.site_id, names)} had not answered; {why}, so nobody was told"


def _how_far(decision: LeadAssigned) -> str:
    [travel_s] = [one.travel_s for one in decision.candidates if one.site_id == decision.site_id] or [None]
    far = distance(decision.distance_m)
    return far if travel_s is None else f"{far} and {duration(travel_s)}"


def verdict(decision: LeadDecided, names: Mapping[str, str]) -> str:
    """What was decided, in one sentence."""
    match decision:
        case LeadAssigned():
            return f"given to {site(decision.site_id, names)}, {_how_far(decision)} away: {why(decision)}"
        case LeadWaiting():
            return f"waits: {_nobody(decision)}"
        case LeadJoined():
            holder = f", which {site(decision.site_id, names)} has" if decision.site_id else ""
            return f"joins lead {decision.joins_lead_id} of the same person{holder}"
        case LeadClosed():
            return closed(decision, names)


def waiting(decision: LeadWaiting, for_s: float) -> str:
    """Why a lead waits, for how long it has, and what ends it."""
    until = UNTIL[decision.reason]
    if decision.retry_at is not None:
        until += f", or {decision.retry_at.astimezone():%Y-%m-%d %H:%M %Z}"
        # A day that is over ends a wait too; its site is then among the candidates.
        if decision.radius_m is not None and all(one.lost is not Lost.FULL_TODAY for one in decision.candidates):
            until += ", when it is looked for farther away"
    return f"waits for {duration(for_s)}: {_nobody(decision)}; {until}"


def _nobody(decision: LeadWaiting) -> str:
    if decision.radius_m is not None and decision.reason is WaitingReason.ALL_FULL:
        return f"every site within {distance(decision.radius_m)} is full"
    return WAITING[decision.reason]


def closed(decision: LeadClosed, names: Mapping[str, str]) -> str:
    """How a lead ended."""
    if decision.reason == "accepted":
        return f"accepted by {site(decision.site_id, names)}"
    if decision.reason == "outcome":
        said = RESULT[decision.result] if decision.result else "no result given"
        who = site(decision.site_id, names) if decision.order is None else decision.order.ordered_by
        return f"closed by {who}: {said}"
    return "closed: the person was erased"
