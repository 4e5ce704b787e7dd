"""Random networks, policies and leads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from hypothesis import strategies as st

import services.router
from services.router.domain import NEW, Ask, LeadFeatures, Received, Travel
from services.router.policy import Policy
from services.router.sites import ALWAYS, Offering, WorkingTime
from services.router.snapshot import Site
from shared.contracts import LeadReceived, Place, Vehicle, WhyDistance
from shared.vocabulary import Accuracy, Capability, Channel, Datum, Intent, SiteKind, SiteStatus

NOW = datetime(2026, 6, 1, 9, 30, 0, 250_000, tzinfo=UTC)
DEFAULT_POLICY = (Path(services.router.__file__).parent / "default_policy.toml").read_text(encoding="utf-8")


def policy(
    *,
    tie_band_m: float = 50,
    candidates: int = 5,
    max_km: float | None = None,
    open_first_km: float = 0,
    remind: int = 0,
    escalate: int = 0,
    barriers: Sequence[tuple[Sequence[tuple[float, float]], float]] = (),
    travel: tuple[int, int] = (0, 60),
    skills: Sequence[str] = (),
    barred: Sequence[str] = (),
    tries: tuple[int, float, int] = (0, 0, 0),
    stay_km: float = 0,
    shares: Mapping[str, int] = MappingProxyType({}),
    steps: tuple[Sequence[float], int] = ((), 0),
) -> Policy:
    """The default policy with other numbers; `max_km` replaces every intent's maximum.

    `barriers` are lines of (lat, lon) with what their crossing costs in km; `travel` is how many sites are compared by
    travel time, and the band in seconds; `tries` are before_center, center_within_km and before_person; with
    `stay_km` there is one rule `again`, for all intents after all; `skills` and `barred` partners are every intent's;
    `shares` are percents of partners in the one city that sites are in; `steps` are every intent's radius_km, as far as
    they lie within `max_km`, and its grow_after_minutes.
    """
    each = "".join(
        f"{key} = {list(names)}\n" for key, names in (("skills", skills), ("barred_partners", barred)) if names
    )
    radius_km = [step for step in steps[0] if max_km is None or step < max_km]
    if radius_km:
        each += f"radius_km = {radius_km}\ngrow_after_minutes = {steps[1]}\n"
    lines = tuple((tuple(line), km) for line, km in barriers)
    return _policy(
        tie_band_m,
        candidates,
        max_km,
        open_first_km,
        remind,
        escalate,
        lines,
        travel,
        tries,
        stay_km,
        each,
        tuple(shares.items()),
    )


@lru_cache(maxsize=2_000)
def _policy(
    tie_band_m: float,
    candidates: int,
    max_km: float | None,
    open_first_km: float,
    remind: int,
    escalate: int,
    barriers: tuple[tuple[tuple[tuple[float, float], ...], float], ...],
    travel: tuple[int, int],
    tries: tuple[int, float, int],
    stay_km: float,
    each_intent: str,
    shares: tuple[tuple[str, int], ...],
) -> Policy:
    lines = []
    for line in DEFAULT_POLICY.splitlines():
        if line.startswith("tie_band_m"):
            line = f"tie_band_m = {tie_band_m}"
        if line.startswith("candidates"):
            line = f"candidates = {candidates}"
        if line.startswith("max_distance_km") and max_km is not None:
            line = f"max_distance_km = {max_km}"
        if line.startswith("prefer_open_within_km"):
            line = f"prefer_open_within_km = {open_first_km}"
        if line.startswith("remind_after_percent"):
            line = f"remind_after_percent = {remind}"
        if line.startswith("escalate_after_percent"):
            line = f"escalate_after_percent = {escalate}"
        for key, number in zip(("before_center", "center_within_km", "before_person"), tries, strict=True):
            if line.startswith(f"{key} ="):
                line = f"{key} = {number}"
        lines.append(line)
        if line.startswith("max_distance_km"):
            lines.append(each_intent)
    lines.append(f"[travel]\ncandidates = {travel[0]}\ntie_band_s = {travel[1]}")
    if stay_km:
        every = [intent.value for intent in Intent]
        lines.append(f'[[stay]]\nname = "again"\nintents = {every}\nafter = {every}\nwithin_km = {stay_km}')
    for line_points, detour_km in barriers:
        points = [list(point) for point in line_points]
        lines.append(f'[[barriers]]\nname = "water"\nline = {points}\ndatum = "wgs84"\ndetour_km = {detour_km}')
    if shares:
        due = ", ".join(f"{partner} = {percent}" for partner, percent in shares)
        lines.append(f'[[shares]]\ncity = "CITY"\npartners = {{ {due} }}')
    return Policy.from_toml("\n".join(lines), 7)


def site(
    site_id: str,
    lat: float = 31.3,
    lon: float = 120.6,
    *,
    kind: SiteKind = SiteKind.DELIVERY_CENTER,
    capabilities: Sequence[Capability] = tuple(Capability),
    status: SiteStatus = SiteStatus.OPEN,
    weight: int = 1,
    limit: int | None = None,
    when: WorkingTime = ALWAYS,
    daily_limit: int | None = None,
    partner: str = "",
    vehicles: Sequence[str] = (),
    skills: Sequence[str] = (),
) -> Site:
    """A delivery center that can do everything and never closes, unless said otherwise."""
    return Site(
        site_id, "Site", kind, "City", "District", lat, lon, Datum.WGS84, frozenset(capabilities), status, weight,
        limit, when, daily_limit, Offering(partner, frozenset(vehicles), frozenset(skills)),
    )  # fmt: skip


def lead(
    number: int = 1,
    point: tuple[float, float] | None = (31.3, 120.6),
    *,
    intent: Intent = Intent.PURCHASE,
    person: int | None = None,
    preferred: str | None = None,
    vehicle: str = "",
    minutes_old: float = 0,
) -> LeadFeatures:
    """Lead `number`, of a person of its own unless said otherwise."""
    person_id = UUID(int=(10_000 + number) if person is None else person)
    received_at = NOW - timedelta(minutes=minutes_old)
    return LeadFeatures(str(UUID(int=number)), str(person_id), intent, point, preferred, received_at, vehicle)


def received(features: LeadFeatures, number: int = 1, *, travel: Travel | None = None) -> Ask:
    """The lead arrives."""
    return Ask(features, NEW, Received(str(UUID(int=1_000_000 + number))), travel=travel)


def as_fact(features: LeadFeatures) -> LeadReceived:
    """The fact from which these features came."""
    place, vehicle = None, None
    if features.vehicle:
        brand, _, model = features.vehicle.partition("/")
        vehicle = Vehicle(brand=brand, model=model or None)
    if features.point is not None:
        lat, lon = features.point
        place = Place(lat=lat, lon=lon, accuracy=Accuracy.POINT, given_datum=Datum.WGS84)
    return LeadReceived(
        lead_id=UUID(features.lead_id),
        person_id=UUID(features.person_id),
        intent=features.intent,
        place=place,
        preferred_site_id=features.preferred_site_id,
        vehicle=vehicle,
        source="web",
        channel=Channel.FORM,
        consent_version="v1",
        consent_at=features.received_at,
        received_at=features.received_at,
    )


# Steps of 22 m: sites share points, fall into one band, and stand in rows; a few are a city away.
_LAT = st.integers(0, 30).map(lambda step: round(31.0 + step * 0.0002, 4)) | st.sampled_from([31.5, 32.0])
_LON = st.integers(0, 6).map(lambda step: round(120.0 + step * 0.0002, 4)) | st.sampled_from([120.5, -180.0, 180.0])
POINTS = st.tuples(_LAT, _LON)
# NOW is half past five on a Monday afternoon in China: half of these are closed then, two have no business at all.
WORKING_TIMES = [
    ALWAYS,
    WorkingTime("Mo-Su 09:00-18:00"),
    WorkingTime("Mo-Fr 08:00-17:00"),
    WorkingTime("Tu-Su 10:00-20:00"),
    WorkingTime("Mo-Su 09:00-18:00", closures=((date(2026, 5, 30), date(2026, 6, 2)),)),
    WorkingTime(opens_on=date(2026, 6, 2)),
    WorkingTime("24/7", closes_on=date(2026, 5, 31)),
]
# Most sites run by nobody in particular, for every vehicle; the others differ in each of the three.
PARTNERS = ["", "", "grand", "lucky"]
VEHICLES: list[list[str]] = [[], [], ["aurora"], ["aurora/one", "borealis"]]
ASKED_VEHICLES = ["", "", "aurora", "aurora/one", "aurora/two", "borealis/one", "cometa"]
SITE_IDS = [f"site-{number}" for number in range(60)]


@st.composite
def sites(draw: st.DrawFn, max_size: int = 40, *, daily: bool = False) -> list[Site]:
    """A network in no order, with shared points, limits, closed sites and sites that can do little.

    Half of them are dense: a few points hold many sites, more than one search fetches. Daily limits only when `daily`.
    """
    ids = draw(st.lists(st.sampled_from(SITE_IDS), unique=True, max_size=max_size))
    malls = draw(st.none() | st.lists(POINTS, min_size=1, max_size=3))
    points = POINTS if malls is None else st.sampled_from(malls)
    anything = draw(st.booleans())
    alike = draw(st.booleans())
    working_times = st.sampled_from(draw(st.sampled_from([WORKING_TIMES[:1], WORKING_TIMES])))
    return [
        site(
            site_id,
            *draw(points),
            kind=draw(st.just(SiteKind.DELIVERY_CENTER) if anything else st.sampled_from(SiteKind)),
            capabilities=draw(st.just(tuple(Capability)) | st.lists(st.sampled_from(Capability), unique=True))
            if not anything
            else tuple(Capability),
            status=draw(st.sampled_from([SiteStatus.OPEN] * 5 + [SiteStatus.CLOSED, SiteStatus.RECRUITING])),
            weight=draw(st.integers(1, 3)),
            limit=draw(st.none() | st.integers(1, 3)),
            when=draw(working_times),
            daily_limit=draw(st.none() | st.integers(1, 3)) if daily else None,
            partner="" if alike else draw(st.sampled_from(PARTNERS)),
            vehicles=() if alike else draw(st.sampled_from(VEHICLES)),
            skills=() if alike else draw(st.sampled_from([(), ("battery",)])),
        )
        for site_id in ids
    ]


# A river through the towns, a lake round some of them, and a strait a city away.
RIVER = [(31.0031, 119.9), (31.0031, 120.2)]
LAKE = [(30.9999, 119.9999), (30.9999, 120.0007), (31.0015, 120.0007), (31.0015, 119.9999), (30.9999, 119.9999)]
STRAIT = [(31.4, 120.3), (32.1, 120.3)]

policies = st.builds(
    policy,
    tie_band_m=st.sampled_from([0, 50, 500]),
    candidates=st.integers(1, 6),
    max_km=st.sampled_from([0.2, 2, 100, 20_000]),
    open_first_km=st.sampled_from([0, 0, 0.1, 1, 200]),
    remind=st.sampled_from([0, 0, 33, 50]),
    escalate=st.sampled_from([0, 0, 80, 99]),
    tries=st.sampled_from([(0, 0, 0), (0, 0, 0), (1, 0, 0), (2, 200, 0), (1, 0, 3), (0, 0, 2)]),
    barriers=st.lists(st.tuples(st.sampled_from([RIVER, LAKE, STRAIT]), st.sampled_from([0.03, 0.5, 40])), max_size=2),
    travel=st.sampled_from([(0, 60), (8, 0), (8, 60), (20, 600)]),
    stay_km=st.sampled_from([0, 0.1, 50, 20_000]),
    skills=st.sampled_from([(), (), ("battery",)]),
    barred=st.sampled_from([(), (), ("grand",)]),
    steps=st.sampled_from([((), 0), ((), 0), ((0.1,), 0), ((0.1, 1.5), 15), ((0.2, 0.4, 60), 15), ((0.5, 60), 90)]),
)
# Half a minute is the step, so that many are equally quick; some sites have no road, most were not asked for.
travels = (
    st.none()
    | st.builds(
        Travel,
        st.dictionaries(
            st.sampled_from(SITE_IDS), st.integers(0, 30).map(lambda halves: halves * 30) | st.none(), max_size=20
        ),
        st.none(),
    )
    | st.sampled_from([Travel({}, why) for why in (WhyDistance.TIMEOUT, WhyDistance.UNAVAILABLE)])
)
taken = st.dictionaries(st.sampled_from(SITE_IDS), st.integers(0, 3))
loads = st.dictionaries(st.sampled_from(SITE_IDS), st.integers(0, 3))


@st.composite
def leads(draw: st.DrawFn, max_size: int = 12) -> list[LeadFeatures]:
    """Leads of a few persons, some without a place, some with a wish."""
    return [
        lead(
            number,
            draw(st.none() | POINTS | POINTS),
            intent=draw(st.sampled_from(Intent)),
            person=draw(st.none() | st.integers(1, 4)),
            preferred=draw(st.none() | st.none() | st.sampled_from(SITE_IDS)),
            vehicle=draw(st.sampled_from(ASKED_VEHICLES)),
            minutes_old=draw(st.sampled_from([0, 0, 15, 40])),
        )
        for number in range(1, draw(st.integers(1, max_size)) + 1)
    ]
