"""The travel times of a batch of leads, within a hard limit: from the cache, and what is missing from the engine."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from services.router.barriers import Point
from services.router.domain import LeadFeatures, Travel
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from services.router.travel.answer import NoTimes
from services.router.travel.cache import Pair, TravelCache
from services.router.travel.client import Engine
from services.router.travel.metrics import TravelMetrics
from services.router.travel.shortlist import Shortlist, shortlists
from services.router.travel.tables import Missing, Table, tables
from shared.breaker import Breaker
from shared.contracts import WhyDistance
from shared.telemetry import get_logger

Start = tuple[str, Point]
"""A lead and where it was when it was asked for: an operator may have moved it until it is decided."""
_BROKEN = {WhyDistance.TIMEOUT, WhyDistance.UNAVAILABLE, WhyDistance.UNREADABLE}
"""Failures of the engine itself. A refusal is an answer: another question may fare better."""

_ONE_MAY_SPOIL_ALL = {WhyDistance.REFUSED, WhyDistance.NO_ROUTE}
"""Reasons that may be those of one point in a table: its rows are then asked for one by one."""


class TravelTimes:
    """What one process knows of ways, and the engine that it may ask."""

    def __init__(
        self,
        engine: Engine | None,
        cache: TravelCache,
        breaker: Breaker,
        metrics: TravelMetrics,
        timeout_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout_s` bounds the wait of a whole batch."""
        self._engine = engine
        self._cache = cache
        self._breaker = breaker
        self._metrics = metrics
        self._timeout_s = timeout_s
        self._monotonic = monotonic

    async def of(self, leads: Sequence[LeadFeatures], snapshot: Snapshot, policy: Policy) -> dict[Start, Travel]:
        """What a decision may know of the ways from each lead; nothing when the policy compares no times.

        A lead without a place, or without a site in reach, is not in it. Never raises for what the engine does.
        """
        wanted = shortlists(leads, snapshot, policy) if policy.travel.candidates else []
        if not wanted:
            return {}
        if self._engine is None:
            self._metrics.leads.labels(WhyDistance.NOT_CONFIGURED.value).inc(len(wanted))
            return {(one.lead_id, one.start): Travel({}, WhyDistance.NOT_CONFIGURED) for one in wanted}
        started = self._monotonic()
        seconds, missing = self._known(wanted, started)
        asked = tuple(dict.fromkeys(pairs for pairs in missing.values() if pairs))
        failed = await self._ask(self._engine, asked, seconds) if asked else {}
        self._metrics.seconds.observe(self._monotonic() - started)
        found = {(one.lead_id, one.start): _travel(one, seconds, failed.get(missing[one.lead_id])) for one in wanted}
        for result, count in Counter(travel.why_distance or "times" for travel in found.values()).items():
            self._metrics.leads.labels(str(result)).inc(count)
        return found

    def _known(self, wanted: Sequence[Shortlist], now: float) -> tuple[dict[Pair, int | None], dict[str, Missing]]:
        """What the cache has of these, and by lead what it lacks."""
        seconds: dict[Pair, int | None] = {}
        missing: dict[str, Missing] = {}
        for one in wanted:
            lacking = []
            for pair in one.pairs:
                kept = self._cache.get(pair, now)
                if kept is None:
                    lacking.append(pair)
                else:
                    [seconds[pair]] = kept
            missing[one.lead_id] = tuple(lacking)
            self._metrics.ways.labels("cache").inc(len(one.pairs) - len(lacking))
            self._metrics.ways.labels("engine").inc(len(lacking))
        return seconds, missing

    async def _ask(
        self, engine: Engine, asked: Sequence[Missing], seconds: dict[Pair, int | None]
    ) -> Mapping[Missing, WhyDistance]:
        """Ask for all of it at once and put what is answered in time into `seconds`; why the others were not."""
        if not self._breaker.allows(self._monotonic()):
            return dict.fromkeys(asked, WhyDistance.UNAVAILABLE)
        answers: dict[Missing, list[int | None] | NoTimes] = {}
        tasks = [asyncio.create_task(self._ask_for(engine, table, answers)) for table in tables(asked)]
        try:
            done, _ = await asyncio.wait(tasks, timeout=self._timeout_s)
        finally:
            late = [task for task in tasks if not task.done()]
            for task in late:
                task.cancel()
            # A cancelled request closes its connection: a late answer can meet no other question.
            await asyncio.gather(*late, return_exceptions=True)
        # Whatever else went wrong in asking must not stop the deciding; it is said in the log.
        broken = Counter(type(error).__name__ for task in done if (error := task.exception()) is not None)
        silent = NoTimes(WhyDistance.UNAVAILABLE if broken else WhyDistance.TIMEOUT)
        now, failed, details = self._monotonic(), dict[Missing, WhyDistance](), broken
        for pairs in asked:
            answer = answers.get(pairs, silent)
            if isinstance(answer, NoTimes):
                failed[pairs] = answer.why
                details.update([answer.detail] if answer.detail else [])
                continue
            for pair, known in zip(pairs, answer, strict=True):
                seconds[pair] = known
                self._cache.put(pair, known, now)
        self._judge(len(asked), Counter(failed.values()), details, now)
        return failed

    async def _ask_for(self, engine: Engine, table: Table, answers: dict[Missing, list[int | None] | NoTimes]) -> None:
        """Ask for one table; what comes of each row goes into `answers`."""
        result = WhyDistance.TIMEOUT.value
        try:
            rows = await engine.seconds(table.starts, table.ends)
            result = "answered"
        except NoTimes as error:
            result = error.why.value
            if len(table.asked) > 1 and error.why in _ONE_MAY_SPOIL_ALL:
                alone = [self._ask_for(engine, Table.of([pairs]), answers) for pairs in table.asked]
                await asyncio.gather(*alone)
            elif error.why is WhyDistance.NO_ROUTE:
                answers.update({pairs: [None] * len(pairs) for pairs in table.asked})
            else:
                answers.update(dict.fromkeys(table.asked, error))
            return
        finally:
            self._metrics.requests.labels(result).inc()
        for pairs, row in zip(table.asked, rows, strict=True):
            answers[pairs] = [row[place] for place in table.columns(pairs)]

    def _judge(self, asked: int, failed: Counter[WhyDistance], details: Counter[str], now: float) -> None:
        """Log and tell the breaker. Not a word of where anybody is."""
        log = get_logger()
        if failed:
            log.warning(
                "router.travel_times_missing",
                asked=asked,
                **{why.value: count for why, count in sorted(failed.items())},
                details=dict(sorted(details.items())),
            )
        if sum(count for why, count in failed.items() if why in _BROKEN) < asked:
            if self._breaker.answered():
                log.info("router.travel_engine_back")
        elif self._breaker.failed(now):
            log.warning(
                "router.travel_engine_rests", hint="distance decides meanwhile; `waypost doctor` says what is wrong"
            )
        self._metrics.resting.set(self._breaker.is_resting)


def _travel(one: Shortlist, seconds: Mapping[Pair, int | None], why: WhyDistance | None) -> Travel:
    # Some of the times would favour the sites that have one: all of them, or none.
    if why is not None:
        return Travel({}, why)
    return Travel({pair.site_id: seconds[pair] for pair in one.pairs})
