"""Settings of the intake; environment variables are `WAYPOST_INTAKE_...`."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, field_validator

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

    @field_validator("postal_codes", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


def read_settings() -> IntakeSettings:
    """The settings of this process, read once by the command."""
    return IntakeSettings()
