"""The embedded stack: a real PostgreSQL and a real Kafka in one data folder, alive as long as this process.

    with Stack(Path(".waypost")) as stack:
        print(stack.kafka_bootstrap, stack.postgres_dsn)

Nothing but wheels and pinned jars: no Docker, no Java of the system, no rights.
"""

import asyncio
import contextlib
import errno
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.disk import require_space
from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import Progress
from deploy.kafka.java import kafka_java
from deploy.kafka.probe import wait_for_coordinator
from deploy.leftovers import Leftovers
from deploy.postgres import Postgres
from deploy.process import Child
from deploy.stack_file import StackAddresses, hold_folder, read_stack, write_stack
from shared.errors import UserError

__all__ = ["DEFAULT_FOLDER", "Progress", "Stack", "StackAddresses", "read_stack", "wait_for_coordinator"]

CHECKOUT = Path(__file__).parents[1]
DEFAULT_FOLDER = CHECKOUT / ".waypost" if (CHECKOUT / "pyproject.toml").exists() else Path.cwd() / ".waypost"
"""In the checkout; where the command was called, when Waypost was installed from a wheel."""
CACHE = DEFAULT_FOLDER / "cache"
"""Jars and start-up archive, shared by all data folders."""


def _say_nothing(_step: str, _done: int, _total: int) -> None:
    pass


class Stack:
    """PostgreSQL and `brokers` (1 or 3) Kafka brokers in `folder`.

    A context manager, sync or async; `start` and `stop` block. Every child ends with this process, however that ends.
    With `empty`, what an earlier stack kept in the folder is thrown away; its logs and ports stay. Raises UserError,
    always with what to do, when the folder is in use, the disk is full, jars cannot be had or a child does not come up.
    """

    def __init__(
        self, folder: Path = DEFAULT_FOLDER, brokers: int = 1, cache: Path = CACHE, *, empty: bool = False
    ) -> None:
        if brokers not in (1, 3):
            raise UserError(f"{brokers} brokers are not possible", "choose 1, or 3 for a cluster that survives one")
        self.folder = folder.resolve()
        self.brokers = brokers
        self._empty = empty
        self._cache = cache
        self._open = contextlib.ExitStack()
        self._parts: tuple[KafkaCluster, Postgres] | None = None

    @property
    def kafka(self) -> KafkaCluster:
        """The brokers, to stop, start and kill in fault tests."""
        return self._started()[0]

    @property
    def postgres(self) -> Postgres:
        """The server, to stop, start and kill in fault tests."""
        return self._started()[1]

    @property
    def kafka_bootstrap(self) -> str:
        """Bootstrap servers, `host:port[,host:port]`."""
        return self.kafka.bootstrap

    @property
    def postgres_dsn(self) -> str:
        """DSN of the superuser for the database `waypost`."""
        return self.postgres.dsn

    @property
    def cluster_id(self) -> str:
        """Kafka's cluster id; the same for the life of the data folder."""
        return self.kafka.cluster_id

    @property
    def broker_pids(self) -> list[int]:
        """Process ids of the brokers, 0 for one that does not run."""
        return self.kafka.pids

    def start(self, progress: Progress = _say_nothing) -> None:
        """Start everything and return when both take work; leaves nothing running when it fails."""
        try:
            self._start(progress)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise UserError(f"the disk of {self.folder} is full", "free some space and start again") from error

    def _start(self, progress: Progress) -> None:
        with contextlib.ExitStack() as opened:
            opened.enter_context(hold_folder(self.folder))
            require_space(self.folder)
            (self.folder / "stack.json").unlink(missing_ok=True)
            leftovers = Leftovers(self.folder / "children.json")
            leftovers.end_all()
            if self._empty:
                for data in (self.folder / "kafka", self.folder / "postgres"):
                    shutil.rmtree(data, ignore_errors=True)

            def child(name: str) -> Child:
                return Child(name, self.folder / "logs" / f"{name}.log", leftovers)

            kafka = KafkaCluster(self.folder / "kafka", self.brokers, child, kafka_java(self._cache, progress))
            opened.callback(kafka.stop)
            postgres = Postgres(self.folder / "postgres", child)
            opened.callback(postgres.stop)
            progress("Starting PostgreSQL and Kafka", 0, 2)
            with ThreadPoolExecutor(2, thread_name_prefix="boot") as pool:
                boots = [pool.submit(postgres.boot), pool.submit(kafka.boot)]
                for done, boot in enumerate(boots, start=1):
                    boot.result()
                    progress("Starting PostgreSQL and Kafka", done, 2)
            self._parts = (kafka, postgres)
            addresses = StackAddresses(
                kafka.bootstrap, postgres.dsn, os.getpid(), self.brokers, kafka.cluster_id, time.time()
            )
            opened.callback((self.folder / "stack.json").unlink, missing_ok=True)
            write_stack(self.folder, addresses)
            self._open = opened.pop_all()

    def stop(self) -> None:
        """Stop PostgreSQL, then Kafka; the folder is free again afterwards. Harmless when nothing runs."""
        self._parts = None
        self._open.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _started(self) -> tuple[KafkaCluster, Postgres]:
        if self._parts is None:
            raise RuntimeError("the stack is not started")
        return self._parts
