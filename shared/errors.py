"""The two meanings of an error in a handler, and the one way to tell a person at a terminal."""


class Permanent(Exception):  # noqa: N818 - it names what the failure is, not that it is one
    """This record can never be handled: bury it in the dead-letter topic and go on.

    `reason` must not quote the record: it is published. Any other exception means "try again, lose nothing".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UserError(Exception):
    """Something the person at the command can put right: what was wrong, and in `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def where(error: BaseException) -> str:
    """The innermost place of an error, as file:line, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
