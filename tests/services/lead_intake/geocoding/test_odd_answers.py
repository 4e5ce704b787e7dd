"""Whatever a map service answers, and whatever its address is: answers, or a failure by its name."""

import pytest

from services.lead_intake.geocoding.amap import Amap
from services.lead_intake.geocoding.http import HttpGeocoder, open_session
from services.lead_intake.geocoding.nominatim import Nominatim
from services.lead_intake.geocoding.port import Dialect, Found, GeocoderFailed, Question
from tests.raw_answers import IMPOSSIBLE_ADDRESSES, RAW_ANSWERS, answering

DIALECTS: list[Dialect] = [Amap("not-a-real-key"), Nominatim()]


async def ask(url: str, dialect: Dialect) -> tuple[Found, ...] | GeocoderFailed:
    async with open_session() as session:
        try:
            return await HttpGeocoder(session, url, dialect).find(Question("吴江区"))
        except GeocoderFailed as failed:
            return failed


@pytest.mark.parametrize("dialect", DIALECTS, ids=["amap", "nominatim"])
async def test_no_answer_ends_in_another_error(dialect: Dialect) -> None:
    for raw in RAW_ANSWERS:
        async with answering(raw) as url:
            found = await ask(url, dialect)

        assert found == () or isinstance(found, GeocoderFailed), raw[:120]


@pytest.mark.parametrize("url", IMPOSSIBLE_ADDRESSES)
async def test_an_address_that_cannot_be_asked_is_unreachable(url: str) -> None:
    assert isinstance(await ask(url, DIALECTS[0]), GeocoderFailed)
