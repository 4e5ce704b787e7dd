"""How partners stand against their contracts in a month, as the routers count it."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from services.router.db import shares
from services.router.domain import month_of
from services.router.in_effect import setting_in_effect
from services.router.partner_shares import PartnerShare, partner_shares
from services.router.policy import Contracted
from shared.errors import UserError
from shared.numbers import quoted
from shared.postgres import Pool, acquire

_MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])\Z")


@dataclass(frozen=True)
class Standing:
    """The contracts of the policy in effect, beside the leads of one month."""

    month: date
    """Its first day."""
    network_revision: int
    policy_version: int
    partners: tuple[PartnerShare, ...]
    without_contract: tuple[tuple[Contracted, int], ...]
    """Leads of the month that were counted for contracts of another policy; they decide nothing now."""


def month_named(text: str | None, now: datetime) -> date:
    """First day of the month that `YYYY-MM` names; of that of `now` without a text. Raises UserError for no month."""
    if text is None:
        return month_of(now)
    if not _MONTH.match(text):
        raise UserError(f"--month {quoted(text)} is no month", f"write it as {month_of(now):%Y-%m}")
    return date.fromisoformat(f"{text}-01")


async def standing_of(pool: Pool, month: date) -> Standing:
    """The policy's contracts and what their partners were given in the month. Raises UserError without a policy."""
    async with acquire(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot, policy = await setting_in_effect(connection)
        given = await shares.read(connection, month)
    return Standing(
        month,
        snapshot.revision,
        policy.version,
        partner_shares(policy, snapshot, given),
        tuple(sorted((key, leads) for key, leads in given.items() if key not in policy.contracts)),
    )
