"""The key file: everything secret that must live outside PostgreSQL and Kafka.

`contact_keys` seal contacts (AES-256-GCM); the active one seals, the older ones still open. `pepper` turns a phone
or e-mail into the token that recognises a person. `service_secret` signs calls between services. `endpoint_key`
seals the secrets of store endpoints. Losing the file loses every contact: back it up apart from the database.
"""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from shared.errors import UserError
from shared.faults_in_words import in_words
from shared.signatures import make_secret


def _decode_32_bytes(value: object) -> object:
    if isinstance(value, str):
        value = base64.b64decode(value, validate=True)
    if isinstance(value, bytes) and len(value) != 32:
        raise ValueError("must be base64 of 32 bytes")
    return value


Key = Annotated[bytes, BeforeValidator(_decode_32_bytes)]


class Keys(BaseModel):
    """The opened key file; `repr` shows no key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    active_contact_key: str
    contact_keys: dict[str, Key]
    pepper: Key
    endpoint_key: Key
    service_secret: str

    def __repr__(self) -> str:
        return f"Keys(active_contact_key={self.active_contact_key!r})"

    __str__ = __repr__

    @model_validator(mode="after")
    def _active_key_exists(self) -> "Keys":
        if self.active_contact_key not in self.contact_keys:
            raise ValueError("active_contact_key names no key of contact_keys")
        return self


def load_keys(path: Path) -> Keys:
    """Open the key file. Raises UserError when it is missing, readable by others, or malformed."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"no key file at {path}", "create it once with `waypost keys init`") from error
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UserError(f"{path} cannot be read: {why}", "is WAYPOST_KEYS right? restore it from your backup") from None
    if mode & 0o077:
        raise UserError(f"{path} can be read by other users", f"run: chmod 600 {path}")
    try:
        return Keys.model_validate_json(text)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, e["loc"])) or in_words(e) for e in error.errors(include_input=False))
        raise UserError(f"{path} is not a key file (wrong: {wrong})", "restore it from your backup") from None


def create_keys(path: Path, random_bytes: Callable[[int], bytes]) -> Keys:
    """Write a new key file, readable by its owner only. Raises UserError rather than replace one."""
    if path.exists():
        raise UserError(f"{path} exists already", "a replaced key file makes every sealed contact unreadable")

    def key() -> str:
        return base64.b64encode(random_bytes(32)).decode()

    content = {
        "active_contact_key": "k1",
        "contact_keys": {"k1": key()},
        "pepper": key(),
        "endpoint_key": key(),
        "service_secret": make_secret(random_bytes(32)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    return load_keys(path)
