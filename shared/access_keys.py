"""Keys that people or systems show to be let in: 256 random bits each, of which only the SHA-256 is ever stored."""

import base64
import hashlib
from collections.abc import Callable


def make_key(prefix: str, random_bytes: Callable[[int], bytes]) -> str:
    """A new key; its prefix says what it opens, to people and to scanners for leaked secrets."""
    return prefix + base64.urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")


def hash_of(key: str) -> bytes:
    """What is stored. A plain hash is enough: nobody can guess 256 random bits."""
    return hashlib.sha256(key.encode()).digest()
