"""Settings of the intake; environment variables are `WAYPOST_INTAKE_...`."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from shared.settings import Settings


class IntakeSettings(Settings):
    """Where the intake listens and what it lets in."""

    intake_host: str = "127.0.0.1"
    intake_port: int = Field(default=8080, ge=0, le=65535)
    """0 takes a free port and logs it."""
    intake_allowed_origins: tuple[str, ...] = ()
    """Origins whose browser forms may post, e.g. ["https://cars.example"]; none by default, never with cookies."""
    intake_phone_region: str = "CN"
    """Where a phone number without a country code is dialled (ISO 3166)."""

    postal_codes: Path | None = None
    """List of China's postal codes (docs/operations.md); none is bundled, since no licence that lets it was found."""

    geocoder: Literal["", "amap", "nominatim"] = ""
    """Map service that is asked for places which the lists do not settle (docs/operations.md); empty: none, ever."""
    geocoder_url: str = ""
    """Where it is, without the path of its interface; by default the public one."""
    geocoder_key: SecretStr = SecretStr("")
    geocoder_key_file: Path | None = None
    """File that holds Amap's key and nothing else; safer than the variable, which children and dumps see."""
    geocoder_contact: str = Field(default="", max_length=128, pattern=r"^[\x20-\x27\x2a-\x7e]*$")
    """Address or page of whoever asks, for the User-Agent; the public Nominatim wants to know."""
    geocoder_timeout_s: float = Field(default=0.8, gt=0, le=5)
    """How long a lead may wait for its place before it is accepted without one."""
    geocoder_per_second: float | None = Field(default=None, gt=0, le=1_000)
    """Most questions of this process; by default 1 for nominatim (its public server's limit) and 3 for amap."""
    geocoder_countries: str = Field(default="cn", pattern=r"^([a-z]{2}(,[a-z]{2})*)?$")
    """Where nominatim looks (ISO 3166, comma-separated); empty: everywhere."""
    geocoder_cache_size: int = Field(default=10_000, ge=1, le=1_000_000)
    geocoder_cache_s: float = Field(default=86_400, ge=0)
    """How long an answer is kept in memory."""

    intake_body_timeout: timedelta = timedelta(seconds=10)
    intake_max_in_flight: int = Field(default=2_000, ge=1)
    """Requests held at once, bodies included; more are answered 503 at once."""
    intake_max_waiting_leads: int = Field(default=5_000, ge=1)
    """Leads that may wait for a commit; more are answered 503 at once."""
    intake_batch_leads: int = Field(default=500, ge=1, le=2_000)
    """Most leads in one transaction."""
    intake_gather: timedelta = timedelta(milliseconds=2)
    """How long the first lead of a transaction waits for company."""
    intake_writers: int = Field(default=2, ge=1, le=16)
    """Transactions at once: one is prepared while PostgreSQL flushes the other."""
    intake_commit_timeout: timedelta = timedelta(seconds=5)
    """A lead that is not committed by then is answered 503."""
    intake_idempotency: timedelta = timedelta(days=7)
    """How long an Idempotency-Key is remembered."""

    @field_validator("postal_codes", "geocoder_key_file", "geocoder_per_second", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


def read_settings() -> IntakeSettings:
    """The settings of this process, read once by the command."""
    return IntakeSettings()
