"""Records that anybody who may write to a topic can put there, as the bytes of a batch."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

GOLDEN = Path(__file__).parent / "golden"
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
_NAME = "name-that-is-replaced"
_NOT_UTF8 = b"\xff\xfe" + b"\xc3" * (len(_NAME) - 2)
_HEADER_BYTES, _CHECKSUM_AT, _CHECKED_FROM = 61, 17, 21

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Poison:
    """One record, by the name of what is wrong with it."""

    name: str
    value: bytes | None
    key: bytes | None = b"poison"
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int | None = None
    """By default of now: a segment of nothing but old records is past its retention, and Kafka deletes it."""
    codec: int = NONE
    is_whole: bool = True
    """Whether its bytes fit a dead letter."""

    def batch(self) -> bytes:
        """Of this record alone."""
        return _alone(self)


@lru_cache
def _alone(poison: Poison) -> bytes:
    return batch([poison], poison.codec)


def batch(records: list[Poison], codec: int = NONE) -> bytes:
    """The bytes of one batch, as a producer sends them."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 40)
    for number, record in enumerate(records):
        time_ms = int(time.time() * 1000) if record.timestamp_ms is None else record.timestamp_ms
        done = builder.append(number, time_ms, record.key, record.value, list(record.headers))
        assert done is not None
    raw = bytearray(builder.build())
    while (at := raw.find(_NAME.encode())) >= 0:
        raw[at : at + len(_NAME)] = _NOT_UTF8
    raw[_CHECKSUM_AT:_CHECKED_FROM] = calc_crc32c(raw[_CHECKED_FROM:]).to_bytes(4, "big")
    return bytes(raw)


class RawProducer:
    """Sends batches as they are; an async context manager."""

    def __init__(self, bootstrap: str) -> None:
        self._client = AIOKafkaClient(bootstrap_servers=bootstrap)

    async def __aenter__(self) -> "RawProducer":
        await self._client.bootstrap()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def send(self, topic: str, partition: int, raw: bytes) -> int:
        """Send to a partition; returns the offset of the first record."""
        async with asyncio.timeout(120):
            while True:
                try:
                    return await self._send(TopicPartition(topic, partition), raw)
                except KafkaError as error:
                    if not error.retriable:
                        raise
                    await asyncio.sleep(0.1)  # a new topic has no leader for a moment
                    self._client.add_topic(topic)
                    await self._client.force_metadata_update()

    async def _send(self, place: TopicPartition, raw: bytes) -> int:
        leader = self._client.cluster.leader_for_partition(place)
        if leader in (None, -1):
            raise LeaderNotAvailableError(place)
        request = ProduceRequest(
            required_acks=-1, timeout=10_000, topics=[(place.topic, [(place.partition, raw)])], transactional_id=None
        )
        response = await self._client.send(leader, request)
        [(_, [(_, code, offset, *_)])] = response.topics
        if code:
            raise for_code(code)(place)
        return int(offset)


MEGABYTE = 1_000_000
ANYWHERE: tuple[Poison, ...] = (
    Poison("not JSON", b"not json"),
    Poison("not UTF-8", b"\xff\xfe\x00"),
    Poison("empty", b""),
    Poison("no value", None),
    Poison("no value and no key", None, key=None),
    Poison("a number", b"17"),
    Poison("deep", b"[" * 100_000),
    Poison("as large as a topic takes", b"x" * (1_048_588 - 61 - 24 - 6)),
    Poison("unknown version", b'{"specversion":"1.0","type":"waypost.leads.received.v9","data":{}}'),
    Poison("no key", b"garbage", key=None),
    Poison("empty key", b"garbage", key=b""),
    Poison("key not UTF-8", b"garbage", key=b"\xff\xfe\x00"),
    Poison("huge key", b"garbage", key=b"k" * MEGABYTE),
    Poison("header value not UTF-8", b"garbage", headers=(("traceparent", b"\xff\xfe"),)),
    Poison("header name not UTF-8", b"garbage", headers=((_NAME, b"x"), ("other", b"y"))),
    Poison("header without name or value", b"garbage", headers=(("", None), ("a", None))),
    Poison("hundreds of headers", b"garbage", headers=tuple((f"h{n}", b"v") for n in range(700))),
    Poison("huge header", b"garbage", headers=(("h", b"v" * MEGABYTE),)),
    Poison("a hundred thousand headers", b"garbage", headers=(("h", b"v"),) * 100_000, is_whole=False),
    Poison("time of 1970", b"garbage", timestamp_ms=0),
    Poison("time before the calendar", b"garbage", timestamp_ms=-(2**60)),
    Poison("compressed garbage", b"garbage", codec=GZIP),
    Poison("3 MB in 3 kB of gzip", bytes(3 * MEGABYTE), codec=GZIP, is_whole=False),
    Poison("3 MB of snappy", bytes(3 * MEGABYTE), codec=SNAPPY, is_whole=False),
    Poison("3 MB of lz4", bytes(3 * MEGABYTE), codec=LZ4, is_whole=False),
    Poison("50 MB in 2 kB of zstd", bytes(50 * MEGABYTE), codec=ZSTD, is_whole=False),
    Poison("3 MB of header in gzip", b"x", headers=(("h", bytes(3 * MEGABYTE)),), codec=GZIP, is_whole=False),
    Poison("3 MB of key in gzip", b"x", key=bytes(3 * MEGABYTE), codec=GZIP, is_whole=False),
    Poison("more than is unpacked", bytes(140 * MEGABYTE), codec=ZSTD, is_whole=False),
)


def distorted(topic: str) -> tuple[Poison, ...]:
    """Facts of a topic, by their envelope our own, with content that no column and no calendar has."""
    fact = json.loads((GOLDEN / _golden_of(topic)).read_text(encoding="utf-8"))
    changes: dict[str, Callable[[Any], Any]] = {
        "times before the calendar": lambda leaf: "0001-01-01T00:00:00+14:00" if _is_time(leaf) else leaf,
        "numbers beyond every column": lambda leaf: 2**62 if type(leaf) is int else leaf,
        "texts with a null": lambda leaf: f"{leaf}\0" if isinstance(leaf, str) and not _is_time(leaf) else leaf,
    }
    return tuple(
        Poison(name, json.dumps({**fact, "data": _mapped(fact["data"], change)}).encode())
        for name, change in changes.items()
    )


def _golden_of(topic: str) -> str:
    return "record.dead.json" if topic.endswith(".dead") else _GOLDEN_NAMES.get(topic, f"{topic}.json")


_GOLDEN_NAMES = {"leads.decided": "leads.decided.assigned.json"}


def _mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(node, dict):
        return {name: _mapped(child, change) for name, child in node.items()}
    if isinstance(node, list):
        return [_mapped(child, change) for child in node]
    return change(node)


def _is_time(leaf: object) -> bool:
    return isinstance(leaf, str) and len(leaf) > 19 and leaf[4] == leaf[7] == "-" and leaf[10] == "T"
