"""Times as senders give them: one form, RFC 3339, and the span of years in which they may lie.

Left to itself pydantic takes numbers, numbers in a text and bare dates for moments, so that `1` is published as
evidence that somebody agreed in 1970.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No lead that is sent today was asked for before; older times are empty fields and unset clocks."""
CLOCK_ERROR = timedelta(minutes=5)
"""How far a sender's clock may be ahead of ours; 300 s is also what Kerberos allows (RFC 4120, section 3.1.3)."""
_A_DAY = timedelta(days=1)
_RFC_3339 = re.compile(
    # Seconds and the colon of the offset are often left out; nothing else is.
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(\.[0-9]{1,12})?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})",
    re.ASCII,
)


def _read(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and (found := _RFC_3339.fullmatch(value.strip())):
        day, minute, second, fraction, offset = found.groups()
        # A leap second is the last one of its minute: no clock here counts to 60.
        return f"{day}T{minute}:{'59' if second == '60' else second or '00'}{(fraction or '')[:7]}{offset}"
    raise PydanticCustomError("datetime_parsing", "is no time of RFC 3339")


Moment = Annotated[AwareDatetime, BeforeValidator(_read)]
"""A date and a time with its offset from UTC, as RFC 3339 writes them; never a number, never a date alone."""


def consent_fault(given_at: datetime, received_at: datetime) -> str:
    """Why nobody can have agreed at that time; empty when somebody can."""
    if given_at < EARLIEST:
        return "lies before the year 2000; say when the person agreed"
    if given_at > received_at + CLOCK_ERROR:
        return "lies in the future; say when the person agreed, and check the sender's clock"
    return ""


def is_plausible(moment: datetime, received_at: datetime) -> bool:
    """Whether a sender's clock may have said so when it was sent; a time for information only need not be near ours."""
    return EARLIEST <= moment <= received_at + _A_DAY
