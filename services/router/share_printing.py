"""How a partner stands against its contract: tables for people, plain values for machines."""

from typing import Any

from rich.console import Console

from services.router.partner_shares import PartnerShare
from services.router.standing import Standing
from shared.terminal.table import print_table, table_of
from shared.words import counted


def standing_as_json(standing: Standing) -> dict[str, Any]:
    """Every contract, and what was counted without one."""
    return {
        "month": f"{standing.month:%Y-%m}",
        "network_revision": standing.network_revision,
        "policy_version": standing.policy_version,
        "partners": [one._asdict() for one in standing.partners],
        "without_contract": [
            {"city": key.city, "partner": key.partner, "leads": leads} for key, leads in standing.without_contract
        ],
    }


def print_standing(console: Console, standing: Standing) -> None:
    """A row for each contract; one line when there is none."""
    if standing.partners:
        table = table_of(
            f"Shares of partners in {standing.month:%Y-%m}",
            ("city", "partner"),
            ("contract", "leads", "share", "ahead or behind", "open sites"),
        )
        for one in standing.partners:
            table.add_row(*named(one), *stands(one), str(one.open_sites))
        print_table(console, table)
        for line in _flags(standing):
            console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
        console.print(
            f"Policy version {standing.policy_version}, network revision {standing.network_revision}.", highlight=False
        )
    else:
        console.print(
            f"Policy version {standing.policy_version} has no shares: no partner has a contract for a city's leads.",
            highlight=False,
            soft_wrap=True,
        )
    for key, leads in standing.without_contract:
        console.print(
            f"Counted in that month, without a contract now: {key.partner} in {key.city}, {counted(leads, 'lead')}.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def named(one: PartnerShare) -> tuple[str, str]:
    """City and partner, as cells."""
    return one.city, one.partner


def stands(one: PartnerShare) -> tuple[str, str, str, str]:
    """Contract, leads, share and how far ahead, as cells."""
    return f"{one.percent}%", str(one.leads), share_of(one), f"{one.ahead:+.1f}" if one.ahead else "0.0"


def share_of(one: PartnerShare) -> str:
    """Its part of the leads, as a cell."""
    return "-" if one.share is None else f"{one.share:.1%}"


def _flags(standing: Standing) -> list[str]:
    """Partners that cannot get what they are due."""
    flags = []
    for one in standing.partners:
        if not one.sites:
            flags.append(f"{one.partner} has no site in {one.city} and gets none of its {one.percent}%")
        elif not one.open_sites:
            flags.append(f"{one.partner} has no open site in {one.city}: no lead until one opens")
    return flags
