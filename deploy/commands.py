"""`waypost up` and `waypost demo`: the whole system on one machine, until Ctrl-C."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import typer
from rich.console import Console

from deploy.local import Stack
from deploy.local_services import LocalServices, prepare
from deploy.progress import StartProgress
from deploy.supervisor import Supervisor
from shared.settings import Settings

console = Console(highlight=False)


@asynccontextmanager
async def running(folder: Path, brokers: int) -> AsyncIterator[Settings]:
    """The embedded stack and all services, ready for leads; everything ends with the context."""

    def say(step: str) -> None:
        console.print(f"[dim]·[/] {step}")

    stack = Stack(folder, brokers=brokers)
    with StartProgress(console) as progress:
        await asyncio.to_thread(stack.start, progress.step)
    supervisor = Supervisor(folder / "logs", say=say)
    try:
        settings = Settings(data_folder=folder)
        await prepare(settings, say)
        services = LocalServices(settings, supervisor)
        try:
            await services.start(say)
            yield Settings(data_folder=folder)
        finally:
            await supervisor.stop()
            services.forget()
    finally:
        await asyncio.to_thread(stack.stop)


def up(
    brokers: int = typer.Option(1, min=1, max=3, help="1, or 3 for a cluster that survives the loss of a broker."),
) -> None:
    """Start the embedded stack and all services; print the addresses; stop everything on Ctrl-C."""

    async def serve() -> None:
        stop = stop_on_signals()
        async with running(Settings().data_folder, brokers) as settings:
            console.print(f"Kafka       {settings.kafka}")
            console.print(f"PostgreSQL  {settings.data_folder / 'stack.json'} holds its address and password")
            console.print(f"intake      {settings.intake_url}/v1/leads")
            console.print(f"stores      {settings.notifier_url}/inbox/SITE_ID")
            console.print("Ready. Other commands in this folder find it by themselves. Ctrl-C stops it.")
            await stop.wait()
            console.print("stopping ...")

    asyncio.run(serve())


def demo(
    exit_when_done: bool = typer.Option(False, "--exit", help="End when all is shown; non-zero unless all is well."),
    brokers: int = typer.Option(1, min=1, max=3),
) -> None:
    """Start everything, play real leads, show where each goes and why, and prove it."""
    from deploy.demo.play import run_demo  # the demo's own imports stay out of every other command

    async def play() -> int:
        stop = stop_on_signals()
        async with running(Settings().data_folder, brokers) as settings:
            return await run_demo(settings, exit_when_done=exit_when_done, stop=stop)

    raise typer.Exit(asyncio.run(play()))


def stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
