"""A lead as a sender writes it, whatever the format: shapes and limits only; what it means is `domain`'s business.

Lengths are cut here, before any Unicode normalising, which is quadratic on hostile input.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.lead_intake.faults import Fault
from services.lead_intake.sent_times import Moment
from shared.personal import PublishableText
from shared.vocabulary import Channel, Datum, Intent, Slug

LONGEST_ADDRESS = 254
"""Characters of an e-mail address: the longest that SMTP can carry (RFC 5321, erratum 1690)."""

# No control characters: PostgreSQL refuses NUL, and a line break in a name is a header injection waiting for a mail.
_PRINTABLE = r"^[^\p{Cc}]*$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


Line = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_PRINTABLE)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE)]
Identity = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=_PRINTABLE)]
"""An address with its campaign is a usual id; it is only ever kept as a hash."""
Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class DraftContact(_Part):
    """How the person can be reached; a phone or an e-mail address is needed."""

    name: Line | None = None
    phone: Short | None = None
    email: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ADDRESS, pattern=_PRINTABLE)] | None = None


class DraftLocation(_Part):
    """A point with its datum, a plus code, an adcode, names, or a text without a street. The first of these counts."""

    lat: Degrees | None = None
    lon: Degrees | None = None
    datum: Datum | None = None
    plus_code: Line | None = None
    """A full code, or a short one with its town behind it, as maps print it."""
    adcode: Short | None = None
    province: Short | None = None
    city: Short | None = None
    district: Short | None = None
    postal_code: Short | None = None
    """Six digits, looked up in the operator's list; counts beside names and text."""
    text: Line | None = None


class DraftVehicle(_Part):
    """The vehicle of interest."""

    brand: Line | None = None
    model: Line | None = None
    year: Annotated[int, Field(ge=1950, le=2100)] | None = None


class DraftConsent(_Part):
    """When the person agreed, and to which version of the text."""

    given_at: Moment
    text_version: PublishableText


class Draft(_Part):
    """One lead as it came."""

    intent: Intent
    contact: DraftContact
    location: DraftLocation | None = None
    vehicle: DraftVehicle | None = None
    preferred_site: Slug | None = None
    campaign: Line | None = None
    channel: Channel = Channel.FORM
    consent: DraftConsent
    client_time: Moment | None = None
    source_lead_id: Identity | None = None


class MendedDraft(Draft):
    """A draft whose reader mended or passed over something, or whose format has ids that may stand for nothing."""

    remarks: tuple[Fault, ...] = ()
    """What the sender is told beside the 202."""
    content: bytes = b""
    """SHA-256 of what was read, when its id may be one that its sender gives to every lead; else empty."""
