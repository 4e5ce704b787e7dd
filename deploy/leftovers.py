"""Processes of an earlier run that outlived it: remembered in the data folder, ended before the next start.

The kernel ends every child when its parent dies (see `launch`), but not at the same instant, and not on systems other
than Linux. A process is known by its id *and* its start time: ids are used again.
"""

import json
import signal
import threading
from pathlib import Path

import psutil

from shared.errors import UserError

GONE_WITHIN_S = 15.0


class Leftovers:
    """The list of our children in `<folder>/children.json`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._started: dict[int, tuple[str, float]] = {}

    def add(self, name: str, pid: int) -> None:
        """Remember a child that was just started."""
        try:
            started_at = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:  # ended already: nothing can be left over
            return
        with self._lock:
            self._started[pid] = (name, started_at)
            self._write()

    def remove(self, pid: int) -> None:
        """Forget a child that has ended."""
        with self._lock:
            if self._started.pop(pid, None) is not None:
                self._write()

    def end_all(self) -> list[str]:
        """End what an earlier run left behind and wait for it; returns their names.

        PostgreSQL gets SIGQUIT first (its immediate shutdown takes the backends along). Raises UserError when one
        does not go away.
        """
        found = self._still_running()
        for process, _ in found:
            _send(process, signal.SIGQUIT)
        _, alive = psutil.wait_procs([process for process, _ in found], timeout=2)
        for process in alive:
            _send(process, signal.SIGKILL)
        _, alive = psutil.wait_procs(alive, timeout=GONE_WITHIN_S)
        if alive:
            pids = ", ".join(str(process.pid) for process in alive)
            raise UserError(f"processes of an earlier run do not end: {pids}", f"end them by hand: kill -9 {pids}")
        self._file.unlink(missing_ok=True)
        return [name for _, name in found]

    def _still_running(self) -> list[tuple[psutil.Process, str]]:
        try:
            recorded = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):  # none, or half a file: then the kernel's signal has to do
            return []
        found = []
        for pid, (name, started_at) in recorded.items():
            try:
                process = psutil.Process(int(pid))
                if abs(process.create_time() - started_at) < 0.05 and process.status() != psutil.STATUS_ZOMBIE:
                    found.append((process, name))
            except psutil.NoSuchProcess:
                continue
        return found

    def _write(self) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(self._started))
        draft.replace(self._file)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
