"""`waypost up` and `waypost demo`: the whole system on one machine, until Ctrl-C."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import typer

from deploy.local import Stack, read_stack
from deploy.local_services import LocalServices, prepare, write_addresses
from deploy.progress import StartProgress
from deploy.stack_file import hold_folder, write_stack
from deploy.supervisor import Supervisor
from shared.settings import Settings
from shared.terminal.output import Output

PLAYED = "demo"
"""Folder of the demo's own stack, in the data folder."""


def console() -> Output:
    """Standard output, as it is now."""
    return Output()


@asynccontextmanager
async def running(stack: Stack, settings: Settings) -> AsyncIterator[LocalServices]:
    """The embedded stack and all services, ready for leads; everything ends with the context.

    `settings` name the stack's folder and the key file.
    """

    def say(step: str) -> None:
        console().print(f"[dim]·[/] {step}")

    with StartProgress(console()) as progress:
        await asyncio.to_thread(stack.start, progress.step)
    supervisor = Supervisor(stack.folder / "logs", say=say)
    try:
        settings = Settings(data_folder=settings.data_folder, keys=settings.key_file)
        await prepare(settings, say)
        services = LocalServices(settings, supervisor)
        try:
            await services.start(say)
            yield services
        finally:
            await supervisor.stop()
            services.forget()
    finally:
        await asyncio.to_thread(stack.stop)


@contextmanager
def shown_in(folder: Path, played: Path, services: LocalServices) -> Iterator[None]:
    """Let the commands of `folder` find the stack that runs in `played`, as long as it does."""
    addresses = read_stack(played)
    if addresses is None:
        raise RuntimeError("a stack that was started does not run")
    try:
        write_stack(folder, addresses)
        write_addresses(folder, services.addresses)
        yield
    finally:
        for name in ("stack.json", "services.json"):
            (folder / name).unlink(missing_ok=True)


def up(
    brokers: int = typer.Option(1, min=1, max=3, help="1, or 3 for a cluster that survives the loss of a broker."),
) -> None:
    """Start the embedded stack and all services; print the addresses; stop everything on Ctrl-C."""

    async def serve() -> None:
        stop = stop_on_signals()
        folder = Settings().data_folder
        async with running(Stack(folder, brokers=brokers), Settings(data_folder=folder)):
            settings = Settings(data_folder=folder)
            console().print(f"Kafka       {settings.kafka}")
            console().print(f"PostgreSQL  {settings.data_folder / 'stack.json'} holds its address and password")
            console().print(f"intake      {settings.intake_url}/v1/leads")
            console().print(f"stores      {settings.notifier_url}/inbox/SITE_ID")
            console().print("Ready. Other commands in this folder find it by themselves. Ctrl-C stops it.")
            await stop.wait()
            console().print("stopping ...")

    asyncio.run(serve())


def demo(
    exit_when_done: bool = typer.Option(False, "--exit", help="End when all is shown; non-zero unless all is well."),
    brokers: int = typer.Option(1, min=1, max=3),
) -> None:
    """Start everything, play real leads, show where each goes and why, and prove it.

    The play has a stack of its own, which begins empty: what `waypost up` keeps in this folder stays as it is.
    """
    from deploy.demo.play import run_demo  # the demo's own imports stay out of every other command

    async def play() -> int:
        stop = stop_on_signals()
        kept = Settings()
        folder = kept.data_folder / PLAYED
        # One stack at a time in a folder: commands there must not have to guess which one is meant.
        with hold_folder(kept.data_folder):
            settings = Settings(data_folder=folder, keys=kept.key_file)
            async with running(Stack(folder, brokers=brokers, empty=True), settings) as services:
                with shown_in(kept.data_folder, folder, services):
                    settings = Settings(data_folder=folder, keys=kept.key_file)
                    return await run_demo(settings, exit_when_done=exit_when_done, stop=stop)

    raise typer.Exit(asyncio.run(play()))


def stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
