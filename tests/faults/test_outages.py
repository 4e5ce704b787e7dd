"""Kafka or PostgreSQL away under load: forms are answered truthfully, and all is made good afterwards."""

import asyncio

import pytest

from tests.faults.conftest import under
from tests.faults.load import Load, Sites
from tests.faults.system import System

PER_S = 40


@pytest.mark.parametrize("seconds", [5, pytest.param(30, marks=pytest.mark.faults)], ids=["short", "long"])
async def test_leads_are_accepted_without_kafka_and_routed_when_it_is_back(
    system: System, sites: Sites, load: Load, seconds: int
) -> None:
    async with under(load, PER_S):
        await asyncio.to_thread(system.stack.kafka.stop)
        try:
            before = len(load.acknowledged)
            await asyncio.sleep(seconds)
            during = len(load.acknowledged) - before
        finally:
            await asyncio.to_thread(system.stack.kafka.start)

    assert during > PER_S * seconds / 4, "forms were not answered while Kafka was away"
    await system.prove(load.acknowledged)


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.faults)], ids=["short", "long"])
async def test_a_crashed_postgres_costs_refusals_but_no_lead(
    system: System, sites: Sites, load: Load, rounds: int
) -> None:
    async with under(load, PER_S):
        for _ in range(rounds):
            await asyncio.to_thread(system.stack.postgres.restart, "immediate")
            await asyncio.sleep(3)

    await system.prove(load.acknowledged)


async def test_without_postgres_the_answer_is_503_and_never_a_false_202(system: System, load: Load) -> None:
    async with under(load, PER_S):
        await asyncio.to_thread(system.stack.postgres.stop)
        try:
            await asyncio.sleep(1)  # what was committed before may still be answered
            before = len(load.acknowledged)
            await asyncio.sleep(4)
            during = len(load.acknowledged) - before
        finally:
            await asyncio.to_thread(system.stack.postgres.start)

    assert during == 0
    assert load.refused[503] > 0
    await system.prove(load.acknowledged)
