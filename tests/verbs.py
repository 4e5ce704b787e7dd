"""Every verb of the command, found by walking it: a new one cannot be forgotten."""

from collections.abc import Iterator
from typing import Any

import typer

from services.verbs import app


def every_verb() -> list[tuple[str, ...]]:
    """The words of every verb that does something, such as `("endpoint", "list")`."""
    return [words for words, _ in walk()]


def walk() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Words and command of each verb; a group that does something without a verb of its own is one, too."""
    top = typer.main.get_command(app)
    yield from _below(top, ())


def options_of(command: Any) -> list[Any]:
    """The options of a command, without `--help`."""
    return [parameter for parameter in command.params if parameter.param_type_name == "option"]


def arguments_of(command: Any) -> list[Any]:
    """The arguments of a command, in order."""
    return [parameter for parameter in command.params if parameter.param_type_name == "argument"]


def _below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands"):
        yield words, command
        return
    if command.invoke_without_command:
        yield words, command
    with typer.Context(command, info_name="waypost") as context:
        for name in command.list_commands(context):
            yield from _below(command.get_command(context, name), (*words, name))
