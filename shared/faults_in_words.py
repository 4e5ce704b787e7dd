"""What pydantic finds, in words for people: neither the names of our classes nor the value that was wrong."""

import re
from collections.abc import Mapping
from typing import Any

from shared.words import counted

_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "json_type": "is no JSON",
    "finite_number": "must be a number that is not infinite",
    "string_pattern_mismatch": "is not written as such a value is",
    "timezone_aware": "needs an offset from UTC, such as +08:00",
    "none_required": "must be left out",
}
_KINDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "bool": "must be true or false",
    "string": "must be a text",
    "bytes": "must be a text",
    "model": "must be an object",
    "dict": "must be an object",
    "dataclass": "must be an object",
    "mapping": "must be an object",
    "list": "must be a list",
    "tuple": "must be a list",
    "set": "must be a list",
    "frozen": "must be a list",
    "date": "must be a date, such as 2026-03-01",
    "datetime": "must be a time, such as 2026-03-01T09:00:00+08:00",
    "time": "must be a time",
    "timedelta": "must be a length of time",
    "uuid": "must be a UUID",
    "url": "must be a URL",
    "path": "must be a path",
    "zoneinfo": "must be a time zone, such as Asia/Shanghai",
    "ip": "must be an IP address or network",
}
_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_LENGTHS = {
    "string_too_long": ("max_length", "is longer than", "character"),
    "string_too_short": ("min_length", "is shorter than", "character"),
    "too_long": ("max_length", "has more than", "entry"),
    "too_short": ("min_length", "has fewer than", "entry"),
}


def in_words(fault: Mapping[str, Any]) -> str:
    """The end of a sentence that begins with the name of what is wrong; `fault` is one of `ValidationError.errors`."""
    kind, context = str(fault["type"]), fault.get("ctx") or {}
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "json_invalid":
        return f"is no JSON: {context['error']}"  # a kind and a position, never the text
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        limit = context[name]
        return f"must be {words} {f'{limit:g}' if isinstance(limit, float) else limit}"
    if kind in _LENGTHS:
        name, words, noun = _LENGTHS[kind]
        return f"{words} {counted(int(context[name]), noun, 'entries' if noun == 'entry' else None)}"
    if kind in ("enum", "literal_error", "union_tag_invalid"):
        return f"must be one of {', '.join(_allowed(str(context.get('expected') or context.get('expected_tags'))))}"
    if kind == "union_tag_not_found":
        return f"must have {', '.join(_allowed(str(context['discriminator'])))}"
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error") or fault["msg"]).removeprefix("Value error, ")
    return _KINDS.get(kind.split("_")[0], "cannot be read")


def _allowed(listed: str) -> list[str]:
    """The values of pydantic's list, in which those of an enumeration stand as `<Name.VALUE: 'value'>`."""
    return re.findall(r"'([^']*)'", listed) or [listed]
