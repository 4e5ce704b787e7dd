"""The small store as a child process: started, told its secrets, and counted."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.errors import UserError

START_WITHIN_S = 30.0
STOP_WITHIN_S = 5.0


@dataclass(frozen=True)
class Agreed:
    """What a store is told about one of its endpoints."""

    site_id: str
    endpoint_id: str
    secret: str = field(repr=False)


@dataclass
class StoreProcess:
    """The running store."""

    url: str
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    did: Counter[str] = field(default_factory=Counter)
    """What it reported: `received`, `contact 200`, `accepted 202`, `declined 202`, `silent`, `refused` and so on."""

    async def trust(self, endpoints: Iterable[Agreed]) -> None:
        """Tell it the secrets of its endpoints."""
        for each in endpoints:
            line = {"site_id": each.site_id, "endpoint_id": each.endpoint_id, "secret": each.secret}
            self.stdin.write(json.dumps(line).encode() + b"\n")
        await self.stdin.drain()

    async def listen(self) -> None:
        """Count what it reports, until its output ends."""
        while line := await self.stdout.readline():
            said = json.loads(line)
            what = said.get("answer", said["event"])
            self.did[f"{what} {said['status']}" if "status" in said else what] += 1


@asynccontextmanager
async def small_store() -> AsyncIterator[StoreProcess]:
    """A small store for the length of the block. Raises UserError when it does not start."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.demo.small_store",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C is for the demo, which ends its store itself
    )  # fmt: skip
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("a child that was started with pipes has none")
    try:
        async with asyncio.timeout(START_WITHIN_S):
            first = await stdout.readline()
        if not first:
            raise UserError("the demo's small store did not start", "its reason stands above")
        store = StoreProcess(f"http://127.0.0.1:{json.loads(first)['port']}", stdin, stdout)
        listening = asyncio.create_task(store.listen())
        try:
            yield store
        finally:
            listening.cancel()
    finally:
        # Closing its input ends it; the signal is for a store that no longer reads.
        stdin.close()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
