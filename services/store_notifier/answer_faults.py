"""What is wrong with an answer, for the person who writes a store's system; what was sent is never repeated."""

from pydantic import ValidationError

from shared.contracts import Answer, DeclineReason, Result

_ALLOWED = {
    "answer": tuple(answer.value for answer in Answer if answer is not Answer.UNDELIVERABLE),
    "decline_reason": tuple(reason.value for reason in DeclineReason),
    "result": tuple(result.value for result in Result),
}
"""`undeliverable` is the notifier's own word, not a store's."""
_TAG_KINDS = ("union_tag_invalid", "union_tag_not_found")
_FORM = 'the body must be a JSON object such as {"answer": "accepted"}'


def faults_of(error: ValidationError) -> list[dict[str, str]]:
    """Each fault with its field and what the field takes."""
    return [
        {"field": field or "body", "reason": _reason(found["type"], field)}
        for found in error.errors(include_input=False, include_url=False, include_context=False)
        for field in [_field(found["type"], found["loc"])]
    ]


def _field(kind: str, location: tuple[int | str, ...]) -> str:
    if kind in _TAG_KINDS:
        return "answer"
    # The first part is the kind of answer that the others belong to.
    name = str(location[-1]) if len(location) > 1 else ""
    # A sender may put a phone number where the name of a field belongs.
    return name if name in _ALLOWED else ""


def _reason(kind: str, field: str) -> str:
    if kind == "extra_forbidden":
        return f"{field} does not belong to this answer" if field else "there is a field that no answer has"
    if field in _ALLOWED:
        return f"must be one of {', '.join(_ALLOWED[field])}"
    return _FORM
