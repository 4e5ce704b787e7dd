"""Lives of two ledgers on the same facts: the engine's and the plain one, with few sites and small limits.

Facts wait until a router polls: what waits together is one batch, so an answer that frees a place stands beside the
leads that want it, and beside whatever else was said of the same lead.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from random import Random
from typing import Literal, TypeVar
from uuid import UUID

from services.router.db.ledger import LeadRow
from services.router.domain import Answered, Due, Erased, LeadFeatures, Ordered, Received, Stimulus, Travel, month_of
from services.router.reading import Arrival
from services.router.sites import ALWAYS, WorkingTime
from services.router.snapshot import Site, Snapshot
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DUE,
    LEADS_ORDERED,
    LEADS_RECEIVED,
    PEOPLE_ERASED,
    Answer,
    Order,
    Result,
    WhyDistance,
)
from shared.vocabulary import Capability, Intent, SiteKind, SiteStatus
from tests.services.router.lives import place_at
from tests.services.router.memory_ledger import MemoryLedger, Recorded, said
from tests.services.router.networks import lead, policy, site
from tests.services.router.plain_ledger import PlainLead, PlainLedger

T = TypeVar("T")
# A Monday afternoon in China, two days before a month ends.
START = datetime(2026, 6, 29, 9, 30, tzinfo=UTC)
# Two in one mall, one 900 m on, two across the town.
POINTS = {"a": (31.3, 120.6), "b": (31.3002, 120.6), "c": (31.308, 120.6), "d": (31.35, 120.6), "e": (31.35, 120.6)}
SITE_IDS = [*POINTS]
STORE = (SiteKind.AGENT_STORE, (Capability.SALES, Capability.TEST_DRIVE))
CENTER = (SiteKind.DELIVERY_CENTER, tuple(Capability))
WORKING_TIMES = [
    WorkingTime("Mo-Su 09:00-18:00"),
    WorkingTime("Mo-Fr 08:00-17:00"),
    WorkingTime("", "Asia/Urumqi"),
    WorkingTime(opens_on=date(2026, 7, 1)),
]
SHARES = {"grand": 60, "lucky": 40}
POLICIES = [
    policy(candidates=3),
    policy(candidates=2, shares=SHARES, stay_km=20),
    policy(candidates=1, tie_band_m=0, tries=(1, 0, 0)),
    policy(candidates=2, tie_band_m=2_000, shares=SHARES),
    policy(candidates=3, max_km=2, tries=(1, 200, 3), stay_km=20),
    policy(candidates=2, tries=(0, 0, 2), stay_km=5, shares=SHARES),
    policy(candidates=2, max_km=2, open_first_km=20, tries=(2, 0, 0)),
    policy(candidates=3, tie_band_m=2_000, open_first_km=20, shares=SHARES, stay_km=20),
    policy(candidates=3, travel=(4, 60), open_first_km=20, stay_km=20),
    policy(candidates=3, travel=(4, 60), shares=SHARES, tries=(2, 0, 3)),
    policy(candidates=2, steps=((0.6, 2), 10), tries=(2, 0, 0)),
    policy(candidates=3, tie_band_m=2_000, steps=((0.6, 3), 60), stay_km=5, shares=SHARES),
]
HERE = POINTS["a"]
TOPICS = [LEADS_RECEIVED.name, LEADS_ANSWERED.name, LEADS_DUE.name, LEADS_ORDERED.name, PEOPLE_ERASED.name]
ORDERS = [order[:count] for order in permutations(TOPICS) for count in (1, 3, 5)]
SAID: list[Answer | Literal["respond_by", "retry"]] = [*Answer, "respond_by", "retry"]


def a_site(site_id: str, chance: Random) -> Site:
    """A site at its place, however it works otherwise."""
    kind, capabilities = chance.choice([CENTER, CENTER, STORE])
    return site(
        site_id,
        *POINTS[site_id],
        kind=kind,
        capabilities=capabilities,
        limit=chance.choice([1, 1, 2, 3, None]),
        daily_limit=chance.choice([None, None, None, 1, 2]),
        partner=chance.choice(["grand", "lucky", ""]),
        weight=chance.choice([1, 2]),
        when=chance.choice([ALWAYS] * 3 + WORKING_TIMES),
        status=chance.choice([SiteStatus.OPEN] * 5 + [SiteStatus.CLOSED]),
    )


class Lives:
    """A network and a policy, two ledgers that are told of the same facts, and what both are held to."""

    def __init__(self, chance: Random) -> None:
        self.now = START
        self.policy = chance.choice(POLICIES)
        # Mostly few, so that they are full.
        self.network = [a_site(site_id, chance) for site_id in SITE_IDS if site_id == "a" or chance.choice([0, 1, 1])]
        self.snapshot = Snapshot.build(self.network, 1)
        self.engine, self.plain = MemoryLedger(), PlainLedger()
        self.leads: list[LeadFeatures] = []
        self.published: list[Arrival] = []
        self.waiting: list[Arrival] = []
        self.tried: set[tuple[str, str]] = set()
        """Lead and site: it has had its try."""

    def step(self, chance: Random) -> str:
        """The next thing happens; returns which."""
        happens = chance.choice(STEPS)
        happens(self, chance)
        return happens.__name__

    # What happens outside of the router.

    def leads_come(self, chance: Random) -> None:
        intent = chance.choice([Intent.PURCHASE, Intent.TEST_DRIVE, Intent.MAINTENANCE])
        point = chance.choice(
            [HERE, HERE, POINTS["c"], POINTS["c"], POINTS["d"], POINTS["d"], (31.304, 120.6), (32.0, 120.6), None]
        )
        person = chance.choice([None, None, 1, 2])
        wish = chance.choice([None, None, None, "a", "d"])
        received_at = self.now - timedelta(minutes=chance.choice([0, 0, 0, 5, 3_000]))
        for _ in range(chance.choice([1, 2, 3, 4])):
            features = lead(len(self.leads) + 1, point, intent=intent, person=person, preferred=wish)
            self.leads.append(features._replace(received_at=received_at))
            self._publish(LEADS_RECEIVED.name, self.leads[-1], Received(self._fact_id()))

    def holders_answer(self, chance: Random) -> None:
        for _ in range(chance.choice([1, 2, 3])):
            held = [row for row in self.engine.rows.values() if row.state == "held"]
            if held:
                row = chance.choice(held)
                answer = chance.choice([*Answer, Answer.ACCEPTED, Answer.DECLINED])
                self._answer(row, row.assignment_epoch or 0, row.site_id or "", answer)

    def timers_look(self, chance: Random) -> None:
        for row in self.engine.rows.values():
            if row.state == "held" and row.respond_by is not None and row.respond_by <= self.now:
                self._due(row, row.epoch, "respond_by", row.respond_by)
            if row.state == "waiting":
                self._due(row, row.epoch, "retry", self.now)

    def something_early_or_false_is_said(self, chance: Random) -> None:
        if self.leads:
            features = chance.choice(self.leads[-6:])
            row = self.engine.rows.get(features.lead_id)
            epoch = (row.epoch if row else 0) + chance.choice([1, 1, 2, -1])
            what = chance.choice(SAID)
            if isinstance(what, Answer):
                self._answer(features, epoch, chance.choice(self.network).site_id, what)
            else:
                self._due(features, epoch, what, self.now)

    def an_operator_orders(self, chance: Random) -> None:
        row = self._ordered_row(chance)
        if row is not None:
            epoch = row.epoch + chance.choice([0, 0, 0, -1])
            # Who orders again at once knows what came of the first order, and the router has both in one batch.
            for later in range(chance.choice([1, 1, 2])):
                site_id = chance.choice([None, *SITE_IDS])
                point = chance.choice([None, None, HERE, (31.304, 120.6), POINTS["d"]])
                place = None if point is None else place_at(point)
                self._order(row, epoch + later, Order(ordered_by="mei", site_id=site_id, place=place))

    def an_operator_ends_it(self, chance: Random) -> None:
        row = self._ordered_row(chance)
        if row is not None:
            self._order(row, row.epoch, Order(ordered_by="mei", result=Result.UNREACHABLE))

    def a_person_is_erased(self, chance: Random) -> None:
        person_id = chance.choice(self.leads).person_id if self.leads else ""
        erased = Erased(self._fact_id())
        for features in self.leads:
            if features.person_id == person_id:
                self._publish(PEOPLE_ERASED.name, features, erased)

    def a_fact_comes_again(self, chance: Random) -> None:
        if self.published:
            self.waiting.append(chance.choice(self.published[::-1]))

    def time_passes(self, chance: Random) -> None:
        self.now += timedelta(minutes=chance.choice([1, 10, 10, 60, 720, 1_440, 4_330, 4_330, 45_000]))

    def the_network_changes(self, chance: Random) -> None:
        site_id, is_gone = chance.choice(SITE_IDS), chance.choice([False, False, False, True])
        others = [one for one in self.network if one.site_id != site_id]
        self.network = others if is_gone and others else [*others, a_site(site_id, chance)]
        self.snapshot = Snapshot.build(self.network, self.snapshot.revision + 1)

    def the_policy_changes(self, chance: Random) -> None:
        self.policy = chance.choice(POLICIES)

    # What a router does, and what must hold after it.

    def a_router_polls(self, chance: Random) -> None:
        batch, self.waiting = self.waiting, []
        self._poll(batch)

    def a_router_polls_some_topics(self, chance: Random) -> None:
        polled = chance.choice(ORDERS)
        batch = [fact for topic in polled for fact in self.waiting if fact.topic == topic]
        self.waiting = [fact for fact in self.waiting if fact.topic not in polled]
        self._poll(batch)

    def _poll(self, batch: list[Arrival]) -> None:
        if not batch:
            return
        held, taken = Counter(self.engine.loads), Counter(self._taken())
        recorded, stale = self.engine.poll(batch, self.snapshot, self.policy, self.now, travel_of)
        decided, plainly_stale = self.plain.poll(batch, self.network, self.policy, self.now, travel_of)
        assert [said(one.decided) for one in recorded] == decided
        assert stale == plainly_stale
        self._agree()
        self._check_holders()
        self._check_limits(recorded, held, taken)
        self._check_tries(recorded)

    def _agree(self) -> None:
        rows = [row for row in self.engine.rows.values() if row.epoch]
        assert {row.lead_id: _of_engine(row) for row in rows} == {
            lead_id: _of_plain(one) for lead_id, one in self.plain.leads.items()
        }
        assert {site_id: self.engine.loads[site_id] for site_id in SITE_IDS} == {
            site_id: self.plain.holds(site_id) for site_id in SITE_IDS
        }
        today = self.snapshot.today(self.now)
        taken = self._taken()
        assert {site_id: self.engine.days[site_id, day] for site_id, day in today.items()} == {
            site_id: taken[site_id] for site_id in today
        }
        month = month_of(self.now)
        given = {key.partner: count for (counted_in, key), count in self.engine.months.items() if counted_in == month}
        assert given == self.plain.given_this_month(self.now)

    def _taken(self) -> dict[str, int]:
        return {one.site_id: self.plain.taken_today(one, self.now) for one in self.network}

    def _check_holders(self) -> None:
        """One customer, one holder."""
        owned = Counter(
            (row.person_id, row.join_group) for row in self.engine.rows.values() if row.state in ("held", "waiting")
        )
        assert max(owned.values(), default=0) <= 1

    def _check_limits(self, recorded: list[Recorded], held: Counter[str], taken: Counter[str]) -> None:
        """However full a site was when its limit was lowered: it is given nothing beyond it."""
        network = {one.site_id: one for one in self.network}
        for site_id, change in [delta for one in recorded for delta in one.decided.deltas]:
            held[site_id] += change
            if change > 0:
                taken[site_id] += 1
                limit, daily_limit = network[site_id].open_lead_limit, network[site_id].daily_lead_limit
                assert network[site_id].status is SiteStatus.OPEN
                assert limit is None or held[site_id] <= limit
                assert daily_limit is None or taken[site_id] <= daily_limit

    def _check_tries(self, recorded: list[Recorded]) -> None:
        """Nothing circles: who had its try gets the lead again only when an operator names it."""
        for one in recorded:
            lead_id, stimulus = one.decided.lead_id, one.ask.stimulus
            declined = isinstance(stimulus, Answered) and stimulus.answer in (Answer.DECLINED, Answer.UNDELIVERABLE)
            if declined or (isinstance(stimulus, Due) and stimulus.due == "respond_by"):
                self.tried |= {(lead_id, site_id) for site_id, change in one.decided.deltas if change < 0}
            is_named = isinstance(stimulus, Ordered) and stimulus.order.site_id is not None
            if one.decided.outcome == "assigned" and not is_named:
                assert (lead_id, one.decided.site_id) not in self.tried

    def _fact_id(self) -> str:
        return str(UUID(int=1_000_000 + len(self.published)))

    def _publish(self, topic: str, of: LeadFeatures | LeadRow, stimulus: Stimulus) -> None:
        received = of if isinstance(of, LeadFeatures) and isinstance(stimulus, Received) else None
        fact = Arrival(topic, of.lead_id, stimulus, None, received, of.person_id)
        self.published.append(fact)
        self.waiting.append(fact)

    def _answer(self, of: LeadFeatures | LeadRow, epoch: int, site_id: str, answer: Answer) -> None:
        result = Result.LOST if answer is Answer.OUTCOME else None
        self._publish(LEADS_ANSWERED.name, of, Answered(self._fact_id(), epoch, site_id, answer, result))

    def _due(
        self, of: LeadFeatures | LeadRow, epoch: int, due: Literal["respond_by", "retry"], due_at: datetime
    ) -> None:
        self._publish(LEADS_DUE.name, of, Due(self._fact_id(), epoch, due, due_at))

    def _ordered_row(self, chance: Random) -> LeadRow | None:
        moving = [row for row in self.engine.rows.values() if row.state in ("waiting", "held")]
        rows = moving[-6:] or [*self.engine.rows.values()]
        return chance.choice(rows) if rows else None

    def _order(self, row: LeadRow, epoch: int, order: Order) -> None:
        self._publish(LEADS_ORDERED.name, row, Ordered(self._fact_id(), epoch, order))


OFTEN: list[tuple[int, Callable[[Lives, Random], None]]] = [
    (6, Lives.leads_come),
    (5, Lives.holders_answer),
    (5, Lives.a_router_polls),
    (2, Lives.a_router_polls_some_topics),
    (4, Lives.time_passes),
    (3, Lives.timers_look),
    (3, Lives.an_operator_orders),
    (1, Lives.an_operator_ends_it),
    (1, Lives.a_person_is_erased),
    (2, Lives.a_fact_comes_again),
    (2, Lives.something_early_or_false_is_said),
    (2, Lives.the_network_changes),
    (1, Lives.the_policy_changes),
]
STEPS = [happens for often, happens in OFTEN for _ in range(often)]


def travel_of(lead_id: str, point: tuple[float, float]) -> Travel:
    """Half minutes that have nothing to do with the distance, some sites without a road; now and then no engine."""
    chance = UUID(lead_id).int * 31 + round(point[0] * 1_000)
    if chance % 5 == 0:
        return Travel({}, WhyDistance.TIMEOUT)
    seconds = {site_id: (chance * (place + 3)) % 7 * 30 for place, site_id in enumerate(SITE_IDS)}
    return Travel({site_id: s or None for site_id, s in seconds.items()}, None)


def _of_engine(row: LeadRow) -> tuple[object, ...]:
    at = None if row.lat is None or row.lon is None else (row.lat, row.lon)
    return (
        row.epoch, row.state, row.site_id, row.assignment_epoch, row.respond_by, row.closed, row.waiting, at,
        row.excluded,
    )  # fmt: skip


def _of_plain(one: PlainLead) -> tuple[object, ...]:
    return (
        one.epoch, one.state, one.site_id, one.given_in, one.respond_by, one.closed, one.waiting, one.features.point,
        one.tried,
    )  # fmt: skip
