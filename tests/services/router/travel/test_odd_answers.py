"""Whatever a routing engine answers, and whatever its address is: no times, for a reason that a record knows."""

import pytest

from services.router.travel.answer import Interface, NoTimes
from services.router.travel.client import open_engine
from services.router.travel.osrm import Osrm
from services.router.travel.valhalla import Valhalla
from tests.raw_answers import IMPOSSIBLE_ADDRESSES, RAW_ANSWERS, answering

START, END = (31.30, 120.60), (31.31, 120.61)


async def ask(url: str, interface: Interface) -> None:
    async with open_engine(url, interface, connections=1) as engine:
        await engine.seconds([START], [END])


@pytest.mark.parametrize("interface", [Osrm(), Valhalla()], ids=["osrm", "valhalla"])
async def test_no_answer_ends_in_another_error(interface: Interface) -> None:
    for raw in RAW_ANSWERS:
        async with answering(raw) as url:
            with pytest.raises(NoTimes):
                await ask(url, interface)


@pytest.mark.parametrize("url", IMPOSSIBLE_ADDRESSES)
async def test_an_address_that_cannot_be_asked_gives_no_times(url: str) -> None:
    with pytest.raises(NoTimes):
        await ask(url, Osrm())
