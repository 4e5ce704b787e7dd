"""Vehicles: written one way whatever the form says, and few kinds of them however many names arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.vehicles import ANY, UNKNOWN, VehicleNames, read_vehicle, vehicle_name, works_on

LISTED = [frozenset({"aurora"}), frozenset({"aurora/one", "borealis/van"}), frozenset[str]()]
NAMES = VehicleNames(LISTED)


@pytest.mark.parametrize(
    ("brand", "model", "name"),
    [
        ("Aurora", "One", "aurora/one"),
        ("  AURORA ", " One  Plus", "aurora/one plus"),
        ("Aurora/X", None, "aurora x"),
        (None, "One", ""),
        ("星途", "瑶光", "星途/瑶光"),
    ],
)
def test_a_name_is_written_one_way(brand: str | None, model: str | None, name: str) -> None:
    assert vehicle_name(brand, model) == name


@pytest.mark.parametrize("text", ["", "/One", "Aurora/", "Aurora/One/Two", " / "])
def test_a_network_file_lists_brand_or_brand_and_model(text: str) -> None:
    with pytest.raises(ValueError, match="Brand/Model"):
        read_vehicle(text)


@pytest.mark.parametrize(
    ("vehicle", "kind", "takers"),
    [
        ("", ANY, [True, True, True]),
        ("aurora", "aurora", [True, True, True]),
        ("aurora/one", "aurora/one", [True, True, True]),
        ("aurora/two", "aurora/?", [True, False, True]),
        ("borealis", "borealis", [False, True, True]),
        ("borealis/bus", "borealis/?", [False, False, True]),
        ("cometa/one", UNKNOWN, [False, False, True]),
    ],
)
def test_a_site_takes_what_it_lists(vehicle: str, kind: str, takers: list[bool]) -> None:
    assert NAMES.kind_of(vehicle) == kind
    assert [works_on(listed, kind) for listed in LISTED] == takers


def test_a_network_that_lists_no_vehicle_makes_no_difference() -> None:
    assert VehicleNames([frozenset(), frozenset()]).kind_of("aurora/one") == ANY


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_forms_say_there_are_few_kinds(brand: str, model: str) -> None:
    few = {ANY, UNKNOWN, "aurora", "aurora/one", "aurora/?", "borealis", "borealis/van", "borealis/?"}

    assert NAMES.kind_of(vehicle_name(brand, model)) in few
