"""`application/json`: one lead as one object."""

import re

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Fault, Refused, faults_of
from services.lead_intake.sources.adf_line import line_of
from services.lead_intake.sources.reading import Item, Unreadable

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OF_TEXT = ("string_too_long", "string_pattern_mismatch")
_OPTIONAL_PARTS = ("location", "vehicle")
_WAYS = ("phone", "email")
_TEXTS = (("contact", "name"), ("vehicle", "brand"), ("vehicle", "model"), ("campaign",))
"""Texts that are cut and tidied where they are not as they should be: some of one is worth more than none."""
_PASSED_OVER = (
    *_TEXTS,
    *(("contact", way) for way in _WAYS),
    *(("vehicle",), ("vehicle", "year"), ("preferred_site",), ("channel",), ("client_time",)),
)
"""What a lead can be routed and a person reached without. Names of fields that nobody knows are refused instead: they
are mistakes of whoever wrote the form, and cost every lead of it something."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def read_json(body: bytes) -> Item:
    """The lead in a body. Raises Unreadable when it is no JSON object in UTF-8."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return Draft.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Unreadable(_why_no_json(body, first["ctx"]["error"])) from None
        if first["type"] == "model_type" and not first["loc"]:
            raise Unreadable("must be one JSON object; batches go as application/x-ndjson") from None
        return _without_the_useless(body, error) or Refused(faults_of(error))


def _without_the_useless(body: bytes, error: ValidationError) -> Draft | None:
    """The lead without what is useless in it: empty texts, and values that decide nothing and cannot be read.

    Forms send what was left empty as an empty text. None when something else is wrong, too.
    """
    remarks: list[Fault] = []
    document = from_json(body)
    for found, fault in zip(error.errors(include_url=False), faults_of(error), strict=True):
        path, value = found["loc"], found["input"]
        is_empty = isinstance(value, str) and not value.strip()
        owner = document if len(path) == 1 else document.get(path[0])
        if found["type"] == "extra_forbidden" or not isinstance(owner, dict) or path[-1] not in owner:
            return None
        if is_empty:
            del owner[path[-1]]
            if not owner and path[0] in _OPTIONAL_PARTS:
                # A form whose fields were all left empty says nothing.
                del document[path[0]]
                if path[0] == "location":
                    remarks.append(Fault("/location", "is empty; the lead waits until its place is clear"))
        elif path in _TEXTS and found["type"] in _OF_TEXT:
            owner[path[-1]] = line_of(_CONTROL.sub(" ", value).strip(), fault.pointer, remarks)
            if _CONTROL.search(value):
                remarks.append(Fault(fault.pointer, "has characters that do not print; each became a space"))
        elif path in _PASSED_OVER:
            del owner[path[-1]]
            remarks.append(Fault(fault.pointer, f"{fault.detail}; it is passed over"))
        else:
            return None
    if remarks and not any(document["contact"].get(way) for way in _WAYS):
        return None
    try:
        return MendedDraft.model_validate_json(to_json(document | {"remarks": remarks}))
    except ValidationError:
        return None


def _why_no_json(body: bytes, reason: str) -> str:
    try:
        body.decode()
    except UnicodeDecodeError:
        try:
            body.decode("gb18030")
        except UnicodeDecodeError:
            return "is not in UTF-8"
        return "is not in UTF-8; it may be in GBK, which must be converted first"
    if "recursion" in reason:
        return "nests too deep: a lead needs three levels"
    # The parser's reasons name a kind and a position, never the text.
    return f"is no JSON: {reason}"
