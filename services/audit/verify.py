"""Computing every chain again from the raw bytes. The first record that does not fit is where somebody was."""

import time
from collections.abc import Callable

from services.audit.db import verifying
from services.audit.db.ledger import Partition
from services.audit.db.verifying import Kept
from services.audit.domain.chain import Head, first_link, next_link
from services.audit.domain.labels import label
from services.audit.domain.report import Break, VerifyReport
from shared.postgres import Connection

CHUNK = 2_000


async def verify(connection: Connection, on_progress: Callable[[int], None]) -> VerifyReport:
    """Check every row of the ledger: its link, its labels, gaps, and that each chain ends at its head."""
    began = time.monotonic()
    report = VerifyReport()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await verifying.heads(connection)
        walks = {partition: _Walk(partition) for partition in heads}
        async for rows in verifying.everything(connection, CHUNK):
            for row in rows:
                at = (row.topic, row.partition)
                walks.setdefault(at, _Walk(at)).take(row, report)
            on_progress(len(rows))
    for at in sorted(walks):
        walks[at].end(heads.get(at), report)
    report.partitions = len(walks)
    report.seconds = time.monotonic() - began
    return report


class _Walk:
    """Along one partition, until its first break: behind it every link is a guess."""

    def __init__(self, at: Partition) -> None:
        self._topic, self._partition = at
        self._chain = first_link(*at)
        self._next = 0
        self._records = 0
        self._broken = False

    def take(self, row: Kept, report: VerifyReport) -> None:
        report.records += 1
        self._records += 1
        if self._broken:
            return
        chain = next_link(self._chain, row.offset, row.key, row.value)
        if chain != row.link:
            if row.offset == self._next:
                self._break(report, row.offset, "its bytes do not fit the chain")
            else:
                # The link of the next record there is remembers the ones that were taken out before it.
                self._break(report, self._next, f"removed, up to {row.offset - 1} (or {row.offset} was altered)")
        elif row.offset != self._next:
            report.gaps.append(Break(self._topic, self._partition, self._next, f"missing up to {row.offset - 1}"))
        elif label(row.topic, row.key, row.value) != row.labels:
            self._break(report, row.offset, "its labels are not what its bytes say")
        self._chain, self._next = chain, row.offset + 1

    def end(self, head: Head | None, report: VerifyReport) -> None:
        if self._broken:
            return
        if head is None:
            self._break(report, 0, "the partition has records but no head")
        elif head != Head(self._next, self._records, self._chain):
            self._break(report, self._next, f"the chain ends here, its head says {head.next_offset}")

    def _break(self, report: VerifyReport, offset: int, what: str) -> None:
        self._broken = True
        report.breaks.append(Break(self._topic, self._partition, offset, what))
