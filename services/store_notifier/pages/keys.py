"""Inbox keys: what a store types to open its page. Made once, shown once, kept as a hash."""

import base64
import hashlib

KEY_BYTES = 20
"""160 bits: nobody guesses one, so a plain SHA-256 keeps it and log-in needs no slow hash and no lock-out."""

# base32 (RFC 4648) has no 0, 1 and 8: people who read them meant these letters.
_READ_AS = str.maketrans("018", "OIB")


def make_key(random: bytes) -> str:
    """A new key from 20 random bytes, in groups that can be read out: `ABCD-EFGH-...` (eight groups)."""
    if len(random) != KEY_BYTES:
        raise ValueError(f"an inbox key needs {KEY_BYTES} random bytes")
    letters = base64.b32encode(random).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def hash_key(typed: str) -> bytes:
    """SHA-256 of the key as it was made, whatever case, dashes and spaces it was typed with."""
    letters = "".join(letter for letter in typed[:200].upper() if letter.isascii() and letter.isalnum())
    return hashlib.sha256(letters.translate(_READ_AS).encode()).digest()
