"""The notifier's own settings, on top of the shared ones."""

import json
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.store_notifier.domain import RetryPlan
from shared.settings import Settings


class NotifierSettings(Settings):
    """Environment variables are `WAYPOST_NOTIFIER_...`."""

    notifier_host: str = "127.0.0.1"
    notifier_port: int = Field(default=8081, ge=0, le=65535)
    """Port of the answers and the inbox pages; 0 takes a free one and logs it."""
    notifier_group: str = "store_notifier"
    """Consumer group: all processes with one name share the leads."""
    notifier_allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks (comma-separated, or a JSON list) that webhooks may reach although they are not public, e.g.
    127.0.0.0/8 for a local stack. Plain http and any port are allowed there, and only there."""
    notifier_max_in_flight: int = Field(default=200, ge=1, le=2_000)
    """Requests to stores under way at once in this process."""
    notifier_max_per_host: int = Field(default=50, ge=1, le=2_000)
    """Of these, to one host and port: the outage of a vendor that serves many stores leaves room for the others."""
    notifier_request_timeout_s: float = Field(default=10.0, gt=0, le=30)
    """From the first look-up of the name to the last byte of the answer."""
    notifier_retry_ceilings_s: tuple[float, ...] = RetryPlan().ceilings_s
    """Longest wait after attempt 1, 2, ...; the last one repeats."""
    notifier_time_to_answer_s: float = Field(default=30.0, ge=0)
    """The last attempt leaves a person this long before the assignment's deadline."""
    notifier_keep_days: int = Field(default=90, ge=1)
    """How long finished deliveries and their attempts stay for operators, and leads that are over (joined, erased, or
    with an outcome) with their answers and inbox items for the sites. The facts stay in Kafka."""
    notifier_keep_held_days: int = Field(default=400, ge=1)
    """How long an accepted lead may wait for its outcome, at least `notifier_keep_days`; then the site's word on it is
    refused. By default as long as Kafka keeps the facts."""
    notifier_zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """The wall clock of the stores, for the inbox page."""
    notifier_secure_cookies: bool | None = None
    """Whether the log-in cookie is for https only; by default as `notifier_url` says."""

    @field_validator("notifier_allow_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            parts = json.loads(value) if value.startswith("[") else value.split(",")
            return tuple(ip_network(part.strip()) for part in parts if part.strip())
        return value

    @property
    def retry_plan(self) -> RetryPlan:
        """How patient the notifier is."""
        return RetryPlan(
            ceilings_s=self.notifier_retry_ceilings_s,
            time_to_answer_s=self.notifier_time_to_answer_s,
        )

    @property
    def lease(self) -> timedelta:
        """How long a delivery belongs to its sender: longer than a request, or two senders would overlap."""
        return timedelta(seconds=self.notifier_request_timeout_s + 5)

    @property
    def notifier_keep(self) -> timedelta:
        """Age at which what is over is forgotten."""
        return timedelta(days=self.notifier_keep_days)

    @property
    def notifier_keep_held(self) -> timedelta:
        """Age at which an accepted lead is forgotten although it never got an outcome."""
        return timedelta(days=max(self.notifier_keep_days, self.notifier_keep_held_days))

    @property
    def public_url(self) -> str:
        """Address that stores use for their answers and their inbox, without a slash at its end."""
        return (self.notifier_url or f"http://{self.notifier_host}:{self.notifier_port}").rstrip("/")

    @property
    def secure_cookies(self) -> bool:
        """Whether the log-in cookie is for https only."""
        if self.notifier_secure_cookies is None:
            return self.public_url.startswith("https:")
        return self.notifier_secure_cookies


def read_settings() -> NotifierSettings:
    """The settings of this process, from the environment and the local stack."""
    return NotifierSettings()
