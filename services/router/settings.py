"""The router's own settings, on top of the shared ones."""

from pydantic import Field, SecretStr

from shared.settings import Settings


class RouterSettings(Settings):
    """Environment variables are `WAYPOST_ROUTER_...`."""

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
    operator_key: SecretStr = Field(default=SecretStr(""), validation_alias="WAYPOST_OPERATOR_KEY")
    """Key of the person at the command; processes need none."""


def read_settings() -> RouterSettings:
    """The settings of this process."""
    return RouterSettings()
