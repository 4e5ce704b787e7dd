"""Policies over a file of leads, on the current network. Nothing is recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from services.router.policies import findings_of
from services.router.policy import Finding, Policy
from services.router.trial import current_setting
from services.router.trying import (
    BadLead,
    LeadColumns,
    LeadFile,
    Setting,
    Simulation,
    decided_of,
    read_lead_csv,
    read_lead_ndjson,
    simulate,
)
from shared.errors import UserError
from shared.faults import Bounded, refusal
from shared.faults_in_words import in_words
from shared.numbers import quoted, read_number
from shared.postgres import Pool, acquire
from shared.text_files import MEBIBYTE, text_lines

_READERS = {".csv": read_lead_csv, ".ndjson": read_lead_ndjson, ".jsonl": read_lead_ndjson}


LARGEST_FILE_BYTES = 512 * MEBIBYTE
"""Some six million leads."""
MOST_TIE_BANDS = 20


class LeadsRefused(UserError):  # noqa: N818 - it says what happened to the file
    """The file has bad rows; nothing of it was used."""

    def __init__(self, file: str, faults: Bounded[BadLead]) -> None:
        super().__init__(refusal(f"{file} is refused", faults, _line_of), "correct the file")
        self.bad = faults.first


def _line_of(fault: BadLead) -> str:
    return f"row {fault.row}: {fault.field}: {fault.reason}" if fault.row else f"{fault.field}: {fault.reason}"


@dataclass(frozen=True)
class Study:
    """One policy over one file: a simulation per tie band."""

    network_revision: int
    policy_version: int | None
    """None for a policy from a file."""
    is_timed: bool
    """Whether the leads came with times, so that sites let go of them."""
    simulations: tuple[Simulation, ...]
    findings: tuple[Finding, ...]
    wants_times: bool = False
    """Whether the policy compares travel times, which are not asked for here."""


def read_lead_file(path: Path) -> LeadColumns:
    """The leads of a .csv or .ndjson file. Raises LeadsRefused with every bad row and its reason."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path} is neither .csv nor .ndjson", "name the file for what it holds")
    # Line ends stay as they are: a quoted field may hold one.
    with text_lines(path, LARGEST_FILE_BYTES) as lines:
        read: LeadFile = reader(lines)
    if read.faults:
        raise LeadsRefused(str(path), read.faults)
    return read.leads


def tie_bands_of(text: str) -> list[float]:
    """The metres in `0,50,500`. Raises UserError when they are no numbers, or very many."""
    parts = text.split(",")
    if len(parts) > MOST_TIE_BANDS:
        raise UserError(f"--tie-band lists {len(parts)} bands", f"{MOST_TIE_BANDS} are the most")
    try:
        return [read_number(part) for part in parts]
    except ValueError as problem:
        raise UserError(
            f"--tie-band {quoted(text)} is no list of metres: {problem}", "write 50, or 0,50,500,2000"
        ) from None


async def study(
    pool: Pool,
    leads: LeadColumns,
    policy_text: str | None,
    tie_bands_m: Sequence[float],
    now: datetime,
    on_progress: Callable[[int, int], None],
) -> Study:
    """Simulate `leads` under the policy in `policy_text` (default: the current one), once per tie band.

    No band means the policy's own. Raises PolicyError or PolicyRefused as publishing the policy does, and UserError
    for a band that no policy may have.
    """
    async with acquire(pool) as connection:
        current = await current_setting(connection)
    policy = current.policy if policy_text is None else Policy.from_toml(policy_text, current.policy.version + 1)
    policies = [with_tie_band(policy, band_m) for band_m in tie_bands_m] or [policy]
    findings = findings_of(policy, current.snapshot)
    total = sum(decided_of(one, leads) for one in policies)
    simulations = [
        simulate(Setting(current.snapshot, one), leads, now, lambda done: on_progress(done, total)) for one in policies
    ]
    version = current.policy.version if policy_text is None else None
    is_timed = leads.received_us is not None
    return Study(
        current.snapshot.revision, version, is_timed, tuple(simulations), findings, policy.travel.candidates > 0
    )


def with_tie_band(policy: Policy, tie_band_m: float) -> Policy:
    """The policy with another tie band. Raises UserError for one that no policy may have."""
    try:
        return Policy.model_validate({**policy.model_dump(), "tie_band_m": tie_band_m})
    except ValidationError as problem:
        [fault] = problem.errors(include_url=False)
        raise UserError(f"--tie-band {tie_band_m:g}: {in_words(fault)}") from None
