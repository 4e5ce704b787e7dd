"""What a person is told when a command cannot go on: one sentence for each kind of failure, with what to do.

Never what was typed or stored: it may be personal, or a secret.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from shared.errors import UserError
from shared.postgres import PostgresUnavailable

_DOCTOR = "`waypost doctor` says what is wrong"
_NOT_READY = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InsufficientPrivilegeError,
)


@dataclass(frozen=True)
class Refusal:
    """What was wrong, what to do, and whether it is a fault of Waypost."""

    message: str
    hint: str = ""
    is_ours: bool = False


def refusal_of(error: BaseException) -> Refusal:
    """What a person is told of a failure; of several at once, of the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, UserError):
        return Refusal(error.message, error.hint)
    known = _of_postgres(error) or _of_kafka(error) or _of_texts(error)
    if known is None and isinstance(error, OSError):
        known = _of_system(error)
    return known or _unforeseen(error)


def unreachable(error: BaseException) -> Refusal | None:
    """What is said of a failure that only means that PostgreSQL or Kafka cannot be reached; None for any other."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, PostgresUnavailable) or type(error).__name__ == "KafkaConnectionError":
        return refusal_of(error)
    return None


def _of_postgres(error: BaseException) -> Refusal | None:
    if isinstance(error, PostgresUnavailable):
        return Refusal(
            f"PostgreSQL is not reachable ({error})", "is it running, and is WAYPOST_POSTGRES right? " + _DOCTOR
        )
    if isinstance(error, _NOT_READY):
        return Refusal("the database is not ready for this version", "run `waypost migrate`, then again")
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return Refusal("this PostgreSQL takes no writes", "correct WAYPOST_POSTGRES: it must be the primary")
    if isinstance(error, (asyncpg.DataError, asyncpg.UntranslatableCharacterError)):
        return Refusal("a value is too large, or holds what PostgreSQL cannot keep", "shorten or correct it")
    if isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError)):
        return Refusal(f"PostgreSQL did not do it ({type(error).__name__})", _DOCTOR)
    return None


def _of_kafka(error: BaseException) -> Refusal | None:
    # Most commands need no Kafka client, and should not wait for its import.
    if not any(kind.__module__.startswith("aiokafka") for kind in type(error).__mro__):
        return None
    return Refusal(
        f"Kafka does not answer ({type(error).__name__})", "is it running, and is WAYPOST_KAFKA right? " + _DOCTOR
    )


def _of_texts(error: BaseException) -> Refusal | None:
    if isinstance(error, UnicodeEncodeError):
        return Refusal("what was given holds bytes that are no text in UTF-8", "type it again")
    if isinstance(error, UnicodeDecodeError):
        return Refusal("a file that should be text in UTF-8 is not", "save it as UTF-8")
    if isinstance(error, ValidationError):
        names = sorted({".".join(map(str, fault["loc"])) or "the whole" for fault in error.errors(include_input=False)})
        return Refusal(f"what was read is not as expected: {', '.join(names)}", _DOCTOR)
    return None


def _of_system(error: OSError) -> Refusal | None:
    file = f"{error.filename}: " if isinstance(error.filename, (str, Path)) and str(error.filename) else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal(f"{file}the disk is full: what was written is not complete", "free some space, then again")
    if isinstance(error, (ConnectionError, TimeoutError)) or type(error).__name__ == "gaierror":
        return Refusal(f"a service that is needed does not answer ({type(error).__name__})", _DOCTOR)
    return Refusal(f"{file}{error.strerror or type(error).__name__}", "correct the path, or its rights" if file else "")


def _unforeseen(error: BaseException) -> Refusal:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f", {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return Refusal(
        f"this should not have happened ({type(error).__name__}{where})",
        "please report it; WAYPOST_LOG_LEVEL=debug shows where it came from",
        is_ours=True,
    )
