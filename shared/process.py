"""The life of a service process: a fast loop, a quiet garbage collector, and a stop that always ends."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable

import uvloop

from shared.errors import UserError
from shared.telemetry import get_logger

STOP_WITHIN_S = 10.0
"""From SIGTERM to the end of the process; what is not finished by then is redelivered by Kafka or swept from PG."""


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run `main(stop)` until it returns; `stop` is set by SIGTERM or SIGINT. Returns the exit status.

    A process that has not ended 10 s after the signal is ended hard: an idempotent producer without brokers, for
    one, would wait for ever.
    """
    return uvloop.run(_supervised(main))


async def _supervised(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(name: str) -> None:
        get_logger().info("process.stopping", signal=name)
        stop.set()
        loop.call_later(STOP_WITHIN_S, _end_hard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number.name)
    # Batches of frozen models are garbage in bulk: a full collection per 700 objects would double their cost.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    failed = False
    try:
        await main(stop)
    except* UserError as errors:
        for error in errors.exceptions:
            if isinstance(error, UserError):
                get_logger().error("process.failed", error=error.message, hint=error.hint)
        failed = True
    except* Exception:  # noqa: BLE001
        # The last place that can say why; the supervisor or the platform starts it anew.
        get_logger().exception("process.failed")
        failed = True
    if failed:
        return 1
    get_logger().info("process.stopped")
    return 0


def _end_hard() -> None:
    get_logger().error("process.stop_timed_out", seconds=STOP_WITHIN_S)
    os._exit(75)
