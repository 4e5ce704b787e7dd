"""Entry of the `waypost` command: does what the command line says; what goes wrong is one line and a status.

Exit statuses: 0 done, 1 not (audit: 2, see `services.verbs`), 2 wrong arguments, 70 a fault of Waypost itself,
130 ended by Ctrl-C, 141 nobody reads the output any more.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any, TextIO

WRONG_ARGUMENTS, OUR_FAULT, INTERRUPTED, NOBODY_READS = 2, 70, 130, 141
LONGEST_LINE = 4_000
"""Characters of a complaint. What was typed may be quoted in it, and may be of any length."""


def main() -> None:
    """Entry point of the console script."""
    try:
        # All other imports take most of a second: Ctrl-C in the middle of them is no reason for a traceback either.
        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Do what these arguments say and return the exit status. Whatever fails is told on standard error."""
    import typer

    from services.failures import refusal_of
    from services.verbs import VERBS, app

    _write_any_character()
    verb = VERBS.get(arguments[0]) if arguments else None
    if arguments[:1] != ["run"]:
        _say_it_once()
    try:
        command = typer.main.get_command(app)
        with command.make_context("waypost", list(arguments)) as context:
            command.invoke(context)
        return _ended(0)
    except typer.Exit as end:
        return _ended(end.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _drop(sys.stdout)
        return INTERRUPTED
    except BrokenPipeError:
        _drop(sys.stdout)
        return NOBODY_READS
    except Exception as error:  # noqa: BLE001 - the last place that can say it in one line
        if hasattr(error, "format_message"):  # what typer says of arguments has no public class of its own
            return _wrong_arguments(error)
        refusal = refusal_of(error)
        complain(refusal.message, refusal.hint)
        if refusal.is_ours:
            _show_traceback()
        _drop(sys.stdout)
        return OUR_FAULT if refusal.is_ours else verb.refused if verb else 1


def complain(message: str, hint: str = "") -> None:
    """Say on standard error what was wrong and what to do; on one line, unless the message has several."""
    told = f"{_shortened(message)} ({hint})" if hint else _shortened(message)
    try:
        marked = "\033[1;31mwaypost:\033[0m" if sys.stderr.isatty() else "waypost:"
        sys.stderr.write(f"{marked} {told}\n")
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def _shortened(text: str) -> str:
    # A file's name may hold anything. Only the faults of a file have lines of their own, and they are indented.
    text = re.sub(r"\n(?!  )", " ", text)
    text = re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", "\ufffd", text)
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}... and {len(text) - LONGEST_LINE:,} more"


def _wrong_arguments(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return WRONG_ARGUMENTS
    where = error.ctx.command_path if getattr(error, "ctx", None) else "waypost"
    complain(_plainly(error.format_message()), f"`{where} --help` says what may stand there")
    return WRONG_ARGUMENTS


def _plainly(message: str) -> str:
    """What typer says of an argument, without what it says to programmers, and with the name that was meant."""
    from shared.near_misses import did_you_mean

    plain = " ".join(message.split()).rstrip(".").replace("Value error, ", "", 1)
    plain = re.sub(r"Input should be a valid UUID.*", "this is no id: one has 36 characters, 8-4-4-4-12", plain)
    choice = re.search(r"'([^']*)' is not one of ('[^']*'(?:, '[^']*')*)\Z", plain)
    meant = did_you_mean(choice[1], re.findall(r"'([^']*)'", choice[2])) if choice else ""
    return f"{plain}; {meant}" if meant else plain


def _ended(status: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
    except OSError as error:
        complain(f"the output cannot be written: {error.strerror}")
        _drop(sys.stdout)
        return status or 1
    return status


def _write_any_character() -> None:
    """A file name may hold bytes that no encoding knows: shown as escapes, they end no command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before we began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it stays open to the end
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _say_it_once() -> None:
    """Keep the logs of libraries out of a command: what matters of them it says itself, in words."""
    import logging

    import structlog

    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(capture=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _drop(stream: TextIO) -> None:
    """Forget what the stream still holds, if it cannot be written: Python would try once more at its end, aloud."""
    try:
        stream.flush()
    except OSError:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def _show_traceback() -> None:
    if os.environ.get("WAYPOST_LOG_LEVEL") == "debug":  # noqa: TID251 - the settings themselves may be what failed
        import traceback

        traceback.print_exc()


if __name__ == "__main__":
    main()
