"""Room on the disk, looked at before anything is written to it."""

import shutil
from pathlib import Path

from shared.errors import UserError

NEEDED_BYTES = 1024**3
"""Jars and their start-up archive 0.12 GB, an empty PostgreSQL 0.05 GB, write-ahead log and topics of a busy hour."""


def require_space(folder: Path, needed_bytes: int = NEEDED_BYTES) -> None:
    """Raise UserError when the disk of `folder` has less room than that."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise UserError(
            f"only {free / 1e9:.2f} GB are free on the disk of {folder}; the stack needs {needed_bytes / 1e9:.2f} GB",
            "free some space, or choose a data folder on another disk",
        )
