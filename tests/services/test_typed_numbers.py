"""Every number that any verb takes is read as strictly as those in files."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from services.verbs import VERBS, Verbs, app


def numbers_of(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The options and arguments of a command, and of those below it, that are numbers."""
    for parameter in command.params:
        if parameter.type_descriptor.annotation in (int, float):
            yield f"{path} {parameter.name}", parameter
    for name, inner in getattr(command, "commands", {}).items():
        yield from numbers_of(inner, f"{path} {name}")


def all_numbers() -> dict[str, Any]:
    group = typer.main.get_group(app)
    assert isinstance(group, Verbs)
    commands = [(name, group.get_command(None, name)) for name in VERBS]
    return {path: parameter for name, command in commands for path, parameter in numbers_of(command, name)}


@pytest.mark.parametrize("text", ["1_0", "٣", "nan", "inf", "1e3", "0x1", "99999999999999999999", "+1", "1,5", ""])
def test_no_verb_takes_what_is_no_plain_number(text: str) -> None:
    found = all_numbers()
    assert len(found) > 20
    for path, parameter in found.items():
        with pytest.raises(typer.BadParameter) as refused:
            parameter.process_value(None, text)
        assert len(str(refused.value.message)) < 200, path


def test_plain_numbers_and_defaults_are_as_before() -> None:
    found = all_numbers()
    assert found["explain lat"].process_value(None, "31.25") == 31.25
    assert found["network show revision"].process_value(None, "3") == 3
    assert found["network show revision"].process_value(None, None) is None
