"""What a running local stack leaves in its data folder: the lock that keeps a second one out, and its addresses."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import psutil

from shared.errors import UserError

LOCK = "stack.lock"


@dataclass(frozen=True)
class StackAddresses:
    """Contents of `stack.json`. `started_at` is Unix time in seconds."""

    kafka: str
    """Bootstrap servers, `host:port[,host:port]`."""
    postgres: str
    """DSN with its password: the file is readable by its owner only."""
    pid: int
    brokers: int
    cluster_id: str
    started_at: float


def read_stack(folder: Path) -> StackAddresses | None:
    """Addresses of the stack that runs in this folder; None when none runs, also when it died without a word."""
    try:
        addresses = StackAddresses(**json.loads((folder / "stack.json").read_text()))
        alive = psutil.pid_exists(addresses.pid) and _is_held(folder)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return addresses if alive else None


def write_stack(folder: Path, addresses: StackAddresses) -> None:
    """Write `stack.json` so that a reader sees all of it or nothing."""
    draft = folder / "stack.json.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(addresses), file, indent=2)
    draft.replace(folder / "stack.json")


@contextlib.contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep every other stack out of the folder. Raises UserError naming the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("a+") as lock:
        if not _take(lock, fcntl.LOCK_EX, tries=10):
            raise UserError(
                f"a Waypost stack already runs in {folder} (process {_holder(folder)})",
                "use that one, stop it first, or choose another folder",
            )
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _is_held(folder: Path) -> bool:
    # The lock, unlike a process id, cannot come to mean somebody else.
    with (folder / LOCK).open() as lock:
        return not _take(lock, fcntl.LOCK_SH, tries=1)


def _take(lock: TextIO, kind: int, tries: int) -> bool:
    # Several tries, because `_is_held` of another process takes the lock for an instant.
    for left in reversed(range(tries)):
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02 if left else 0)
        else:
            return True
    return False


def _holder(folder: Path) -> str:
    # Between taking the lock and writing the id into it there is a moment with an empty file.
    for _ in range(20):
        if pid := (folder / LOCK).read_text().strip():
            return pid
        time.sleep(0.05)
    return "unknown"
