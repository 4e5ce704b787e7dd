"""What another policy or another network would do to leads that are known: decided forward, compared, weighed. Pure."""

from services.router.trying.comparison import Comparison, Moved, SiteLeads
from services.router.trying.fairness import SiteShare, gini, share_of_each
from services.router.trying.forward import Arriving, Forward, Setting
from services.router.trying.lead_columns import LeadColumns
from services.router.trying.lead_file import BadLead, LeadFile, read_lead_csv, read_lead_ndjson
from services.router.trying.share_effect import ShareEffect
from services.router.trying.simulation import Simulation, decided_of, simulate

__all__ = [
    "Arriving",
    "BadLead",
    "Comparison",
    "Forward",
    "LeadColumns",
    "LeadFile",
    "Moved",
    "Setting",
    "ShareEffect",
    "Simulation",
    "SiteLeads",
    "SiteShare",
    "decided_of",
    "gini",
    "read_lead_csv",
    "read_lead_ndjson",
    "share_of_each",
    "simulate",
]
