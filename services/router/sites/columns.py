"""The columns of a network file, and what was probably meant by one that it does not have."""

from services.router.sites.offering import OFFERING_COLUMNS
from services.router.sites.working_time import WORKING_TIME_COLUMNS
from services.router.spelling import meant

COLUMNS = (
    "site_id",
    "name",
    "kind",
    "city",
    "district",
    "lat",
    "lon",
    "datum",
    "capabilities",
    "status",
    "weight",
    "open_lead_limit",
    "daily_lead_limit",
    *OFFERING_COLUMNS,
    *WORKING_TIME_COLUMNS,
)
OPTIONAL = frozenset(
    {"district", "status", "weight", "open_lead_limit", "daily_lead_limit", *OFFERING_COLUMNS, *WORKING_TIME_COLUMNS}
)

_ALSO_CALLED = {
    "site_id": ("id", "site", "store_id", "store", "code", "编号", "门店编号"),
    "name": ("title", "site_name", "store_name", "名称", "门店名称"),
    "kind": ("type", "category", "site_type", "类型"),
    "city": ("addr:city", "town", "城市"),
    "district": ("addr:district", "county", "区县", "区"),
    "lat": ("latitude", "y", "纬度"),
    "lon": ("lng", "long", "longitude", "x", "经度"),
    "datum": ("crs", "srs", "epsg", "coordinate_system", "坐标系"),
    "capabilities": ("services", "capability", "can_do", "能力"),
    "status": ("state", "状态"),
    "open_lead_limit": ("limit", "max_leads", "lead_limit"),
    "daily_lead_limit": ("daily_limit", "leads_per_day"),
    "vehicles": ("brands", "brand", "models"),
    "hours": ("opening_hours", "open_hours", "business_hours", "working_hours", "service_times", "营业时间"),
    "time_zone": ("timezone", "tz", "zone"),
    "closures": ("holidays", "closed_on", "closed_days"),
    "opens_on": ("opening_date", "start_date", "opened_on"),
    "closes_on": ("closing_date", "end_date", "closed_since"),
}
"""How other files (OpenStreetMap among them) call the same."""
_MEANT = {other: column for column, others in _ALSO_CALLED.items() for other in others}


def meant_column(name: str) -> str:
    """The advice that ends the refusal of an unknown column."""
    return f"did you mean {_MEANT[name]}?" if name in _MEANT else meant(name, COLUMNS)
