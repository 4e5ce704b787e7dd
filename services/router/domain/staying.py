"""With which site a person stays: the policy's rules, and what its sites did for the person before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.router.domain.ledger import LeadFeatures, Served, Stay
from services.router.policy import Policy


def stay_with(policy: Policy, lead: LeadFeatures, served: Sequence[Served], now: datetime) -> Stay | None:
    """What the first rule that applies says; None when none does.

    `served` are the latest acceptances of the lead's person, one per intent. A rule that applies is the only one that
    is looked at, whether the site can still take the lead or not: rules are an order of wishes, not of tries.
    """
    for rule in policy.stay:
        if lead.intent not in rule.intents:
            continue
        since = now - timedelta(days=rule.within_days)
        fitting = [one for one in served if one.intent in rule.after and one.at >= since]
        if fitting:
            # The site's name settles what one moment leaves open.
            latest = max(fitting, key=lambda one: (one.at, one.site_id))
            return Stay(rule.name, latest.site_id)
    return None
