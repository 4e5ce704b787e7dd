"""Numbers at the command: read as strictly as those in files, and never larger than a column of a table takes."""

from collections.abc import Callable
from typing import Any

import typer

from shared.numbers import NotANumber, read_number, read_whole

LARGEST = 2_147_483_647
"""The largest `int` of PostgreSQL. No option has a meaning beyond it."""
_READERS: dict[object, Callable[[str], float]] = {int: read_whole, float: read_number}


def read_strictly(command: Any) -> Any:
    """The same command (or group of commands) with every number among its options and arguments read strictly.

    Typer reads numbers as Python does; what it is given here is what `shared.numbers` reads.
    """
    for parameter in command.params:
        if read := _READERS.get(parameter.type_descriptor.annotation):
            parameter.process_value = _checked(parameter, read, parameter.process_value)
    for inner in getattr(command, "commands", {}).values():
        read_strictly(inner)
    return command


def _checked(
    parameter: Any, read: Callable[[str], float], process: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    def process_value(context: Any, value: Any) -> Any:
        if isinstance(value, str):
            try:
                number = read(value)
            except NotANumber as problem:
                raise typer.BadParameter(f"{problem}.", context, parameter) from None
            if abs(number) > LARGEST:
                raise typer.BadParameter(f"{number:.10g} is too large.", context, parameter)
        return process(context, value)

    return process_value
