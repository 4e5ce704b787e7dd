"""Sealed contacts open with their key and for their lead only."""

import os
from uuid import UUID

import pytest

from services.lead_intake.domain import Contact
from services.lead_intake.seal import Seal, Unreadable
from shared.keys import Keys
from shared.signatures import make_secret

LEAD, OTHER_LEAD = UUID(int=1), UUID(int=2)
CONTACT = Contact("测试 Person", "+8613800138000", "test@example.com", {"lat": 31.3, "lon": 120.6, "datum": "gcj02"})


def keys(active: str, **contact_keys: bytes) -> Keys:
    return Keys(
        active_contact_key=active,
        contact_keys=contact_keys,
        pepper=b"p" * 32,
        endpoint_key=b"e" * 32,
        service_secret=make_secret(b"s" * 32),
    )


def test_a_contact_opens_as_it_was_sealed() -> None:
    seal = Seal(keys("k1", k1=b"1" * 32), os.urandom)

    assert seal.open(LEAD, "k1", seal.close(LEAD, CONTACT)) == CONTACT


def test_nothing_of_the_contact_shows_and_no_two_seals_are_alike() -> None:
    seal = Seal(keys("k1", k1=b"1" * 32), os.urandom)

    first, second = seal.close(LEAD, CONTACT), seal.close(LEAD, CONTACT)

    assert first != second
    assert b"Person" not in first
    assert b"138" not in first


def test_an_older_key_still_opens_after_a_rotation() -> None:
    sealed = Seal(keys("k1", k1=b"1" * 32), os.urandom).close(LEAD, CONTACT)
    rotated = Seal(keys("k2", k1=b"1" * 32, k2=b"2" * 32), os.urandom)

    assert rotated.key_id == "k2"
    assert rotated.open(LEAD, "k1", sealed) == CONTACT


def test_a_contact_moved_to_another_lead_does_not_open() -> None:
    seal = Seal(keys("k1", k1=b"1" * 32), os.urandom)

    with pytest.raises(Unreadable, match="another lead"):
        seal.open(OTHER_LEAD, "k1", seal.close(LEAD, CONTACT))


def test_an_altered_contact_does_not_open() -> None:
    seal = Seal(keys("k1", k1=b"1" * 32), os.urandom)
    sealed = seal.close(LEAD, CONTACT)

    with pytest.raises(Unreadable, match="altered"):
        seal.open(LEAD, "k1", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_a_key_that_is_gone_is_named() -> None:
    seal = Seal(keys("k1", k1=b"1" * 32), os.urandom)

    with pytest.raises(Unreadable, match="k9"):
        seal.open(LEAD, "k9", seal.close(LEAD, CONTACT))
