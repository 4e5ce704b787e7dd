"""Every case on every port: the right refusal, the right end, and a server that goes on as if nothing had been."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.ports.cases import BAD_FIELDS, BAD_FRAMING, BAD_LINES, CASES, GOOD, GOOD_REQUESTS, Case
from tests.ports.conftest import PORTS, Ports
from tests.ports.raw import Peer, connected, in_pieces

Outcome = Callable[[str, Case], Awaitable[None]]
"""Sends a case to a port and looks at what comes of it."""

AT_ONCE = 24
FEW_BYTES = 7
LONGEST_IN_PIECES = 1_000
GROUPS = {"good": GOOD_REQUESTS, "framing": BAD_FRAMING, "fields": BAD_FIELDS, "lines": BAD_LINES}


async def check(peer: Peer, case: Case) -> None:
    """The outcome of a case whose bytes were sent."""
    reply = await peer.hear(to_head=case.to_head)
    assert reply.status == case.status, reply
    assert case.to_head or reply.is_problem, reply
    if case.kept:
        assert reply.fields.get("connection") != "close"
        await peer.say(GOOD)
        again = await peer.hear()
        assert (again.status, again.is_problem) == (404, True), again
    else:
        assert case.unfinished or reply.fields.get("connection") == "close", reply
        assert await peer.is_closed()


async def faults_of(cases: Sequence[Case], ports: Sequence[str], outcome: Outcome) -> list[str]:
    """The cases that come out otherwise, several tried at a time: one test for each would take minutes."""
    few = asyncio.Semaphore(AT_ONCE)

    async def fault(port: str, case: Case) -> str | None:
        async with few:
            try:
                await outcome(port, case)
            except Exception as error:  # noqa: BLE001 - told beside the others
                return f"{case.name} at the {port}: {type(error).__name__} {error}"
        return None

    return [found for found in await asyncio.gather(*(fault(port, case) for case in cases for port in ports)) if found]


def test_there_are_many_cases_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 200


@pytest.mark.parametrize("group", GROUPS)
async def test_what_is_sent_has_its_outcome(ports: Ports, group: str) -> None:
    async def outcome(port: str, case: Case) -> None:
        async with connected(ports.number(port)) as peer:
            await peer.say(case.sent)
            await check(peer, case)
        async with connected(ports.number(port)) as peer:
            await peer.say(GOOD)
            assert (await peer.hear()).status == 404

    assert await faults_of(GROUPS[group], PORTS, outcome) == []


async def test_it_is_the_same_in_pieces(ports: Ports) -> None:
    # What has a body may be answered, and refused, before all of it is there.
    heads = [case for case in CASES if case.sent.find(b"\r\n\r\n") == len(case.sent) - 4]
    assert len(heads) > 100

    async def outcome(port: str, case: Case) -> None:
        async with connected(ports.number(port)) as peer:
            for piece in in_pieces(case.sent, FEW_BYTES):
                await peer.say(piece)
                await asyncio.sleep(0)
            await check(peer, case)

    short = [case for case in heads if len(case.sent) < LONGEST_IN_PIECES]
    assert await faults_of(short, PORTS[:1], outcome) == []


@pytest.mark.parametrize("port", PORTS)
async def test_what_comes_after_a_refusal_is_not_read(ports: Ports, port: str) -> None:
    refused = b"GET / HTTP/1.1\r\n\r\n"
    async with connected(ports.number(port)) as peer:
        await peer.say(GOOD + GOOD + refused + GOOD)
        assert [(await peer.hear()).status for _ in range(3)] == [404, 404, 400]
        assert await peer.is_closed()


@pytest.mark.parametrize("port", PORTS)
async def test_requests_that_are_sent_ahead_are_answered_in_their_order(ports: Ports, port: str) -> None:
    posted = b"POST /nothing-here HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    async with connected(ports.number(port)) as peer:
        await peer.say((GOOD + posted) * 5)
        assert [(await peer.hear()).status for _ in range(10)] == [404] * 10
