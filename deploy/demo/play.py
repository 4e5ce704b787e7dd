"""The demo's play on a running stack with running services, read from top to bottom by `run_demo`."""

import asyncio
import time
from datetime import UTC, datetime

from rich.console import Console

from deploy.demo.feed import play, read_play
from deploy.demo.journey import Board
from deploy.demo.prepare import Prepared, prepare
from deploy.demo.store_process import small_store
from deploy.demo.table import Screen
from deploy.demo.totals import count, pages, store_line, totals_table
from deploy.demo.verdict import audit_verdict
from deploy.demo.watch import watching
from shared.errors import UserError
from shared.settings import Settings
from shared.terminal.output import Output
from shared.terminal.table import print_table

REDRAW_S = 0.2
INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended."""
ENDED = (
    "The demo ends, and with it its addresses and keys. Its policy, under which silence counts after a minute, and all "
    "that it set up were its own: `make up` begins without them, and the next demo anew."
)
STAYS = (
    "Everything stays up and the store answers what you send. Ctrl-C ends it. The policy, under which silence counts "
    "after a minute, and all that was set up are the demo's own: `make up` begins without them."
)
TAKE_OVER_WITHIN_S = 30.0
ROUTERS_READ_S = 1.0
"""From the announcement to the routers' swap. A lead that is quicker would wait and be retried: right, but puzzling."""
SETTLE_WITHIN_S = 240.0
"""After the last form. The longest story is a silence: a minute to answer, the timer's round, and a second site."""


async def run_demo(
    settings: Settings, *, exit_when_done: bool, stop: asyncio.Event, console: Console | None = None
) -> int:
    """Set up, play, show, judge. Returns 0 when every acknowledged lead has its place and the audit is clean, else 1.

    Needs the stack and all four services of `settings` running, the notifier with loopback targets allowed (the small
    store listens there). Without `exit_when_done` it stays after the verdict until `stop` is set (Ctrl-C); a stop
    before the verdict ends it at once with 130. Raises UserError when a step of the set-up or a file is refused.
    """
    console = console or Output()
    began = datetime.now(UTC)
    board = Board()
    async with small_store() as store, watching(settings, board) as watch:
        console.print("[dim]·[/] setting up network, policy, sources and endpoints", highlight=False)
        prepared = await prepare(settings, store.url)
        await store.trust(prepared.agreed)
        await _taken_over(prepared, board, watch, stop)
        with Screen(console, lambda: board.played) as screen:
            sending = asyncio.create_task(play(settings.intake_url, prepared.source_keys, board, read_play()))
            try:
                await _show_until_settled(sending, watch, board, screen, stop)
            finally:
                sending.cancel()
        if stop.is_set():
            return INTERRUPTED
        totals = count(board.played)
        print_table(console, totals_table(totals))
        console.print(store_line(store.did), highlight=False, soft_wrap=True)
        for lost in totals.lost:
            console.print(f"without a place: {lost}", style="red", highlight=False)
        clean = await audit_verdict(settings, began, console)
        if exit_when_done:
            console.print(ENDED)
        else:
            console.print(pages(prepared.pages, settings.intake_url, board.played), markup=False)
            console.print(STAYS)
            await stop.wait()
    return 0 if clean and not totals.lost else 1


async def _taken_over(prepared: Prepared, board: Board, watch: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Wait until the new network and policy are on their topics, and a moment for the routers that read them there."""
    try:
        async with asyncio.timeout(TAKE_OVER_WITHIN_S):
            while not stop.is_set() and (
                board.network_revision < prepared.network_revision or board.policy_version < prepared.policy_version
            ):
                if watch.done():
                    watch.result()
                await asyncio.sleep(REDRAW_S)
    except TimeoutError as error:
        raise UserError("no router announces the demo's network", "is the router running? `waypost doctor`") from error
    if prepared.network_revision or prepared.policy_version:
        await asyncio.sleep(ROUTERS_READ_S)


async def _show_until_settled(
    sending: asyncio.Task[None], watch: asyncio.Task[None], board: Board, screen: Screen, stop: asyncio.Event
) -> None:
    """Redraw until nothing more can happen, the time is up or `stop` is set."""
    deadline = None
    while not stop.is_set():
        screen.refresh()
        if watch.done():
            watch.result()
        if sending.done():
            sending.result()  # a refused file ends the play here, with its reason
            deadline = deadline or time.monotonic() + SETTLE_WITHIN_S
            if all(journey.settled for journey in board.played) or time.monotonic() > deadline:
                return
        await asyncio.sleep(REDRAW_S)
