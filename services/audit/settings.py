"""Settings of the audit service and its commands (`WAYPOST_AUDIT_*` and the shared ones)."""

from pydantic import Field

from shared.settings import Settings


class AuditSettings(Settings):
    """How much audit takes at once."""

    audit_max_records: int = Field(default=2_000, ge=1, le=20_000)
    """Records per batch: one transaction, one insert; larger batches catch up faster and hold more memory."""
    audit_replay_chunk: int = Field(default=2_000, ge=1, le=20_000)
    """Decisions that replay reads and decides again at a time."""


def read_settings() -> AuditSettings:
    """The settings of this process."""
    return AuditSettings()
