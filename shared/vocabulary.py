"""The closed lists of the field: what leads ask for, what sites can do, and the shapes of names that may be public."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


class Intent(StrEnum):
    """What a person wants from the network."""

    PURCHASE = "purchase"
    TEST_DRIVE = "test_drive"
    VEHICLE_DELIVERY = "vehicle_delivery"
    USED_VEHICLE = "used_vehicle"
    TRADE_IN = "trade_in"
    MAINTENANCE = "maintenance"
    MECHANICAL_REPAIR = "mechanical_repair"
    BODY_REPAIR = "body_repair"
    PAINT_REPAIR = "paint_repair"


class Capability(StrEnum):
    """What a site is able and allowed to do."""

    SALES = "sales"
    TEST_DRIVE = "test_drive"
    VEHICLE_DELIVERY = "vehicle_delivery"
    USED_VEHICLE_SALES = "used_vehicle_sales"
    MAINTENANCE = "maintenance"
    MECHANICAL_REPAIR = "mechanical_repair"
    BODY_REPAIR = "body_repair"
    PAINT_REPAIR = "paint_repair"


class SiteKind(StrEnum):
    """The *1* of the network (delivery center) and its *N* (agent stores and service points)."""

    DELIVERY_CENTER = "delivery_center"
    AGENT_STORE = "agent_store"
    SERVICE_POINT = "service_point"


class SiteStatus(StrEnum):
    """A city opens step by step; only an open site receives leads."""

    PLANNED = "planned"
    RECRUITING = "recruiting"
    OPEN = "open"
    CLOSED = "closed"


class Datum(StrEnum):
    """The coordinate system of a point. Required wherever a point enters, never guessed from the numbers."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class Channel(StrEnum):
    """How a lead entered."""

    FORM = "form"
    APP = "app"
    ADF = "adf"
    PARTNER = "partner"


class Accuracy(StrEnum):
    """How well a lead's place is known; a district-level lead must not claim metres."""

    POINT = "point"
    DISTRICT = "district"
    CITY = "city"


# A phone number or an ID card has at least seven digits in a row; an e-mail address or a chat name has an @.
# Never more than this: old ledgers must be read. What may be written is for `shared.personal` to say.
_PERSONAL = re.compile(r"@|(?:\d[\s.\-()]*){7,}")


def _refuse_personal(text: str) -> str:
    if _PERSONAL.search(text) is not None:
        raise ValueError("looks like a phone number or an address; only product or campaign names may stand here")
    return text


# Letters of any script, digits, space and a few marks. No control characters, so no NUL either.
PublicText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[\w .,:+/&()'\-]+$"),
    AfterValidator(_refuse_personal),
]
"""Free text that may be published: 1-64 characters that cannot hold a phone number or an e-mail address."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_\-]{0,62}$")]
"""An identifier that people choose (site, source): lower case, digits, dash, underscore."""
