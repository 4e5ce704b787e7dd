"""Sealing contacts: AES-256-GCM, the key named in the row, the lead id as associated data."""

from collections.abc import Callable
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.lead_intake.domain import Contact
from shared.keys import Keys

NONCE_BYTES = 12
"""Random per row; with one key, 2^32 rows keep the chance of a repeat below 2^-32 (NIST SP 800-38D, 8.3)."""


class Unreadable(Exception):  # noqa: N818 - it names a state
    """The contact does not open: its key is gone, or the row was altered or moved to another lead."""


class Seal:
    """Seals with the active key, opens with any key of the file."""

    def __init__(self, keys: Keys, random_bytes: Callable[[int], bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.contact_keys.items()}
        self._random_bytes = random_bytes
        self.key_id = keys.active_contact_key

    def close(self, lead_id: UUID, contact: Contact) -> bytes:
        """The contact, sealed for this lead."""
        nonce = self._random_bytes(NONCE_BYTES)
        return nonce + self._ciphers[self.key_id].encrypt(nonce, orjson.dumps(contact), lead_id.bytes)

    def open(self, lead_id: UUID, key_id: str, sealed: bytes) -> Contact:
        """The contact of this lead. Raises Unreadable."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unreadable(f"the key file holds no contact key {key_id}")
        try:
            plain = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], lead_id.bytes)
        except InvalidTag as error:
            raise Unreadable("the sealed contact was altered, or belongs to another lead") from error
        return Contact(**orjson.loads(plain))
