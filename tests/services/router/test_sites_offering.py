"""For whom a site works, and on what: read strictly from the file, kept in its row only when it is said."""

import pytest

from services.router.sites import Offering, Site, read_csv
from tests.services.router.networks import site

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities"
GOOD = "suzhou-01,Suzhou,agent_store,Suzhou,Gusu,31.2989,120.5853,wgs84,sales"


def read(**columns: str) -> tuple[Site | None, list[str]]:
    cells = ",".join(f'"{text}"' for text in columns.values())
    file = read_csv(f"{','.join([HEADER, *columns])}\n{GOOD},{cells}\n")
    return (file.sites[0] if file.sites else None), [f"{bad.field}: {bad.reason}" for bad in file.bad]


def test_a_site_says_for_whom_it_works_and_its_row_says_so_again() -> None:
    found, bad = read(
        partner="grand-autos", vehicles="Aurora | Borealis/Van", skills="battery|aluminium", daily_lead_limit="30"
    )

    assert bad == []
    assert found is not None
    assert found.offering == Offering(
        "grand-autos", frozenset({"aurora", "borealis/van"}), frozenset({"battery", "aluminium"})
    )
    assert found.daily_lead_limit == 30
    assert Site.from_row(found.to_row()) == found


def test_a_site_that_says_nothing_of_it_has_the_row_it_always_had() -> None:
    assert site("one").to_row().keys().isdisjoint({"partner", "vehicles", "skills", "daily_lead_limit"})


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("partner", "Grand Autos", "partner: 'Grand Autos' is no name of a partner: use 1-63 lower-case"),
        ("skills", "battery|High Voltage", "skills: 'High Voltage' is no name of a skill"),
        ("vehicles", "Aurora/One/Two", "vehicles: 'Aurora/One/Two' is no vehicle: write Brand, or Brand/Model"),
        ("vehicles", "|".join(f"brand {n}" for n in range(201)), "vehicles: lists 201 names; 200 are the most"),
        ("daily_lead_limit", "0", "daily_lead_limit: 0 is outside 1 to 1000000"),
        ("daily_lead_limit", "few", "daily_lead_limit: 'few' is not a whole number"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(column: str, text: str, words: str) -> None:
    found, [reason] = read(**{column: text})

    assert found is None
    assert reason.startswith(words)
