"""The event stream's wire form, and how it ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from services.store_notifier.pages.stream import Event, EventStream, last_event_id


class Wire:
    """One connection as a server shows it to the application."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if b"event:" in message.get("body", b""):
            self.arrived.set()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


@given(st.text(), st.integers(min_value=0, max_value=2**62))
def test_any_text_stays_in_its_own_event(text: str, number: int) -> None:
    lines = Event("item", {"html": text}, number).to_bytes().split(b"\n")

    assert lines[0] == f"id: {number}".encode()
    assert lines[1] == b"event: item"
    assert lines[2].startswith(b"data: ")
    assert lines[3:] == [b"", b""]


@pytest.mark.parametrize(
    ("header", "query", "after"),
    [
        (None, None, None),
        ("7", "3", 7),
        (None, "3", 3),
        ("", "3", 3),
        ("-1", None, None),
        ("1" * 19, None, None),
        ("٣", None, None),
    ],
)
def test_a_stream_goes_on_where_the_browser_says(header: str | None, query: str | None, after: int | None) -> None:
    assert last_event_id(header, query) == after


async def test_a_stream_that_ends_is_closed_cleanly() -> None:
    async def events() -> AsyncIterator[Event]:
        yield Event("item", 1, 4)

    wire = Wire()
    await EventStream(events(), retry_ms=2000)({"type": "http"}, wire.receive, wire.send)

    assert wire.body == b"retry: 2000\n\nid: 4\nevent: item\ndata: 1\n\n"
    assert (b"x-accel-buffering", b"no") in wire.sent[0]["headers"]
    assert wire.sent[-1]["more_body"] is False


async def test_a_reader_who_leaves_frees_the_stream() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncIterator[Event]:
        try:
            yield Event("clock", 1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    wire = Wire()
    serving = asyncio.create_task(EventStream(events(), retry_ms=2000)({"type": "http"}, wire.receive, wire.send))
    async with asyncio.timeout(60):
        await wire.arrived.wait()
        wire.gone.set()
        await serving

    assert closed.is_set()


async def test_a_fault_of_the_events_is_not_hidden() -> None:
    async def events() -> AsyncIterator[Event]:
        yield Event("clock", 1)
        raise LookupError("a fault")

    wire = Wire()
    with pytest.raises(LookupError):
        await EventStream(events(), retry_ms=2000)({"type": "http"}, wire.receive, wire.send)


async def test_a_reader_who_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.store_notifier.pages.stream.SEND_TIMEOUT_S", 0.05)
    made: list[int] = []

    async def events() -> AsyncIterator[Event]:
        for number in range(1000):
            made.append(number)
            yield Event("item", number, number)

    class Stuck(Wire):
        async def send(self, message: Message) -> None:
            await super().send(message)
            if self.arrived.is_set():
                await asyncio.Event().wait()

    wire = Stuck()
    async with asyncio.timeout(60):
        await EventStream(events(), retry_ms=2000)({"type": "http"}, wire.receive, wire.send)

    assert made == [0]
