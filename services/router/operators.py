"""Operators: the people who may change what routers decide by, each known by a key of which PostgreSQL has the hash."""

import os
import re
from datetime import datetime

from services.router.changes.rules import ChangeRefused, may_disable
from services.router.db import changes, operators
from services.router.db.network import lock_for_writing
from shared.access_keys import hash_of, make_key
from shared.errors import UserError
from shared.personal import holds_persons_number
from shared.postgres import Connection

KEY_PREFIX = "wpo_"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def new_key() -> str:
    """A key for a new operator."""
    return make_key(KEY_PREFIX, os.urandom)


def fingerprint_of(key: str) -> str:
    """What may be told to everybody of a key: by it nobody can sign, and it is what is stored."""
    return hash_of(key).hex()


def read_name(text: str) -> str:
    """An operator's name. Raises UserError for what cannot be one."""
    if not _NAME.fullmatch(text) or holds_persons_number(text):
        raise UserError(
            f"{text!r} cannot be an operator's name",
            "use 1 to 63 lower-case letters, digits, dashes and underscores, and nobody's number: it is published",
        )
    return text


def read_fingerprint(text: str) -> str:
    """A key's fingerprint. Raises UserError for what is none, a key above all."""
    if text.startswith(KEY_PREFIX):
        raise UserError("that is a key and no fingerprint", "a key is for its owner only: make a new one, and keep it")
    if not _FINGERPRINT.fullmatch(text):
        raise UserError(
            "a fingerprint has 64 digits from 0 to f", "`waypost operator key` makes a key and prints its own"
        )
    return text


async def operator_of(connection: Connection, key: str) -> str | None:
    """Who shows this key; None for no key.

    Raises UserError for any other: it says not whether the key is unknown or its owner disabled.
    """
    if not key:
        return None
    name = await operators.enabled_by_hash(connection, hash_of(key))
    if name is None:
        raise UserError("the key in WAYPOST_OPERATOR_KEY is not accepted", "`waypost operator list` shows whose are")
    return name


async def disable(connection: Connection, name: str, key: str, now: datetime) -> None:
    """Accept an operator's key no more. Raises UserError when there is no such operator, or too few would be left."""
    await lock_for_writing(connection)
    who = await operator_of(connection, key)
    if who is None:
        raise ChangeRefused("only operators may do this, and you gave no key", "set WAYPOST_OPERATOR_KEY to your key")
    may_disable(name, await operators.enabled(connection), two_person=await changes.two_person(connection))
    if not await operators.disable(connection, name, who, now):
        raise UserError(f"there is no operator {name} whose key is accepted", "see `waypost operator list`")
