"""The router's own settings, on top of the shared ones."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from shared.settings import Settings


class RouterSettings(Settings):
    """Environment variables are `WAYPOST_ROUTER_...`, and `WAYPOST_TRAVEL_...` for the engine of travel times."""

    router_group: str = "router"
    """Consumer group: all processes with one name share the leads."""
    router_max_batch: int = Field(default=500, ge=1, le=5_000)
    """Leads decided in one transaction. 500 reach 96 % of the best rate in a few milliseconds; a batch is what waits
    already, never waited for."""
    router_max_poll: int = Field(default=4_000, ge=1, le=20_000)
    """Records taken in one poll; they are decided in batches that overlap."""
    router_sweep_s: float = Field(default=1.0, gt=0, le=60)
    """Seconds between two looks at deadlines, at leads that can be tried again and at unpublished announcements.

    With each look a router releases at most `retry.batch` (policy) of the waiting leads."""
    router_poll_network_s: float = Field(default=5.0, gt=0, le=300)
    """Seconds between two looks at the newest network and policy, should Kafka's word of them be late."""
    operator_key: SecretStr = SecretStr("")
    """`WAYPOST_OPERATOR_KEY`: key of the person at the command; processes need none."""

    travel_url: str = ""
    """Address of an OSRM or Valhalla server; empty: none is asked. It sees where people are: run your own."""
    travel_api: Literal["osrm", "valhalla"] = "osrm"
    travel_profile: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,40}$")
    """OSRM's profile or Valhalla's costing; empty: `driving`, or `auto`."""
    travel_timeout_ms: int = Field(default=300, ge=10, le=10_000)
    """Hard limit of the wait of a whole batch; distance decides for the leads whose times are not there by then."""
    travel_connections: int = Field(default=16, ge=1, le=256)
    """Questions under way at once."""
    travel_cache_size: int = Field(default=100_000, ge=0, le=10_000_000)
    """Ways that are remembered, about 300 bytes each."""
    travel_cache_hours: float = Field(default=24, ge=0, le=24 * 366)

    @field_validator("travel_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("write http://HOST:PORT or https://HOST, with a path when a proxy needs one, no query")
        return value


def read_settings() -> RouterSettings:
    """The settings of this process."""
    return RouterSettings()
