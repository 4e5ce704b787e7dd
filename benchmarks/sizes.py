"""How much is measured: everything, or less of everything to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Of one run of the bench."""

    rounds: int
    sites: int
    leads: int
    """Of a backlog."""
    tutorial_leads: int
    open_loop_s: int
    requests: int
    batches: int
    """Of 500 leads, for each contestant that searches the nearest site."""
    month_leads: int


FULL = Sizes(
    rounds=3,
    sites=500,
    leads=60_000,
    tutorial_leads=4_000,
    open_loop_s=25,
    requests=12_000,
    batches=40,
    month_leads=1_000_000,
)
QUICK = Sizes(
    rounds=1,
    sites=500,
    leads=8_000,
    tutorial_leads=600,
    open_loop_s=8,
    requests=1_500,
    batches=4,
    month_leads=30_000,
)
