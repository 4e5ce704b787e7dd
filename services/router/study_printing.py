"""What a simulation shows: tables for people, plain values for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from services.router.printing import BY_DISTANCE_ONLY
from services.router.share_printing import named, share_of, stands
from services.router.simulating import Study
from services.router.tables import print_findings
from services.router.trying import ShareEffect, Simulation
from shared.terminal.table import Table, print_table, table_of
from shared.words import counted


def study_as_json(study: Study) -> dict[str, Any]:
    """Every simulation with all its sites."""
    return {
        "network_revision": study.network_revision,
        "policy_version": study.policy_version,
        "timed": study.is_timed,
        "measure": "distance",
        "findings": [str(finding) for finding in study.findings],
        "simulations": [_as_json(one) for one in study.simulations],
    }


def _as_json(simulation: Simulation) -> dict[str, Any]:
    told = asdict(simulation) | {"sites": [site._asdict() for site in simulation.sites]}
    effect = simulation.shares
    if effect is None:
        return told
    pairs = zip(effect.partners, effect.leads_without, strict=True)
    return told | {
        "shares": {
            "moved": effect.moved,
            "moved_km_more": effect.moved_km_more,
            "mean_km_without": effect.mean_km_without,
            "gini_without": effect.gini_without,
            "partners": [one._asdict() | {"leads_without": without} for one, without in pairs],
        }
    }


def print_study(console: Console, study: Study) -> None:
    """One simulation with its sites; of several, one line for each band."""
    print_findings(console, study.findings)
    first = study.simulations[0]
    if len(study.simulations) == 1:
        print_table(console, _shares_table(first))
        if first.shares is not None:
            print_table(console, _partners_table(first.shares))
    elif first.shares is not None:
        print_table(console, _partners_by_band(study.simulations))
    print_table(console, _bands_table(study.simulations))
    for line in [*_effect_lines(study.simulations), *_waiting_lines(study.simulations)]:
        console.print(line, highlight=False, soft_wrap=True)
    policy = "a file" if study.policy_version is None else f"version {study.policy_version}"
    console.print(
        f"{counted(first.leads, 'lead')}, network revision {study.network_revision}, policy of {policy}; "
        "nothing was recorded.",
        highlight=False,
    )
    if study.wants_times:
        console.print(BY_DISTANCE_ONLY, highlight=False)
    if not study.is_timed:
        console.print("The leads have no received_at: no site let go of any, so limits fill up.", highlight=False)


def _shares_table(simulation: Simulation) -> Table:
    table = table_of("", ("site",), ("weight", "leads", "share", "per weight"))
    for site in simulation.sites:
        table.add_row(
            site.site_id,
            str(site.weight),
            str(site.leads),
            f"{site.share:.1%}",
            f"{site.share_per_weight:.2f}",
        )
    return table


def _partners_table(effect: ShareEffect) -> Table:
    numbers = ("contract", "leads", "share", "ahead or behind", "without shares")
    table = table_of("Shares of partners", ("city", "partner"), numbers)
    for one, without in zip(effect.partners, effect.leads_without, strict=True):
        table.add_row(*named(one), *stands(one), str(without))
    return table


def _partners_by_band(simulations: Sequence[Simulation]) -> Table:
    """What each got with every band."""
    bands = [f"{one.tie_band_m:g} m" for one in simulations]
    table = table_of("Shares of partners, by tie band", ("city", "partner"), ("contract", *bands))
    for column in zip(*[one.shares.partners for one in simulations if one.shares is not None], strict=True):
        table.add_row(*named(column[0]), f"{column[0].percent}%", *[share_of(one) for one in column])
    return table


def _effect_lines(simulations: Sequence[Simulation]) -> list[str]:
    """What the shares of partners did and cost, a line for each band."""
    lines = []
    for one in simulations:
        if one.shares is None:
            continue
        band = f" with a band of {one.tie_band_m:g} m" if len(simulations) > 1 else ""
        more = one.shares.moved_km_more
        far = "" if more is None else f", on average {_way_more(more)}"
        lines.append(
            f"Shares{band}: {one.shares.moved} of {counted(one.assigned, 'assigned lead')} went to another site "
            f"because of them{far}. Without shares: mean {_number(one.shares.mean_km_without)} km, "
            f"Gini {one.shares.gini_without:.3f}."
        )
    return lines


def _bands_table(simulations: Sequence[Simulation]) -> Table:
    table = table_of("", (), ("tie band m", "mean km", "p50 km", "p95 km", "Gini", "assigned", "waiting"))
    for one in simulations:
        distances = [_number(one.mean_km), _number(one.p50_km), _number(one.p95_km)]
        table.add_row(
            f"{one.tie_band_m:g}", *distances, f"{one.gini:.3f}", str(one.assigned), str(sum(one.waiting.values()))
        )
    return table


def _waiting_lines(simulations: Sequence[Simulation]) -> list[str]:
    """How many wait for what: one line when all bands agree, as they do while nothing is full."""
    reasons = [", ".join(f"{count} {reason}" for reason, count in one.waiting.items()) for one in simulations]
    if len(set(reasons)) == 1:
        return [f"Waiting: {reasons[0]}."] if reasons[0] else []
    return [
        f"Waiting with a band of {one.tie_band_m:g} m: {why or 'none'}."
        for one, why in zip(simulations, reasons, strict=True)
    ]


def _way_more(km: float) -> str:
    metres = round(km * 1000)
    if not metres:
        return "no farther"
    way = f"{abs(metres)} m" if abs(metres) < 1000 else f"{abs(km):.2f} km"
    return f"{way} {'nearer' if metres < 0 else 'farther'}"


def _number(km: float | None) -> str:
    return "-" if km is None else f"{km:.2f}"
