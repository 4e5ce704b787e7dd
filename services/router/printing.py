"""What the router's commands show: tables for people, plain values for machines."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from services.router.db.network import By, PublishedPolicy, Revision, RevisionLine
from services.router.explain import Explanation
from services.router.network import Change
from services.router.rules import IntentRule
from services.router.sites import ALWAYS, Schedule, Site, WorkingTime
from shared.contracts import LeadAssigned, Lost, Measure, WhyDistance
from shared.terminal.table import Column, Table, print_table, table_of
from shared.words import counted

WHY_LOST = {
    Lost.FARTHER: "farther",
    Lost.TIE_LOAD: "as near, but holds more leads for its weight",
    Lost.TIE_SHARE: "as near, but the partners' shares chose another",
    Lost.TIE_HASH: "as near, but lost the draw",
    Lost.FULL: "holds as many leads as it may",
    Lost.DECLINED: "has declined this lead",
    Lost.TOO_FAR: "beyond the greatest distance for this intent",
    Lost.KIND_NOT_ALLOWED: "its kind may not serve this intent",
    Lost.SERVED_ELSEWHERE: "nearer, but the person stays with the site that served them before",
    Lost.FULL_TODAY: "has had all the leads that it takes on one day",
    Lost.PARTNER_BARRED: "its partner gets no leads of this intent",
    Lost.NOT_PREFERRED: "nearer, but the person asked for another site",
    Lost.CLOSED_NOW: "closed now, and an open one is near",
    Lost.NOT_IN_BUSINESS: "not opened yet, or closed down",
    Lost.SLOWER: "takes longer to reach",
    Lost.NO_ROUTE: "no way there by road",
    Lost.OUTSIDE_RADIUS: "outside the radius that is looked in first",
}
WHY_DISTANCE = {
    WhyDistance.NOT_CONFIGURED: "no engine is set (WAYPOST_TRAVEL_URL)",
    WhyDistance.TIMEOUT: "the engine did not answer in time",
    WhyDistance.UNAVAILABLE: "the engine cannot be reached, or is broken",
    WhyDistance.REFUSED: "the engine refused the question",
    WhyDistance.UNREADABLE: "the engine's answer could not be read",
    WhyDistance.NO_ROUTE: "the engine knows no way to any site that was compared",
    WhyDistance.NONE_ELIGIBLE: "no site that was compared can take it",
}
BY_DISTANCE_ONLY = "Measured by distance: no engine is asked for the travel times that the policy compares."
"""Said where many leads are decided for a study: an engine would take hours, and answer otherwise the next time."""


def change_as_json(change: Change) -> dict[str, Any]:
    """The change with whole rows."""
    return {
        "before": change.before,
        "revision": change.revision,
        "sites": change.sites,
        "added": [site.to_row() for site in change.diff.added],
        "changed": [
            {"site_id": one.after.site_id, "before": one.before.to_row(), "after": one.after.to_row()}
            for one in change.diff.changed
        ],
        "removed": [site.to_row() for site in change.diff.removed],
        "open_sites_lost": len(change.loss.site_ids),
    }


def print_change(console: Console, change: Change) -> None:
    """One line per site that differs."""
    for site in change.diff.added:
        console.print(f"[green]+ {escape(_site(site))}[/]")
    for one in change.diff.changed:
        before, after = one.before.to_row(), one.after.to_row()
        columns = "; ".join(
            f"{column}: {_cell(before.get(column))} -> {_cell(after.get(column))}" for column in one.columns
        )
        console.print(f"[yellow]~ {escape(one.after.site_id)}  {escape(columns)}[/]")
    for site in change.diff.removed:
        console.print(f"[red]- {escape(_site(site))}[/]")
    diff = change.diff
    console.print(
        f"{counted(change.sites, 'site')}: {len(diff.added)} added, {len(diff.changed)} changed, "
        f"{len(diff.removed)} removed since revision {change.before}.",
        highlight=False,
    )


def policy_as_json(found: PublishedPolicy) -> dict[str, Any]:
    """A kept version, with who wanted it."""
    return {name: value for name, value in found._asdict().items() if name != "by"} | found.by._asdict()


def network_as_json(found: Revision, sites: Sequence[Site]) -> dict[str, Any]:
    """A kept revision with these of its sites, and who wanted it."""
    rows = [site.to_row() for site in sites]
    return {"revision": found.revision, "digest": found.digest, "sites": rows} | found.by._asdict()


def who(by: By) -> str:
    """The end of a sentence about a version or a revision; empty when nothing is known."""
    names = [f"by {by.published_by}"] if by.published_by else []
    names += [f"approved by {by.approved_by}"] if by.approved_by else []
    number = f" (change {by.change_id})" if by.change_id else ""
    return (", " if names else "") + ", ".join(names) + number


def print_network(console: Console, revision: Revision, sites: Sequence[Site], newest: Sequence[RevisionLine]) -> None:
    """The sites of one revision, then the newest revisions."""
    title = f"Revision {revision.revision}, {revision.created_at:%Y-%m-%d %H:%M:%S %Z}{who(revision.by)}"
    table = table_of(title, ("site", "name", "kind", "city", "district", "status", "limit", "can do"))
    for site in sites:
        limit = "" if site.open_lead_limit is None else str(site.open_lead_limit)
        capabilities = " ".join(sorted(site.capabilities))
        table.add_row(site.site_id, site.name, site.kind, site.city, site.district, site.status, limit, capabilities)
    print_table(console, table)
    for line in newest:
        console.print(
            f"revision {line.revision}: {counted(line.sites, 'site')}, {line.created_at:%Y-%m-%d %H:%M:%S %Z}, "
            f"{line.digest[:12]}{who(line.by)}",
            highlight=False,
        )


def print_explanation(console: Console, explanation: Explanation) -> None:
    """The outcome in a sentence, and every candidate with why it lost."""
    decision, rule = explanation.decision, explanation.rule
    if isinstance(decision, LeadAssigned):
        console.print(
            f"[bold green]{escape(decision.site_id)}[/] would get this {decision.intent.value} lead, "
            f"{_kilometres(decision.distance_m)} {_by_road(decision)}away, and have "
            f"{counted(rule.respond_by_minutes, 'minute')} to answer.",
            highlight=False,
        )
        site = explanation.sites.get(decision.site_id)
        if site is not None and site.working_time != ALWAYS:
            console.print(_deadline(site.working_time, decision), highlight=False)
        if decision.preferred != "none":
            console.print(f"The preferred site: {decision.preferred.replace('_', ' ')}.", highlight=False)
    else:
        console.print(
            f"[bold yellow]No site[/] would get this lead; it would wait: {decision.reason.value}.", highlight=False
        )
        if decision.retry_at is not None:
            console.print(
                f"It would be tried again at {decision.retry_at.astimezone():%a %Y-%m-%d %H:%M %Z}.", highlight=False
            )
    if decision.radius_m is not None:
        console.print(f"Looked for within {_kilometres(decision.radius_m)}.", highlight=False)
    if decision.why_distance is not None:
        console.print(
            f"By distance, not by travel time: {WHY_DISTANCE[decision.why_distance]}.", style="yellow", highlight=False
        )
    is_timed = decision.measure is Measure.TRAVEL_TIME
    road_column = [Column("by road", right=True)] if is_timed else []
    columns = [Column("site"), Column("name"), Column("distance", right=True), *road_column]
    table = Table("", [*columns, Column("holds", right=True), Column("why not")])
    for one in decision.candidates:
        site = explanation.sites.get(one.site_id)
        why = "" if one.lost is None else WHY_LOST[one.lost]
        way = _kilometres(one.distance_m)
        if one.detour_m is not None:
            way += f" + {_kilometres(one.detour_m)} round a barrier"
        road = ["" if one.travel_s is None else _minutes(one.travel_s)] if is_timed else []
        table.add_row(one.site_id, site.name if site else "", way, *road, str(one.load), why)
    print_table(console, table)
    console.print(
        f"Needs {', '.join(rule.requires)} at a {' or '.join(rule.kinds)} within {rule.max_distance_km:g} km"
        f"{_steps(rule)}; "
        f"network revision {decision.network_revision}, policy version {decision.policy_version}.",
        highlight=False,
    )


def _deadline(when: WorkingTime, decision: LeadAssigned) -> str:
    """Until when the site has time, and by which clock; what an older revision holds may never open."""
    zone = ZoneInfo(when.time_zone)
    until = f"until {decision.respond_by.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
    if Schedule(when).opens_within_a_year(decision.decided_at.astimezone(zone).date()):
        return f"Its clock runs while it is open: {until}."
    return (
        f"Its hours ({when.hours or 'closed days only'}) never open within a year: its clock runs as if it were always "
        f"open, {until}. Correct them, or its status, in the network file."
    )


def _steps(rule: IntentRule) -> str:
    if not rule.radius_km:
        return ""
    held = counted(rule.grow_after_minutes, "minute")
    wait = f"; full sites hold it for {held} a step" if rule.grow_after_minutes else ""
    return f" (first within {', then '.join([f'{step:g}' for step in rule.radius_km])} km{wait})"


def _by_road(decision: LeadAssigned) -> str:
    found = [one.travel_s for one in decision.candidates if one.site_id == decision.site_id]
    return "" if not found or found[0] is None else f"and {_minutes(found[0])} "


def _minutes(seconds: int) -> str:
    return f"{max(1, round(seconds / 60))} min"


def _site(site: Site) -> str:
    return f"{site.site_id}  {site.name}, {site.kind.value}, {site.city} {site.district}, {site.status.value}"


def _cell(value: object) -> str:
    return "|".join(value) if isinstance(value, list) else "-" if value is None else str(value)


def _kilometres(distance_m: int) -> str:
    return f"{distance_m} m" if distance_m < 1000 else f"{distance_m / 1000:.1f} km"
