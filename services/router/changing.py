"""`waypost policy|network try`, `... rollback` and `waypost policy simulate`: changing without fear.

The verbs are attached to their groups in `services.router.commands`.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.router import simulating, study_printing, trial, trial_printing
from services.router.changes.change import Kind
from services.router.changes.commands import YesRemove, operator_key, write
from services.router.changes.printing import print_overtaken
from services.router.changes.submission_printing import (
    import_as_json,
    print_difference,
    print_waiting,
    publication_as_json,
)
from services.router.db.known_leads import PATIENT
from services.router.network import read_network_file
from services.router.policies import read_policy_file
from services.router.rollback import Rollback, roll_back
from services.router.tables import print_findings
from services.router.terminal import run
from shared.postgres import present
from shared.terminal.output import Json, Output, print_json, progress

Last = Annotated[str | None, typer.Option(help="Leads received in this time: 7d, 12h, 30m. Default: 7d.")]
Since = Annotated[str | None, typer.Option("--from", help="First moment of the leads: 2h (ago) or an ISO time.")]
Until = Annotated[str | None, typer.Option("--to", help="End of the leads, as --from; default: now.")]
Show = Annotated[int, typer.Option(help="How many moved leads, and how many sites, to show.", min=0)]


def try_policy(
    file: Annotated[Path, typer.Argument(help="A policy file (TOML).")],
    last: Last = None,
    since: Since = None,
    until: Until = None,
    show: Show = 10,
    as_json: Json = False,
) -> None:
    """Show what FILE would have done with the leads of the past days. Nothing is published or recorded."""
    text = read_policy_file(file)
    span = trial.span_between(last, since, until, datetime.now(UTC))
    with progress("deciding twice", quiet=as_json) as advance:
        tried = run(lambda pool: trial.try_policy(pool, text, span, show, advance), PATIENT)
    _show_trial(tried, "the policy in effect", str(file), as_json)


def try_network(
    file: Annotated[Path, typer.Argument(help="A .csv or .geojson file with every site of the network.")],
    last: Last = None,
    since: Since = None,
    until: Until = None,
    show: Show = 10,
    as_json: Json = False,
) -> None:
    """Show what FILE would have done with the leads of the past days. Nothing is imported or recorded."""
    sites = read_network_file(file)
    span = trial.span_between(last, since, until, datetime.now(UTC))
    with progress("deciding twice", quiet=as_json) as advance:
        tried = run(lambda pool: trial.try_network(pool, sites, span, show, advance), PATIENT)
    _show_trial(tried, "the network in effect", str(file), as_json)


def _show_trial(tried: trial.Trial, current: str, file: str, as_json: bool) -> None:
    if as_json:
        print_json(trial_printing.trial_as_json(tried))
    else:
        trial_printing.print_trial(Output(), tried, current, file)


def roll_policy_back(
    to: Annotated[int | None, typer.Option(help="A version; default: the one before the current.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Put an older policy into effect again, as the next version. Twice in a row, it is undone."""
    done = _roll_back(Kind.POLICY, to)
    if as_json:
        print_json({"before": done.before, "restored": done.restored, **publication_as_json(done.submitted)})
        return
    print_findings(Output(), done.submitted.effect.findings)
    print_waiting(Output(), done.submitted)
    if done.submitted.is_in_effect:
        Output().print(
            f"Policy version {done.submitted.effect.after} is in effect: the text of version {done.restored}, "
            f"in place of version {done.before}."
        )
        print_overtaken(Output(), done.submitted.effect.overtaken)


def roll_network_back(
    to: Annotated[int | None, typer.Option(help="A revision; default: the one before the current.", min=1)] = None,
    yes_remove: YesRemove = None,
    as_json: Json = False,
) -> None:
    """Put an older network into effect again, as the next revision. Twice in a row, it is undone."""
    done = _roll_back(Kind.NETWORK, to, yes_remove)
    if as_json:
        print_json({"restored": done.restored, **import_as_json(done.submitted)})
        return
    print_findings(Output(), done.submitted.effect.findings)
    print_difference(Output(), done.submitted)
    print_waiting(Output(), done.submitted)
    if done.submitted.is_in_effect:
        Output().print(
            f"Revision {done.submitted.effect.after} is in effect: the sites of revision {done.restored}, "
            f"in place of revision {done.before}."
        )
        print_overtaken(Output(), done.submitted.effect.overtaken)


def _roll_back(kind: Kind, to: int | None, yes_remove: int | None = None) -> Rollback:
    now, key = run(present), operator_key()
    return write(lambda connection: roll_back(connection, kind, to, key, now, yes_remove))


def simulate(
    leads: Annotated[Path, typer.Option(help="A .csv or .ndjson file: intent, lat, lon, datum, maybe received_at.")],
    policy: Annotated[Path | None, typer.Option(help="A policy file; default: the policy in effect.")] = None,
    tie_band: Annotated[
        str | None, typer.Option(help="Metres of the tie band, or several to compare: 0,50,500,2000.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a policy costs in distance and buys in fairness, over the leads of a file on the current network."""
    columns = simulating.read_lead_file(leads)
    text = None if policy is None else read_policy_file(policy)
    bands_m = [] if tie_band is None else simulating.tie_bands_of(tie_band)
    with progress("deciding", quiet=as_json) as advance:
        study = run(lambda pool: simulating.study(pool, columns, text, bands_m, datetime.now(UTC), advance))
    if as_json:
        print_json(study_printing.study_as_json(study))
    else:
        study_printing.print_study(Output(), study)
