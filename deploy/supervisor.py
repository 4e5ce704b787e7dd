"""Keeps the services of a local stack alive: starts them, starts them again when they end, stops them together."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGTERM

from deploy.leftovers import Leftovers
from deploy.process import Child, Command

STOP_WITHIN_S = 11.0
"""A service takes up to 10 s to finish its batch and commit (`shared.process`); then it is killed."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
HEALTHY_AFTER_S = 60.0
"""One that ran for so long has not failed again, but anew."""


def pause_s(failures: int, longest_s: float = LONGEST_PAUSE_S) -> float:
    """Seconds to wait before the start that follows `failures` failures in a row (1 or more): 0.5, 1, 2 ... 30."""
    return float(min(longest_s, FIRST_PAUSE_S * 2 ** min(failures - 1, 16)))


class Supervisor:
    """Named programs with their logs in `<logs>/NAME.log`; `say` is told in one line of every one that ends by itself.

    They die with this process, however it ends. `say` is called from threads.
    """

    def __init__(self, logs: Path, say: Callable[[str], None], *, longest_pause_s: float = LONGEST_PAUSE_S) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._say = say
        self._longest_pause_s = longest_pause_s
        self._leftovers = Leftovers(logs.parent / "services.children.json")
        self._leftovers.end_all()
        self._children: dict[str, Child] = {}
        self._watchers: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._starting = threading.Lock()

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a program and keep it running; returns at once. `environment` is all of it; None hands ours down."""
        if name in self._children:
            raise ValueError(f"{name} is already supervised")
        command = Command(argv, environment=environment)
        child = Child(name, self._logs / f"{name}.log", self._leftovers)
        self._children[name] = child
        child.start(command)
        watcher = threading.Thread(target=self._watch, args=(child, command), name=f"watch-{name}", daemon=True)
        self._watchers.append(watcher)
        watcher.start()

    def pid(self, name: str) -> int:
        """Process id of a program; 0 in the pause before its next start."""
        return self._children[name].pid

    def kill(self, name: str) -> None:
        """Kill -9 a program, for fault tests; it is started again like after any other end."""
        self._children[name].kill()

    async def stop(self) -> None:
        """Stop all at once with SIGTERM, kill what is left after 11 s; nothing is started again."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        deadline = time.monotonic() + STOP_WITHIN_S
        with self._starting:
            self._stopping.set()
        for child in self._children.values():
            child.send(SIGTERM)
        for child in self._children.values():
            if not child.wait(max(0.0, deadline - time.monotonic())):
                self._say(f"{child.name} did not stop in {STOP_WITHIN_S:.0f} s: killed")
                child.kill()
        for watcher in self._watchers:
            watcher.join()

    def _watch(self, child: Child, command: Command) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            child.wait(timeout_s=None)
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - began > HEALTHY_AFTER_S else failures + 1
            pause = pause_s(failures, self._longest_pause_s)
            self._say(
                f"{child.name} ended ({_how(child.exit_status)}); starting it again in {pause:g} s; log: {child.log}"
            )
            if self._stopping.wait(pause):
                return
            with self._starting:
                if self._stopping.is_set():
                    return
                child.start(command)


def _how(exit_status: int | None) -> str:
    return f"signal {-exit_status}" if exit_status is not None and exit_status < 0 else f"exit status {exit_status}"
