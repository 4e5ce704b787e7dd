"""The demo's play on a running stack with running services, read from top to bottom by `run_demo`."""

import asyncio
import time

from rich.console import Console

from deploy.demo.feed import play, read_play
from deploy.demo.journey import Board
from deploy.demo.prepare import prepare
from deploy.demo.store_process import StoreProcess, small_store
from deploy.demo.table import Screen
from deploy.demo.totals import count, totals_table
from deploy.demo.verdict import audit_verdict
from deploy.demo.watch import watching
from shared.settings import Settings

REDRAW_S = 0.2
INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended."""
SETTLE_WITHIN_S = 240.0
"""After the last form. The longest story is a silence: a minute to answer, the timer's round, and a second site."""


async def run_demo(
    settings: Settings, *, exit_when_done: bool, stop: asyncio.Event, console: Console | None = None
) -> int:
    """Set up, play, show, judge. Returns the exit code: 0 when every acknowledged lead has its place and the audit is clean.

    Needs the stack and all four services of `settings` running, the notifier with loopback targets allowed (the small
    store listens there). Without `exit_when_done` it stays after the verdict until `stop` is set (Ctrl-C); a stop
    before the verdict ends it at once with 130. Raises UserError when a step of the set-up or a file is refused.
    """
    console = console or Console()
    async with small_store() as store:
        console.print("[dim]·[/] setting up network, policy, sources and endpoints", highlight=False)
        prepared = await prepare(settings, store.url)
        await store.trust(prepared.agreed)
        board = Board()
        async with watching(settings, board):
            with Screen(console, lambda: board.played) as screen:
                sending = asyncio.create_task(play(settings.intake_url, prepared.source_keys, board, read_play()))
                try:
                    settled = await _show_until_settled(sending, board, screen, stop)
                finally:
                    sending.cancel()
            if not settled and stop.is_set():
                return INTERRUPTED
            totals = count(board.played)
            console.print(totals_table(totals))
            console.print(_store_line(store), highlight=False)
            for lost in totals.lost:
                console.print(f"without a place: {lost}", style="red", highlight=False)
            clean = await audit_verdict(settings, console)
            console.print(prepared.pages(), highlight=False, soft_wrap=True)
            if not exit_when_done:
                console.print("Everything stays up and the store answers what you send. Ctrl-C ends it.", highlight=False)
                await stop.wait()
    return 0 if clean and not totals.lost else 1


async def _show_until_settled(sending: asyncio.Task[None], board: Board, screen: Screen, stop: asyncio.Event) -> bool:
    """Redraw until nothing more can happen (True), the time is up or `stop` is set (False)."""
    deadline = None
    while not stop.is_set():
        screen.refresh()
        if sending.done():
            sending.result()  # a refused file ends the play here, with its reason
            deadline = deadline or time.monotonic() + SETTLE_WITHIN_S
            if all(journey.settled for journey in board.played):
                return True
            if time.monotonic() > deadline:
                return False
        await asyncio.sleep(REDRAW_S)
    return False


def _store_line(store: StoreProcess) -> str:
    return "the small store: " + ", ".join(f"{number} x {what}" for what, number in sorted(store.did.items()))
