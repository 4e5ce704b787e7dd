"""Words for waits and for orders that cannot be given."""

from services.router.domain import LeadLedger, StaleReason
from shared.contracts import WaitingReason

WAITS = {
    WaitingReason.LOCATION_UNCLEAR: "place unclear",
    WaitingReason.NO_CAPABLE_SITE: "no capable site",
    WaitingReason.TOO_FAR: "too far",
    WaitingReason.ALL_FULL: "all full",
    WaitingReason.ALL_DECLINED: "all declined",
    WaitingReason.NEEDS_PERSON: "needs a person",
}
_ON_CHANGE = "when the network or the policy changes"
NEXT_TRY = {
    WaitingReason.LOCATION_UNCLEAR: "when somebody says where: waypost order place",
    WaitingReason.NO_CAPABLE_SITE: _ON_CHANGE,
    WaitingReason.TOO_FAR: _ON_CHANGE,
    WaitingReason.ALL_FULL: "when a site has room",
    WaitingReason.ALL_DECLINED: _ON_CHANGE,
    WaitingReason.NEEDS_PERSON: "never by itself: waypost order",
}
"""What ends each wait, beside its own time to be tried again."""


def refusal(reason: StaleReason, ledger: LeadLedger, site_id: str | None) -> tuple[str, str]:
    """Why an order cannot be given, and what to do; `ledger` is the lead's row, `site_id` the site in the order."""
    named = f"site {site_id}"
    match reason:
        case StaleReason.WRONG_EPOCH:
            return f"the lead has moved on: it is at epoch {ledger.epoch} now", "look at it again: `waypost lead ID`"
        case StaleReason.ALREADY_CLOSED:
            return f"the lead is closed ({ledger.closed})", "`waypost lead ID` tells how it ended"
        case StaleReason.JOINS_ANOTHER:
            return "the lead joined another one of the same person", "give the order for that one: `waypost lead ID`"
        case StaleReason.NOT_WAITING:
            return (
                f"the lead does not wait: {ledger.site_id} holds it",
                "to take it away, name another site (`waypost order give`) or another place (`waypost order place`)",
            )
        case StaleReason.ALREADY_THERE:
            return f"{named} holds the lead already", "`waypost lead ID` says until when"
        case StaleReason.NO_PLACE:
            return "nobody knows where the lead is", "say where, too: --at, --adcode, or --lat, --lon and --datum"
        case StaleReason.SITE_UNKNOWN:
            return f"there is no {named} in the network", "`waypost network show` lists them"
        case StaleReason.SITE_NOT_OPEN:
            return f"{named} is not open for business", "`waypost network show --site` says why"
        case StaleReason.SITE_INCAPABLE:
            return f"{named} cannot do what the lead asks for", "`waypost network show --site` says what it can do"
        case StaleReason.SITE_FULL:
            return (
                f"{named} has as many leads as it may",
                "name another, or raise its limits: `waypost network show --site`",
            )
        case _:
            return f"the lead cannot be ordered now ({reason.value})", "`waypost lead ID` says where it stands"
