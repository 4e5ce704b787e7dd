"""Reading an inbox key that a person typed or pasted."""

from services.store_notifier.endpoints import key_sha256

GROUP = 8


def hash_typed_key(typed: str) -> bytes:
    """The stored hash of a key, whatever case, dashes and spaces it was typed with.

    The key is 256 random bits (`endpoints.inbox_key`: hex in groups of eight), so forgiving these costs no strength,
    and log-in needs neither a slow hash nor a lock-out.
    """
    letters = "".join(letter for letter in typed[:200].lower() if letter.isascii() and letter.isalnum())
    return key_sha256("-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP)))
