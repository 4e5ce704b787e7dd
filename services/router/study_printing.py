"""What a simulation shows: tables for people, plain values for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.router.printing import BY_DISTANCE_ONLY
from services.router.simulating import Study
from services.router.tables import print_findings, table_of
from services.router.trying import Simulation


def study_as_json(study: Study) -> dict[str, Any]:
    """Every simulation with all its sites."""
    return {
        "network_revision": study.network_revision,
        "policy_version": study.policy_version,
        "timed": study.is_timed,
        "measure": "distance",
        "findings": [str(finding) for finding in study.findings],
        "simulations": [asdict(one) | {"sites": [site._asdict() for site in one.sites]} for one in study.simulations],
    }


def print_study(console: Console, study: Study) -> None:
    """One simulation with its sites; of several, one line for each band."""
    print_findings(console, study.findings)
    first = study.simulations[0]
    if len(study.simulations) == 1:
        console.print(_shares_table(first))
    console.print(_bands_table(study.simulations))
    for line in _waiting_lines(study.simulations):
        console.print(line, highlight=False)
    policy = "a file" if study.policy_version is None else f"version {study.policy_version}"
    console.print(
        f"{first.leads} leads, network revision {study.network_revision}, policy of {policy}; nothing was recorded.",
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
            escape(site.site_id),
            str(site.weight),
            str(site.leads),
            f"{site.share:.1%}",
            f"{site.share_per_weight:.2f}",
        )
    return table


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


def _number(km: float | None) -> str:
    return "-" if km is None else f"{km:.2f}"
