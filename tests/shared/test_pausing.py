"""A pause lasts its time, unless the stop comes first."""

import asyncio

from shared.pausing import sleep_or_stop


async def test_a_pause_without_a_stop_lasts_its_time() -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await sleep_or_stop(asyncio.Event(), 0.05)
    assert loop.time() - started >= 0.049


async def test_a_stop_ends_the_pause_at_once() -> None:
    stop = asyncio.Event()
    pause = asyncio.create_task(sleep_or_stop(stop, 3600))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(pause, 60)


async def test_after_a_stop_there_is_no_pause() -> None:
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(sleep_or_stop(stop, 3600), 60)


async def test_a_pause_that_is_cancelled_says_so() -> None:
    pause = asyncio.create_task(sleep_or_stop(asyncio.Event(), 3600))
    await asyncio.sleep(0)
    pause.cancel()
    [ended] = await asyncio.gather(pause, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
