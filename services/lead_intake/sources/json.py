"""`application/json`: one lead as one object."""

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Fault, Refused, faults_of
from services.lead_intake.sources.reading import Item, Unreadable

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OF_TEXT = ("string_too_long", "string_pattern_mismatch")
_OPTIONAL_PARTS = ("location", "vehicle")
_WAYS = (("contact", "phone"), ("contact", "email"))


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
    """The lead without its empty texts, and without a phone or mail that cannot be one beside the other way.

    Forms send what was left empty as an empty text. None when something else is wrong, too.
    """
    remarks: list[Fault] = []
    useless: list[tuple[str | int, ...]] = []
    for found, fault in zip(error.errors(include_url=False), faults_of(error), strict=True):
        is_empty = isinstance(found["input"], str) and not found["input"].strip()
        if not is_empty or found["type"] == "extra_forbidden":
            if found["type"] not in _OF_TEXT or found["loc"] not in _WAYS:
                return None
            remarks.append(Fault(fault.pointer, f"{fault.detail}; it is passed over"))
        useless.append(found["loc"])
    document = from_json(body)
    for path in useless:
        owner = document if len(path) == 1 else document.get(path[0])
        if not isinstance(owner, dict) or owner.pop(path[-1], None) is None:
            return None
        if not owner and path[0] in _OPTIONAL_PARTS:
            # A form whose fields were all left empty says nothing.
            del document[path[0]]
            if path[0] == "location":
                remarks.append(Fault("/location", "is empty; the lead waits until its place is clear"))
    if remarks and not any(document["contact"].get(way) for _, way in _WAYS):
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
