"""What a trial shows: tables for people, plain values for machines."""

from typing import Any

from rich.console import Console

from services.router.printing import BY_DISTANCE_ONLY, WHY_LOST
from services.router.share_printing import named, share_of
from services.router.tables import print_findings
from services.router.trial import Trial
from services.router.trying import Comparison
from services.router.trying.comparison import INCAPABLE, JOINED, NOT_IN_NETWORK, NOT_OPEN
from shared.contracts import Lost
from shared.terminal.table import Table, print_table, table_of
from shared.words import counted

_WHY = {
    **{lost.value: words for lost, words in WHY_LOST.items()},
    NOT_IN_NETWORK: "not in the network",
    NOT_OPEN: "not open",
    INCAPABLE: "cannot do this work",
    JOINED: "followed another lead of its person",
}


def trial_as_json(trial: Trial) -> dict[str, Any]:
    """The trial with every changed site and the moved leads that were kept."""
    found = trial.comparison
    return {
        "from": trial.span.since.isoformat(),
        "to": trial.span.until.isoformat(),
        "network_revision": found.current.snapshot.revision,
        "policy_version": found.current.policy.version,
        "findings": [str(finding) for finding in trial.findings],
        "measure": "distance",
        "leads": found.leads,
        "moved": found.moved,
        "newly_waiting": dict(found.newly_waiting),
        "no_longer_waiting": dict(found.no_longer_waiting),
        "before": _side_as_json(found, before=True),
        "after": _side_as_json(found, before=False),
        "why_moved": [
            {"from_lost": from_lost, "to_lost": to_lost, "leads": leads}
            for (from_lost, to_lost), leads in found.why_moved.most_common()
        ],
        "first_moved": [one._asdict() for one in found.first_moved],
        "sites": [one._asdict() for one in found.sites],
        "shares": [
            {
                "city": after.city,
                "partner": after.partner,
                "percent": after.percent,
                "leads_before": before.leads,
                "leads_after": after.leads,
                "share_before": before.share,
                "share_after": after.share,
            }
            for before, after in found.shares
        ],
    }


def _side_as_json(found: Comparison, *, before: bool) -> dict[str, Any]:
    side = found.before if before else found.after
    return {
        "assigned": side.assigned,
        "joined": side.joined,
        "waiting": dict(side.waiting),
        "mean_km": None if side.mean_km is None else round(side.mean_km, 3),
    }


def print_trial(console: Console, trial: Trial, current: str, file: str) -> None:
    """How many leads differ and in what, then why, which, and where."""
    found = trial.comparison
    print_findings(console, trial.findings)
    newly, no_longer = found.newly_waiting.total(), found.no_longer_waiting.total()
    same = found.leads - found.moved - newly - no_longer
    span = f"from {trial.span.since:%Y-%m-%d %H:%M} to {trial.span.until:%Y-%m-%d %H:%M} UTC"
    has_shares = found.current.policy.shares or found.tried.policy.shares
    start = "idle sites, and partners without a lead this month" if has_shares else "idle sites"
    received = f"{counted(found.leads, 'lead')} received {span}"
    lines = [
        f"{received}, decided by {current} and by {file}, each starting with {start}.",
        f"To another site: {found.moved}; newly waiting: {newly}; no longer waiting: {no_longer}; as before: {same}.",
        f"Mean distance: {_km(found.before.mean_km)} now, {_km(found.after.mean_km)} then.",
    ]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if found.before.joined != found.after.joined:
        console.print(
            f"Joined to another lead of the person: {found.before.joined} now, {found.after.joined} then.",
            highlight=False,
        )
    if found.moved:
        print_table(console, _why_table(found))
    if found.first_moved:
        _print_moved(console, found)
    if found.sites and found.examples:
        print_table(console, _sites_table(found, found.examples))
    if found.shares:
        print_table(console, _partners_table(found))
    if found.before.waiting or found.after.waiting:
        print_table(console, _waiting_table(found))
    if found.current.policy.travel.candidates or found.tried.policy.travel.candidates:
        console.print(BY_DISTANCE_ONLY, highlight=False)
    console.print("Nothing was changed.", highlight=False)


def _why_table(found: Comparison) -> Table:
    table = table_of("Why leads move", ("leave their site because", "did not get there because"), ("leads",))
    for (from_lost, to_lost), leads in found.why_moved.most_common():
        table.add_row(_words(from_lost), _words(to_lost), str(leads))
    return table


def _print_moved(console: Console, found: Comparison) -> None:
    """A line for each: a table of ids and names is too wide for most terminals."""
    console.print(f"[italic]Moved leads, the first {len(found.first_moved)} of {found.moved}[/]", highlight=False)
    for one in found.first_moved:
        why = f"{one.from_site}: {_words(one.from_lost)}"
        if one.from_lost == Lost.FARTHER:
            why = f"nearer; so far: {_words(one.to_lost)}"
        way = f"{one.from_site} {_km_of(one.from_m)} -> {one.to_site} {_km_of(one.to_m)}"
        console.print(f"{one.lead_id} {one.intent.value}: {way} ({why})", markup=False, highlight=False, soft_wrap=True)


def _sites_table(found: Comparison, most: int) -> Table:
    shown = found.sites[:most]
    title = f"Sites that win or lose leads, the first {len(shown)} of {len(found.sites)}"
    table = table_of(title, ("site",), ("now", "then", "gained", "lost"))
    for one in shown:
        table.add_row(one.site_id, str(one.before), str(one.after), f"+{one.gained}", f"-{one.lost}")
    return table


def _partners_table(found: Comparison) -> Table:
    numbers = ("contract", "leads now", "then", "share now", "then")
    table = table_of("Shares of partners", ("city", "partner"), numbers)
    for before, after in found.shares:
        leads = (str(before.leads), str(after.leads))
        table.add_row(*named(after), f"{after.percent}%", *leads, share_of(before), share_of(after))
    return table


def _waiting_table(found: Comparison) -> Table:
    table = table_of("Waiting", ("reason",), ("now", "then", "newly", "no longer"))
    for reason in sorted(found.before.waiting.keys() | found.after.waiting.keys()):
        counts = (found.before.waiting, found.after.waiting, found.newly_waiting, found.no_longer_waiting)
        table.add_row(reason, *[str(count[reason]) for count in counts])
    return table


def _words(lost: str) -> str:
    return _WHY.get(lost, lost.replace("_", " "))


def _km(km: float | None) -> str:
    return "-" if km is None else f"{km:.2f} km"


def _km_of(metres: int | None) -> str:
    return "(joined)" if metres is None else f"{metres / 1000:.1f} km"
