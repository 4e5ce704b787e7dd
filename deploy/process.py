"""One program of the local stack: started so that it dies with us, logged to a file, and remembered on disk."""

import functools
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from deploy.leftovers import Leftovers
from shared.errors import UserError

LOG_KEPT_BYTES = 16 * 1024 * 1024
"""A log longer than this is moved to `NAME.log.1` at the next start."""
LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Command:
    """What to run. `death_signal` is sent by the kernel when we are gone; `account` only matters under root."""

    argv: Sequence[str]
    death_signal: signal.Signals = signal.SIGKILL
    account: str = "-"
    environment: Mapping[str, str] | None = None
    """The whole environment; None hands ours down. Secrets go here: anybody may read the arguments of a process."""


class Child:
    """A named program: at most one process at a time, in a session of its own so that Ctrl-C reaches only us.

    Every method blocks; all of them may be called from any thread.
    """

    def __init__(self, name: str, log: Path, leftovers: Leftovers) -> None:
        self.name = name
        self.log = log
        self._leftovers = leftovers
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid if self._process is not None and self.running else 0

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As in `subprocess`: None while it runs or was never started, -N when signal N ended it."""
        return None if self._process is None else self._process.poll()

    def start(self, command: Command) -> None:
        """Start it; returns at once. Its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = _spawn(command, log.fileno())
        self._leftovers.add(self.name, self._process.pid)

    def wait(self, timeout_s: float | None) -> bool:
        """Whether it ended within the time (None waits for ever)."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self._leftovers.remove(self._process.pid)
        return True

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it does not run."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, number: signal.Signals, timeout_s: float) -> None:
        """Ask it to end; kill it when it has not ended within the time."""
        self.send(number)
        if not self.wait(timeout_s):
            self.kill()

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait(timeout_s=30)

    def output(self, most_bytes: int = 64 * 1024) -> str:
        """What it wrote since its last start (the end of it, when that is long)."""
        with self.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(min(self._log_start, size), size - most_bytes))
            return log.read().decode(errors="replace")

    def failure(self, doing: str) -> UserError:
        """The error that tells a person why it ended: the disk when that is it, else its last words and its log."""
        output = self.output()
        if "No space left on device" in output:
            return UserError(f"the disk is full: {self.name} ended while {doing}", f"free some space; log: {self.log}")
        last = "\n".join(f"    {line}" for line in output.splitlines()[-8:])
        how = f"exit status {self.exit_status}" if self.exit_status is not None else "still running"
        return UserError(f"{self.name} failed while {doing} ({how}); its last lines:\n{last}", f"log: {self.log}")


def _spawn(command: Command, log: int) -> subprocess.Popen[bytes]:
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(command.death_signal))]
    argv = [*launcher, command.account, *command.argv]

    def start() -> subprocess.Popen[bytes]:
        null = subprocess.DEVNULL
        return subprocess.Popen(
            argv, stdin=null, stdout=log, stderr=log, env=command.environment, start_new_session=True
        )

    done: Future[subprocess.Popen[bytes]] = Future()
    _spawner(os.getpid()).put((start, done))
    return done.result()


Order = tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]


@functools.cache
def _spawner(_pid: int) -> queue.SimpleQueue[Order]:
    # The kernel's parent-death signal is tied to the *thread* that started the child (prctl(2)). A worker thread of
    # an executor ends long before the process, so one thread that never ends starts them all. One per process id,
    # because a fork has no threads.
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def serve() -> None:
        while True:
            start, done = orders.get()
            try:
                done.set_result(start())
            except OSError as error:
                done.set_exception(error)

    threading.Thread(target=serve, name="waypost-spawner", daemon=True).start()
    return orders
