"""Finding the record that a batch fails for, when it was readable and cannot be handled all the same.

Reading refuses what is no fact. What gets through (a number beyond a column, a time before the calendar) fails later,
in the handler or in PostgreSQL, and with its batch it would come back for ever.
"""

from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from shared.kafka.record import Record

Handle = Callable[[list[Record]], Awaitable[None]]

OF_A_RECORD = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RecursionError,
)
"""What the same bytes cause again. Anything else (a connection, a lock, a time-out) may be over the next time."""


async def handle_all_but_the_culprits(handle: Handle, records: Sequence[Record]) -> list[tuple[Record, str]]:
    """Handle `records` in their order, in ever smaller batches; returns those that fail alone, with the reason.

    Raises what is not a record's fault; what was handled by then is handled again with the whole batch.
    """
    try:
        await handle(list(records))
    except OF_A_RECORD as error:
        if len(records) == 1:
            # The type only: the text of an error may quote the record.
            return [(records[0], f"it cannot be handled: {type(error).__name__}")]
    else:
        return []
    middle = len(records) // 2
    found = await handle_all_but_the_culprits(handle, records[:middle])
    return found + await handle_all_but_the_culprits(handle, records[middle:])
