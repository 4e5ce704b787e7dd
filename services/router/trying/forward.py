"""The first decisions of leads, taken forward in the order in which they came, under any network and policy.

Loads start from zero and are made by the simulation alone: the loads that the past shows are those of the policy of
that time, and would make every other one look worse than it is. For the same reason two settings are compared as two
simulations, never a simulation with the ledger. Shares of partners start the same way: months are those of the leads'
own times, and nobody was given any lead of a month before the first lead here. What contracts really count now was
given by other policies, and the share that a setting reaches by itself is what a study asks for.

What the past does not say is assumed, the same for every setting: a site keeps each lead until its `respond_by`, the
longest that the policy allows, and then counts as having accepted it. A lead that nobody can take waits, and is not
tried again. Nothing that happens to a lead after its first decision is simulated.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import NamedTuple

from services.router.domain import (
    NEW,
    Ask,
    Decided,
    LeadFeatures,
    LeadState,
    LiveLead,
    Received,
    Served,
    contracted,
    decide_batch,
    month_of,
    stay_with,
)
from services.router.policy import Contracted, Policy
from services.router.snapshot import Snapshot
from shared.contracts import ClosedReason
from shared.vocabulary import Intent

_NEVER = datetime.max.replace(tzinfo=UTC)
MOST_AT_ONCE = 2_000
"""Leads of one call of the engine, when a minute has more of them."""


class Setting(NamedTuple):
    """What decides: a network, ready to be asked, and a policy."""

    snapshot: Snapshot
    policy: Policy


class Arriving(NamedTuple):
    """A lead as it came."""

    lead: LeadFeatures
    comes_again: bool = False
    """Whether its person has other leads here. Only they are remembered, to be joined: most persons come once."""


class _Live(NamedTuple):
    """A lead that later ones of its person may join."""

    lead_id: str
    site_id: str | None
    kept_until: datetime | None
    """When its site counts as having accepted it; None while it waits."""

    def at(self, now: datetime) -> LiveLead:
        """The lead as the engine wants to know it."""
        if self.kept_until is None:
            return LiveLead(self.lead_id, LeadState.WAITING, None, None, now)
        if now < self.kept_until:
            return LiveLead(self.lead_id, LeadState.HELD, self.site_id, None, now)
        return LiveLead(self.lead_id, LeadState.CLOSED, self.site_id, ClosedReason.ACCEPTED, self.kept_until)


class Forward:
    """One simulation. Give it leads in order of `received_at`; how they are cut into calls changes nothing."""

    def __init__(self, setting: Setting) -> None:
        self._snapshot, self._policy = setting
        self._loads: dict[str, int] = {}
        self._days: dict[str, date] = {}
        self._days_until: datetime | None = None
        self._taken: dict[str, int] = {}
        self._month: date | None = None
        self._given: dict[Contracted, int] = {}
        self._holds: list[tuple[datetime, str]] = []
        self._live: dict[tuple[str, str], _Live] = {}
        self._served: dict[str, dict[Intent, Served]] = {}

    def decide(self, arriving: Sequence[Arriving]) -> list[Decided]:
        """The first decision of each lead, in order."""
        answers: list[Decided] = []
        # Deadlines count in minutes, so a clock that stands still within one is fine enough.
        for now, same_minute in groupby(arriving, key=lambda one: _minute(one.lead.received_at)):
            self._let_go(now)
            self._turn_days(now)
            self._turn_month(now)
            for part in _parts(same_minute):
                answers += self._decide_at(now, part)
        return answers

    def _decide_at(self, now: datetime, arriving: Sequence[Arriving]) -> list[Decided]:
        asks = [self._ask(one, now) for one in arriving]
        answers = decide_batch(asks, *self._setting, self._loads, now, self._taken, self._given)
        decided = []
        for one, answer in zip(arriving, answers, strict=True):
            if not isinstance(answer, Decided):
                raise TypeError("a lead that just came is never stale")
            for site_id, change in answer.deltas:
                self._loads[site_id] = self._loads.get(site_id, 0) + change
            if answer.site_id is not None and answer.respond_by is not None:
                heapq.heappush(self._holds, (answer.respond_by, answer.site_id))
                if answer.site_id in self._days:
                    self._taken[answer.site_id] = self._taken.get(answer.site_id, 0) + 1
                self._count_share(answer.site_id)
            if one.comes_again:
                self._remember(one.lead, answer)
            decided.append(answer)
        return decided

    @property
    def _setting(self) -> Setting:
        return Setting(self._snapshot, self._policy)

    def _let_go(self, now: datetime) -> None:
        while self._holds and self._holds[0][0] <= now:
            _, site_id = heapq.heappop(self._holds)
            self._loads[site_id] -= 1

    def _turn_days(self, now: datetime) -> None:
        if self._days_until is not None and now < self._days_until:
            return
        today = self._snapshot.today(now)
        for site_id, day in today.items():
            if self._days.get(site_id) != day:
                self._taken.pop(site_id, None)
        self._days = today
        self._days_until = min((self._snapshot.next_day(site_id, now) for site_id in today), default=_NEVER)

    def _turn_month(self, now: datetime) -> None:
        if self._policy.shares and (month := month_of(now)) != self._month:
            self._month, self._given = month, {}

    def _count_share(self, site_id: str) -> None:
        key = contracted(self._policy, self._snapshot, site_id) if self._policy.shares else None
        if key is not None:
            self._given[key] = self._given.get(key, 0) + 1

    def _ask(self, one: Arriving, now: datetime) -> Ask:
        live = None
        if one.comes_again and (group := self._policy.join_group(one.lead.intent)) is not None:
            kept = self._live.get((one.lead.person_id, group))
            live = kept and kept.at(now)
        stay = None
        if one.comes_again and self._policy.stay:
            served = [past for past in self._served.get(one.lead.person_id, {}).values() if past.at <= now]
            stay = stay_with(self._policy, one.lead, served, now)
        return Ask(one.lead, NEW, Received(one.lead.lead_id), live, stay=stay)

    def _remember(self, lead: LeadFeatures, answer: Decided) -> None:
        group = self._policy.join_group(lead.intent)
        if answer.site_id is not None and answer.respond_by is not None:
            served = Served(lead.intent, answer.site_id, answer.respond_by)
            self._served.setdefault(lead.person_id, {})[lead.intent] = served
        if group is not None and answer.outcome != "joined":
            self._live[lead.person_id, group] = _Live(lead.lead_id, answer.site_id, answer.respond_by)


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _parts(arriving: Iterable[Arriving]) -> Iterator[Sequence[Arriving]]:
    part: list[Arriving] = []
    for one in arriving:
        part.append(one)
        if len(part) == MOST_AT_ONCE:
            yield part
            part = []
    if part:
        yield part
