"""Who a lead is about: names, phones and e-mail addresses in one form each, and the tokens that recognise a person."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import phonenumbers
from email_validator import EmailNotValidError, validate_email


def _mobile_pattern(region: str) -> str:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.mobile is None or not metadata.mobile.national_number_pattern:
        raise LookupError(f"phonenumbers knows no mobile numbers of {region}")
    return str(metadata.mobile.national_number_pattern)


# What most people here write, by the library's own pattern of Chinese mobile numbers: a twentieth of the cost of asking
# the library, which says the same (a test compares them).
_CHINESE_MOBILE = re.compile(rf"(?:\+86|0086)?({_mobile_pattern('CN')})")
MOST_MARKS_IN_A_ROW = 4
"""Combining marks on one letter; more is not a name but an attack on whatever displays it."""
_MARKS = re.compile(
    rf"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{{{MOST_MARKS_IN_A_ROW}}})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


def tidy_name(name: str) -> str:
    """A name in NFC without characters that are invisible or turn the text around. May come out empty."""
    visible = _MARKS.sub(r"\1", name)
    # What is printable has no such character (nor a space other than U+0020), which most names have not.
    if not visible.isprintable():
        visible = "".join(c for c in visible if unicodedata.category(c) not in ("Cf", "Co", "Cn", "Cs"))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def to_e164(phone: str, region: str) -> str:
    """The number in E.164; `region` (ISO 3166) is where a number without country code is dialled.

    Takes +86, 0086, spaces, dashes and full-width digits. Raises ValueError when it is no valid number.
    """
    if region == "CN" and phone.isascii() and (m := _CHINESE_MOBILE.fullmatch(phone.replace(" ", "").replace("-", ""))):
        return f"+86{m[1]}"
    return _ask_the_library(phone, region)


def _ask_the_library(phone: str, region: str) -> str:
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError("is no phone number") from error
    # "Possible" would accept a mobile number with a digit too many.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise ValueError("is no valid phone number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def to_address(email: str) -> str:
    """The address in its normal form, without asking DNS. Raises ValueError when it is none."""
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        # The library's text may quote the address.
        raise ValueError("is no valid e-mail address") from error


def phone_token(pepper: bytes, e164: str) -> bytes:
    """HMAC-SHA256 under the pepper: recognises a phone without holding it."""
    return hmac.digest(pepper, b"phone:" + e164.encode(), hashlib.sha256)


def email_token(pepper: bytes, address: str) -> bytes:
    """HMAC-SHA256 under the pepper. Case is ignored: nobody's provider tells two people apart by it."""
    return hmac.digest(pepper, b"email:" + address.casefold().encode(), hashlib.sha256)


def source_id_token(pepper: bytes, source_lead_id: str) -> bytes:
    """HMAC-SHA256 under the pepper: some senders use a phone or an address as the id of a lead."""
    return hmac.digest(pepper, b"source:" + source_lead_id.encode(), hashlib.sha256)


def body_token(pepper: bytes, kind: str, body: bytes) -> bytes:
    """HMAC-SHA256 under the pepper: tells whether a body came before, and nothing to who can guess bodies."""
    return hmac.digest(pepper, f"body:{kind}:".encode() + body, hashlib.sha256)


def share_out(
    leads: Sequence[Sequence[bytes]], known: Mapping[bytes, UUID], new_person: Callable[[], UUID]
) -> tuple[list[UUID], dict[bytes, UUID]]:
    """The person of each lead (given as its tokens), and the tokens that are to be written for them.

    The first known token decides; leads of one batch recognise each other in their order.
    """
    all_known = dict(known)
    persons = []
    for tokens in leads:
        person = next((all_known[token] for token in tokens if token in all_known), None) or new_person()
        for token in tokens:
            all_known.setdefault(token, person)
        persons.append(person)
    return persons, {token: person for token, person in all_known.items() if token not in known}
