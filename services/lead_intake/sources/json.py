"""`application/json`: one lead as one object."""

from pydantic import ValidationError

from services.lead_intake.draft import Draft
from services.lead_intake.faults import Refused, faults_of
from services.lead_intake.sources.reading import Item, Unreadable

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
        return Refused(faults_of(error))


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
