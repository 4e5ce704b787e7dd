"""The life of a service process: a fast loop, a quiet garbage collector, and a stop that always ends."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import uvloop

from shared.errors import UserError
from shared.telemetry import get_logger

STOP_WITHIN_S = 10.0
"""From `stop`, set by a signal or a failure, to the end of the process.

What is not finished by then is redelivered by Kafka or swept from PostgreSQL.
"""


async def run_together(stop: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> None:
    """Run the parts of a service until all have ended; one that fails sets `stop`, as a signal would.

    So a failure, too, finishes the batch in flight and commits its offsets, instead of cutting it off. Cancelled,
    it cancels the parts. Raises an exception group of what failed, in the order of the parts.
    """

    async def watched(part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except BaseException:
            stop.set()
            raise

    results = await asyncio.gather(*map(watched, parts), return_exceptions=True)
    if failures := [result for result in results if isinstance(result, BaseException)]:
        raise BaseExceptionGroup("parts of the service failed", failures)


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run `main(stop)` until it returns; `stop` is set by SIGTERM or SIGINT. Returns the exit status.

    A process that has not ended 10 s after `stop` was set is ended hard: an idempotent producer without brokers, for
    one, would wait for ever.
    """
    return uvloop.run(_supervised(main))


async def _supervised(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(name: str) -> None:
        get_logger().info("process.stopping", signal=name)
        stop.set()

    async def end_in_time() -> None:
        await stop.wait()
        loop.call_later(STOP_WITHIN_S, _end_hard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number.name)
    # Batches of frozen models are garbage in bulk: a full collection per 700 objects would double their cost.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    failed = False
    watching = loop.create_task(end_in_time())
    try:
        await main(stop)
    except* UserError as errors:
        for error in _leaves(errors):
            get_logger().error("process.failed", error=error.message, hint=error.hint)
        failed = True
    except* Exception:  # noqa: BLE001
        # The last place that can say why; the supervisor or the platform starts it anew.
        get_logger().exception("process.failed")
        failed = True
    watching.cancel()
    if failed:
        return 1
    get_logger().info("process.stopped")
    return 0


def _leaves(group: BaseExceptionGroup[UserError]) -> Iterator[UserError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _end_hard() -> None:
    get_logger().error("process.stop_timed_out", seconds=STOP_WITHIN_S)
    os._exit(75)
