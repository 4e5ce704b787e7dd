"""Requests share a transaction, and a fault of one stays its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from services.lead_intake.accept import Acceptance
from services.lead_intake.db import OutboxRow
from services.lead_intake.problems import Problem
from services.lead_intake.record import Entry, Recorded
from services.lead_intake.settings import IntakeSettings
from shared.postgres import PostgresUnavailable
from tests.services.lead_intake.builders import accept, draft


class Ledger:
    """Takes batches in memory, until it is told to fail."""

    def __init__(self) -> None:
        self.batches: list[list[UUID]] = []
        self.published: list[OutboxRow] = []
        self.fails: Callable[[Sequence[Entry]], Exception | None] = lambda _: None

    async def record(self, entries: Sequence[Entry]) -> Recorded:
        await asyncio.sleep(0)
        if (error := self.fails(entries)) is not None:
            raise error
        ids = [entry.lead.lead_id for entry in entries]
        self.batches.append(ids)
        return Recorded(list(ids), [OutboxRow("leads.received", lead_id.bytes, b"", None, 1) for lead_id in ids])


@asynccontextmanager
async def accepting(ledger: Ledger, **settings: int) -> AsyncIterator[Acceptance]:
    acceptance = Acceptance(
        ledger.record, ledger.published.extend, IntakeSettings.model_validate(settings), CollectorRegistry()
    )
    stop = asyncio.Event()
    running = asyncio.create_task(acceptance.run(stop))
    yield acceptance
    stop.set()
    await running


def entry(number: int) -> Entry:
    return Entry(accept(draft(), UUID(int=number)))


async def test_requests_of_one_moment_share_a_transaction() -> None:
    ledger = Ledger()
    async with accepting(ledger) as acceptance:
        answers = await asyncio.gather(*(acceptance.submit([entry(n)]) for n in range(100)))

    assert [answer[0] for answer in answers] == [UUID(int=n) for n in range(100)]
    assert len(ledger.batches) == 1
    assert len(ledger.published) == 100


async def test_a_transaction_is_no_larger_than_allowed_and_no_request_is_torn() -> None:
    ledger = Ledger()
    async with accepting(ledger, intake_batch_leads=10) as acceptance:
        await asyncio.gather(*(acceptance.submit([entry(4 * n + i) for i in range(4)]) for n in range(10)))

    assert [len(batch) for batch in ledger.batches] == [8] * 5


async def test_a_lead_that_cannot_be_written_fails_alone() -> None:
    ledger = Ledger()
    ledger.fails = lambda entries: ValueError("poison") if UUID(int=7) in [e.lead.lead_id for e in entries] else None
    async with accepting(ledger) as acceptance:
        answers = await asyncio.gather(*(acceptance.submit([entry(n)]) for n in range(20)), return_exceptions=True)

    assert [n for n, answer in enumerate(answers) if isinstance(answer, ValueError)] == [7]
    assert sorted(row.key for row in ledger.published) == [UUID(int=n).bytes for n in range(20) if n != 7]


async def test_without_postgres_every_request_is_told_and_nothing_is_published() -> None:
    ledger = Ledger()
    ledger.fails = lambda _: PostgresUnavailable("gone")
    async with accepting(ledger) as acceptance:
        answers = await asyncio.gather(*(acceptance.submit([entry(n)]) for n in range(20)), return_exceptions=True)

    assert {answer.status for answer in answers if isinstance(answer, Problem)} == {503}
    assert len([answer for answer in answers if isinstance(answer, Problem)]) == 20
    assert ledger.published == []


async def test_a_stop_writes_what_is_waiting() -> None:
    ledger = Ledger()
    async with accepting(ledger) as acceptance:
        waiting = asyncio.create_task(acceptance.submit([entry(1)]))
        await asyncio.sleep(0)

    assert await waiting == [UUID(int=1)]


async def test_more_than_may_wait_is_refused_at_once() -> None:
    ledger = Ledger()
    async with accepting(ledger, intake_max_waiting_leads=3) as acceptance:
        with pytest.raises(Problem) as refused:
            await acceptance.submit([entry(n) for n in range(4)])

    assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "1")
