"""Who sends a lead is known without a query per lead, and never wrongly denied."""

import asyncio
import time

import asyncpg
import pytest

from services.lead_intake import source_keys
from services.lead_intake.problems import Problem
from services.lead_intake.source_keys import SourceKeys
from shared.postgres import open_pool
from tests.services.lead_intake.running import Installation, add_source


async def test_a_key_names_its_source_and_its_consent_text(installation: Installation) -> None:
    async with open_pool(installation.settings, "lead_intake", max_size=1) as pool:
        keys = SourceKeys(pool, time.monotonic)

        source = await keys.source_of(f"bearer {installation.key}".encode())

    assert (source.source, source.consent_version) == ("web-form", "adf-1")


async def test_a_new_key_works_at_once(installation: Installation) -> None:
    async with open_pool(installation.settings, "lead_intake", max_size=1) as pool:
        keys = SourceKeys(pool, time.monotonic)
        await keys.source_of(f"Bearer {installation.key}".encode())

        key = await add_source(installation, "just-added")

        assert (await keys.source_of(f"Bearer {key}".encode())).source == "just-added"


async def test_while_postgres_hangs_all_who_wait_are_told_together(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_keys, "READ_WITHIN_S", 1.0)
    blocker = await asyncpg.connect(installation.settings.require_postgres())
    async with open_pool(installation.settings, "lead_intake", max_size=1) as pool:
        keys = SourceKeys(pool, time.monotonic)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE lead_intake.source_keys IN ACCESS EXCLUSIVE MODE")
            async with asyncio.timeout(60):
                answers = await asyncio.gather(
                    *(keys.source_of(f"Bearer {installation.key}".encode()) for _ in range(100)),
                    return_exceptions=True,
                )
        assert {answer.status for answer in answers if isinstance(answer, Problem)} == {503}
        assert len([answer for answer in answers if isinstance(answer, Problem)]) == 100

        assert (await keys.source_of(f"Bearer {installation.key}".encode())).source == "web-form"
    await blocker.close()
