"""The report's words, the same in the table and on the page."""

from datetime import datetime

from services.router.gaps.demand import TRAVELLED_FAR
from services.router.gaps.report import Gap, Report
from services.router.gaps.suggestions import Suggestion
from services.router.sites import Site
from shared.contracts import WaitingReason
from shared.vocabulary import SiteKind

_REASONS: dict[str, str] = {
    WaitingReason.LOCATION_UNCLEAR: "place unclear",
    WaitingReason.NO_CAPABLE_SITE: "no capable site",
    WaitingReason.TOO_FAR: "too far",
    WaitingReason.ALL_FULL: "all full",
    WaitingReason.ALL_DECLINED: "all declined",
    WaitingReason.NEEDS_PERSON: "needs a person",
    TRAVELLED_FAR: "travelled far",
}
_KINDS = {
    SiteKind.DELIVERY_CENTER: "a delivery center",
    SiteKind.AGENT_STORE: "an agent store",
    SiteKind.SERVICE_POINT: "a service point",
}


def summary(report: Report) -> str:
    """How much demand is unmet, in one sentence."""
    parts = [f"{leads(report.waiting)} {_is(report.waiting, 'waits', 'wait')} for a site"]
    if report.travelled:
        parts.append(f"{leads(report.travelled)} went to a far one")
    return " and ".join(parts) + "."


def unplaced(report: Report) -> str:
    """That some leads can be shown nowhere; empty when all can."""
    number = report.unplaced
    return f"{number:,} of them {_is(number, 'has', 'have')} no clear place and cannot be shown." if number else ""


def effect(report: Report) -> str:
    """What the suggested sites would change for the demand as a whole."""
    sites = len(report.suggestions)
    before, after, total = report.before, report.after, report.demand.total()
    return (
        f"With {'this site' if sites == 1 else f'these {sites} sites'} {after.within:,} of {leads(total)} would have a "
        f"capable site within reach (now {before.within:,}), on average {kilometres(after.mean_km)} away "
        f"(now {kilometres(before.mean_km)}{_unserved(before.without_site)})."
    )


def counts(by_name: dict[str, int]) -> str:
    """`too far 3, all full 1`: reasons or intents with their leads."""
    return ", ".join(f"{_REASONS.get(name, name.replace('_', ' '))} {number:,}" for name, number in by_name.items())


def nearest(gap: Gap) -> str:
    """The nearest capable site and how far it is, or that there is none."""
    if gap.nearest is None:
        return "none is open"
    return f"{gap.nearest.site_id}{_unserved(gap.without_site)}"


def needs(one: Suggestion) -> str:
    """What a site at the suggestion must be able to do."""
    return ", ".join(capability.value.replace("_", " ") for capability in one.capabilities)


def kinds(one: Suggestion) -> str:
    """Which kind of site would serve how many of the leads; the kind that serves most comes first."""
    able = sorted(one.leads_by_kind.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{_KINDS[kind]} {'all' if number == one.leads else f'{number:,}'}" for kind, number in able if number
    )


def site(site: Site) -> str:
    """A site in words."""
    return f"{site.name}, {site.kind.value.replace('_', ' ')}, {site.status.value}"


def kilometres(km: float | None) -> str:
    """One decimal up to 100 km; a dash for no distance."""
    return "-" if km is None else f"{km:.1f} km" if km < 100 else f"{km:,.0f} km"


def age(since: datetime, now: datetime) -> str:
    """The two largest units of a waiting time."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"


def leads(number: int) -> str:
    """`1 lead`, `2 leads`."""
    return f"{number:,} {_is(number, 'lead', 'leads')}"


def _unserved(number: int) -> str:
    return f"; {number:,} have none" if number > 1 else "; 1 has none" if number else ""


def _is(number: int, one: str, many: str) -> str:
    return one if number == 1 else many
