"""The sites of the network: what a site is, how a network file is read, and how two revisions differ. Pure."""

from services.router.sites.diff import NetworkDiff, SiteChange, diff_networks
from services.router.sites.files import NetworkFile, read_csv, read_geojson
from services.router.sites.hours import ALWAYS, Schedule, WorkingTime
from services.router.sites.loss import NO_LOSS, Loss, loss_of
from services.router.sites.offering import PLAIN, Offering
from services.router.sites.row import BadRow
from services.router.sites.site import (
    DELIVERY_CENTER_ONLY,
    Site,
    canonical_rows,
    forbidden_claims,
    network_digest,
)

__all__ = [
    "ALWAYS",
    "DELIVERY_CENTER_ONLY",
    "NO_LOSS",
    "PLAIN",
    "BadRow",
    "Loss",
    "NetworkDiff",
    "NetworkFile",
    "Offering",
    "Schedule",
    "Site",
    "SiteChange",
    "WorkingTime",
    "canonical_rows",
    "diff_networks",
    "forbidden_claims",
    "loss_of",
    "network_digest",
    "read_csv",
    "read_geojson",
]
