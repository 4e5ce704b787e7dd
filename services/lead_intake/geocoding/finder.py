"""Asks the map service within a hard time, or says at once why not: kept answers, breaker, pace, then one request.

Nothing here raises for what the service does, and equal questions of one moment are one request.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.lead_intake.geocoding.answers import Answers, Key
from services.lead_intake.geocoding.pace import Pace
from services.lead_intake.geocoding.port import Failure, Found, Geocoder, GeocoderFailed, Question
from shared.breaker import Breaker
from shared.errors import where
from shared.telemetry import get_logger

KEPT, FOUND, NOTHING, BUSY, OPEN = "kept", "found", "nothing", "busy", "breaker_open"
RESULTS = (KEPT, FOUND, NOTHING, BUSY, OPEN, *Failure)


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking ended: one of RESULTS, and the answers, if there are any."""

    result: str
    found: tuple[Found, ...] = ()


class PlaceFinder:
    """A geocoder with everything that keeps it from hurting the intake. Used by one event loop."""

    def __init__(
        self,
        geocoder: Geocoder,
        answers: Answers,
        breaker: Breaker,
        pace: Pace,
        within_s: float,
        registry: CollectorRegistry,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._geocoder = geocoder
        self._answers = answers
        self._breaker = breaker
        self._pace = pace
        self._within_s = within_s
        self._clock = clock
        self._sleep = sleep
        self._under_way: dict[Key, asyncio.Task[Asked]] = {}
        self._results = Counter(
            "waypost_intake_geocoder_questions",
            "Leads whose place was asked for, by how it ended",
            ("result",),
            registry=registry,
        )
        for result in RESULTS:
            self._results.labels(result)
        self._took = Histogram(
            "waypost_intake_geocoder_seconds",
            "From the request to the map service to its answer or failure",
            buckets=(0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5),
            registry=registry,
        )
        Gauge("waypost_intake_geocoder_open", "1 while the map service is left alone", registry=registry).set_function(
            lambda: float(breaker.is_resting)
        )
        Gauge("waypost_intake_geocoder_kept", "Answers kept in memory", registry=registry).set_function(
            lambda: len(answers)
        )

    async def find(self, question: Question) -> Asked:
        """What the service says, at the latest after `within_s`."""
        key = self._answers.key(question)
        if (found := self._answers.get(key)) is not None:
            asked = Asked(KEPT, found)
        else:
            task = self._under_way.get(key)
            if task is None:
                task = asyncio.create_task(self._ask(key, question))
                self._under_way[key] = task
                task.add_done_callback(lambda _: self._under_way.pop(key))
            # A sender that goes away must not take the answer from another who waits for the same.
            asked = await asyncio.shield(task)
        self._results.labels(asked.result).inc()
        return asked

    async def _ask(self, key: Key, question: Question) -> Asked:
        if self._breaker.rests(self._clock()):
            return Asked(OPEN)
        # A turn so late that the service could not answer any more would count against it.
        wait_s = self._pace.take_turn(self._within_s / 2)
        if wait_s is None:
            return Asked(BUSY)
        if wait_s:
            await self._sleep(wait_s)
        if not self._breaker.allows(self._clock()):
            return Asked(OPEN)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._within_s - wait_s):
                found = await self._geocoder.find(question)
        except (GeocoderFailed, TimeoutError) as error:
            failure = error.failure if isinstance(error, GeocoderFailed) else Failure.TIMEOUT
            self._breaker.failed(self._clock(), error.pause_s if isinstance(error, GeocoderFailed) else 0.0)
            get_logger().warning("geocoder.failed", failure=failure, left_alone=self._breaker.is_resting)
            return Asked(failure)
        except Exception as error:  # noqa: BLE001 - no answer, however odd, may cost a lead
            self._breaker.failed(self._clock())
            get_logger().error("geocoder.failed", error=type(error).__name__, at=where(error))
            return Asked(Failure.GARBAGE)
        finally:
            self._took.observe(time.perf_counter() - began)
        self._breaker.answered()
        self._answers.put(key, found)
        return Asked(FOUND if found else NOTHING, found)
