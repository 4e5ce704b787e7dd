"""Who a lead is about: names, phones and e-mail addresses in one form each, and the tokens that recognise a person."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import phonenumbers
from email_validator import validate_email

from services.lead_intake.written_contact import (
    extended,
    extended_by_a_group,
    numbers_apart,
    pairs_by_blanks,
    plain_phone,
    whole_number,
    written_addresses,
)


def _mobile_pattern(region: str) -> str:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.mobile is None or not metadata.mobile.national_number_pattern:
        raise LookupError(f"phonenumbers knows no mobile numbers of {region}")
    return str(metadata.mobile.national_number_pattern)


# What most people here write, by the library's own pattern of Chinese mobile numbers: a twentieth of the cost of asking
# the library, which says the same (a test compares them).
_CHINESE_MOBILE = re.compile(rf"(?:\+86|0086)?({_mobile_pattern('CN')})")
_SHORTEST_NUMBER = 7
"""Digits; what is shorter beside a number is a note or a part of it."""
_LONGEST_LOCAL_NUMBER = 8
"""Digits of a Chinese landline without its area code."""
_LONG_NUMBER = 10
"""Digits with an area or country code: where nothing but a blank or a dash sets it apart, a short one may be a part."""
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


@dataclass(frozen=True, slots=True)
class Reading:
    """A phone or an address in its normal form, and what its field held besides; the remark may be shown."""

    value: str
    remark: str = ""
    is_one_of_several: bool = False


def to_e164(phone: str, region: str) -> str:
    """The number in E.164; `region` (ISO 3166) is where a number without country code is dialled.

    Takes +86, 0086, spaces, dashes and digits of any script; an extension follows as `;ext=` (RFC 3966), for behind one
    number may be many people. Raises ValueError when it is no valid number, and when it is two.
    """
    reading = read_phone(phone, region)
    if reading.is_one_of_several:
        raise ValueError("holds several phone numbers: give one")
    return reading.value


def read_phone(phone: str, region: str) -> Reading:
    """As `to_e164`, but of several numbers in a field the first valid one is taken, with a remark."""
    if region == "CN" and phone.isascii() and (m := _CHINESE_MOBILE.fullmatch(phone.replace(" ", "").replace("-", ""))):
        return Reading(f"+86{m[1]}")
    return _read_written_phone(phone, region)


def _read_written_phone(phone: str, region: str) -> Reading:
    plain = plain_phone(phone)
    named = extended(plain)
    if named and (number := _valid(named.number, region)):
        return Reading(f"{number};ext={named.extension}", "has an extension, which is kept behind the number as ;ext=")
    apart = numbers_apart(plain)
    whole = _valid(whole_number(plain), region)
    valid = [number for part in apart if (number := _valid(part, region))]
    # 138/0013/8000 is one number, 13800138000/13900139000 are two.
    if whole and not valid:
        return Reading(whole)
    if not valid:
        pairs = [pair for pair in pairs_by_blanks(plain) if min(map(len, pair)) >= _SHORTEST_NUMBER]
        readings = [[number for part in pair if (number := _valid(part, region, _LONG_NUMBER))] for pair in pairs]
        valid = max(readings, key=len, default=[])
        apart = pairs[0] if pairs else apart
    if valid:
        is_alone = len(set(valid)) == 1 and sum(len(part) >= _SHORTEST_NUMBER for part in apart) <= len(valid)
        remark = "" if is_alone else "holds more than one phone number; the first valid one was taken"
        return Reading(valid[0], remark, is_one_of_several=not is_alone)
    group = extended_by_a_group(plain)
    if group and (number := _valid(group.number, region, _LONG_NUMBER)):
        return Reading(f"{number};ext={group.extension}", "has an extension, which is kept behind the number as ;ext=")
    raise ValueError(_why_no_phone(plain, apart, region, has_extension=named is not None))


def _why_no_phone(plain: str, apart: Sequence[str], region: str, *, has_extension: bool) -> str:
    digits = "".join(filter(str.isdigit, plain))
    if "*" in plain and digits:
        return "is no whole phone number: some of its digits are hidden"
    if "@" in plain:
        return "is no phone number but looks like an e-mail address, which belongs in the field for it"
    if not digits:
        return "is no phone number: it holds no digits"
    if has_extension:
        return "has an extension, and what stands before it is no valid phone number"
    if sum(len(part) >= _SHORTEST_NUMBER for part in apart) > 1:
        return "holds several numbers, none of which is a valid phone number: give one"
    if len(set(digits)) == 1:
        return "is no valid phone number but a filler"
    if region == "CN" and len(digits) in (7, 8) and digits[0] in "2345678":
        return "is no whole phone number: a landline needs its area code, such as 0512"
    if region == "CN" and re.fullmatch("1[3-9][0-9]{8}|1[3-9][0-9]{10}", digits):
        return f"is no valid phone number: a mobile number has 11 digits, and this one {len(digits)}"
    return "is no valid phone number; give it with its country code (86 for China)"


def _valid(number: str, region: str, shortest: int = _SHORTEST_NUMBER) -> str:
    if region == "CN" and len(number) <= _LONGEST_LOCAL_NUMBER and number[:1] not in ("0", "+"):
        # The library would take one in a hundred for a service number (95 and 96) behind its first two digits.
        return ""
    try:
        return _ask_the_library(number, region) if len(number) >= shortest else ""
    except ValueError:
        return ""


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
    """The address in its normal form, without asking DNS. Raises ValueError when it is none, and when it is two."""
    reading = read_address(email)
    if reading.is_one_of_several:
        raise ValueError("is no valid e-mail address but several: give one")
    return reading.value


def read_address(email: str) -> Reading:
    """As `to_address`, but of several addresses in a field the first valid one is taken, with a remark."""
    if email.isascii() and (address := _valid_address(email)):
        return Reading(address)
    written = written_addresses(email)
    valid = [address for candidate in written if (address := _valid_address(candidate))]
    if not valid:
        raise ValueError("is no valid e-mail address")
    is_alone = len(written) == 1
    remark = "" if is_alone else "holds more than one e-mail address; the first valid one was taken"
    return Reading(valid[0], remark, is_one_of_several=not is_alone)


def _valid_address(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False).normalized
    except ValueError:
        # Its own error, and those of the codecs below it; the text may quote the address.
        return ""


def phone_token(pepper: bytes, e164: str) -> bytes:
    """HMAC-SHA256 under the pepper: recognises a phone without holding it."""
    return hmac.digest(pepper, b"phone:" + e164.encode(), hashlib.sha256)


def email_token(pepper: bytes, address: str) -> bytes:
    """HMAC-SHA256 under the pepper. Case is ignored: nobody's provider tells two people apart by it."""
    return hmac.digest(pepper, b"email:" + address.casefold().encode(), hashlib.sha256)


def source_id_token(pepper: bytes, source_lead_id: str) -> bytes:
    """HMAC-SHA256 under the pepper: some senders use a phone or an address as the id of a lead."""
    return hmac.digest(pepper, b"source:" + source_lead_id.encode(), hashlib.sha256)


def content_token(pepper: bytes, content: bytes) -> bytes:
    """HMAC-SHA256 under the pepper: recognises one lead of a file by what was sent of it."""
    return hmac.digest(pepper, b"content:" + content, hashlib.sha256)


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
