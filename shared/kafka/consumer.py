"""The client library's consumer, which sees only batches that it can read (`batches.py` says why)."""

import asyncio
import secrets
import time
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.fetch import FetchResponse_v0

from shared.kafka.batches import Corrupt, first_offset, is_readable, made_readable
from shared.telemetry import get_logger

REWRITTEN_BYTES = 16 * 1024 * 1024
"""Once so much of one answer was written anew, the rest is left to the next fetch: memory stays bounded."""
REWRITING_S = 0.5
"""And once it took so long: the readable partitions of the answer shall not wait for the others."""
CORRUPT_PAUSE_S = 1.0


class ReadableConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """An AIOKafkaConsumer for topics that anybody may have written to.

    `marker` names the header that carries what `carried_header.py` wrapped; drawn anew for each consumer, so that no
    record can pretend. `corrupt` has the first offset of each batch whose checksum is wrong, by topic and partition: it
    is fetched again and again, and only its partition waits.
    """

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **{**options, "check_crcs": False})  # checked here, once
        self.marker = f"waypost-{secrets.token_hex(8)}"
        self.corrupt: dict[tuple[str, int], int] = {}
        self._send = self._client.send
        self._client.send = self._send_and_make_readable

    async def _send_and_make_readable(self, node_id: int, request: Any, **options: Any) -> Any:
        response = await self._send(node_id, request, **options)
        if getattr(response, "API_KEY", None) == FetchResponse_v0.API_KEY:
            await self._make_readable(response)
        return response

    async def _make_readable(self, response: Any) -> None:
        left, is_corrupt, until = REWRITTEN_BYTES, False, time.monotonic() + REWRITING_S
        topics = []
        for topic, partitions in response.topics or ():
            answers = []
            for number, *rest, raw in partitions:
                given = bytes(raw or b"")
                if given and not is_readable(given):
                    has_room = left > 0 and time.monotonic() < until
                    given = await self._rewritten(topic, number, given, left) if has_room else b""
                    left -= len(given)
                    is_corrupt = is_corrupt or (topic, number) in self.corrupt
                elif given:
                    self.corrupt.pop((topic, number), None)
                answers.append((number, *rest, given))
            topics.append((topic, answers))
        response.topics = topics
        if is_corrupt:
            # Nothing of it moves on, so the broker would answer again at once.
            await asyncio.sleep(CORRUPT_PAUSE_S)

    async def _rewritten(self, topic: str, partition: int, raw: bytes, left: int) -> bytes:
        try:
            written = await asyncio.to_thread(made_readable, raw, self.marker, left)
        except Corrupt:
            offset = first_offset(raw)
            if self.corrupt.get((topic, partition)) != offset:
                get_logger().error("kafka.corrupt_batch", topic=topic, partition=partition, offset=offset)
            self.corrupt[topic, partition] = offset
            return b""
        self.corrupt.pop((topic, partition), None)
        return written
