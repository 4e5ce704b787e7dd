"""The tables of a policy: what each intent needs, and what joining, opening hours, retries and barriers change."""

from functools import cached_property
from itertools import pairwise
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from services.router.snapshot import TreeKey
from shared.contracts import WaitingReason
from shared.datum import to_wgs84
from shared.vocabulary import Capability, Datum, Intent, SiteKind, Slug

HALF_EARTH_KM = 20_040


AS_WRITTEN = {"as_written": True}
"""Validation context of a text that somebody has just written: what versions of before were let through is told."""


def _plain(value: Any, info: ValidationInfo) -> Any:
    """The value, unless it only looks like a number: `"50"` and `true` are a text and a yes."""
    if (info.context or {}).get("as_written"):
        if isinstance(value, bool | str):
            kind = "true or false" if isinstance(value, bool) else "a text"
            raise ValueError(f"is {kind}; write a number, without quotes")
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"is {value}; write a number")
    return value


Number = Annotated[float, BeforeValidator(_plain)]
Whole = Annotated[int, BeforeValidator(_plain)]


class Table(BaseModel):
    """A table of the policy file: frozen, and no key in it is passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IntentRule(Table):
    """Who may serve one intent, how far away, and how long a site has to answer."""

    requires: Annotated[tuple[Capability, ...], Field(min_length=1)]
    """The site needs every one of them."""
    kinds: Annotated[tuple[SiteKind, ...], Field(min_length=1)]
    max_distance_km: Annotated[Number, Field(gt=0, le=HALF_EARTH_KM)]
    respond_by_minutes: Annotated[Whole, Field(ge=1, le=30 * 24 * 60)]
    skills: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    """What the site's people must be trained for, in the network's own names; all of them."""
    barred_partners: Annotated[tuple[Slug, ...], Field(max_length=200)] = ()
    """Partners whose sites get no lead of this intent."""
    radius_km: Annotated[tuple[Annotated[Number, Field(ge=0.1)], ...], Field(max_length=10)] = ()
    """Within what a site is looked for first, then step by step, before `max_distance_km`; empty: that at once."""
    grow_after_minutes: Annotated[Whole, Field(ge=0, le=7 * 24 * 60)] = 0
    """How long a lead waits, from when it was received, at each step that has nobody but full sites; 0: not at all."""

    @field_validator("radius_km")
    @classmethod
    def _growing(cls, steps: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        for step, following in pairwise(steps):
            if following <= step:
                raise ValueError(f"{following:g} comes after {step:g}; list the steps from the nearest to the farthest")
        greatest = info.data.get("max_distance_km")
        if steps and greatest is not None and steps[-1] >= greatest:
            raise ValueError(
                f"{steps[-1]:g} must be less than max_distance_km ({greatest:g}), which is the last step; "
                "remove it or allow more"
            )
        return steps

    @field_validator("grow_after_minutes")
    @classmethod
    def _has_steps(cls, minutes: int, info: ValidationInfo) -> int:
        # Faults of the steps themselves are told already: they are then not among the data.
        if minutes and info.data.get("radius_km") == ():
            raise ValueError("there is no radius to grow; add radius_km, such as [10, 30], or remove this")
        return minutes

    @cached_property
    def key(self) -> TreeKey:
        """Which sites of a snapshot this rule lets in, whatever the vehicle."""
        return TreeKey.of(self.requires, self.kinds, self.skills, self.barred_partners)


class JoinRule(Table):
    """When a person's new lead joins the live one instead of being given to a site."""

    window_hours: Annotated[Number, Field(ge=0, le=24 * 366)] = 72
    """How long after its acceptance a lead still counts as live."""
    groups: dict[Slug, tuple[Intent, ...]] = {}
    """Intents of one group join each other; an intent of no group never joins."""


class StayRule(Table):
    """Whose leads go to the site that served the same person before, though others are nearer."""

    name: Slug
    """What records call it."""
    intents: Annotated[tuple[Intent, ...], Field(min_length=1)]
    """Leads of these go there."""
    after: Annotated[tuple[Intent, ...], Field(min_length=1)]
    """Where a lead of one of these was accepted last."""
    within_km: Annotated[Number, Field(gt=0, le=HALF_EARTH_KM)]
    """Only while that site is still so near; the intent's own limit counts too."""
    within_days: Annotated[Number, Field(gt=0, le=366 * 20)] = 366
    """Only for so long after that lead was accepted, or had its outcome."""


class HoursRule(Table):
    """What closed doors change. Whoever gets a lead, the time to answer runs only while that site is open."""

    prefer_open_within_km: Annotated[Number, Field(ge=0, le=HALF_EARTH_KM)] = 0
    """A site this near to the person that is open now goes before nearer ones that are closed; 0: never."""


class RespondRule(Table):
    """What happens before a site's time to answer is over, as shares of that time; it runs while the site is open."""

    remind_after_percent: Annotated[Whole, Field(ge=0, le=99)] = 0
    """When the site is reminded; 0: never."""
    escalate_after_percent: Annotated[Whole, Field(ge=0, le=99)] = 0
    """When the site's partner is told; 0: never."""


class TriesRule(Table):
    """What happens when site after site does not act: a try is a site that declined, was silent or out of reach."""

    before_center: Annotated[Whole, Field(ge=0, le=100)] = 0
    """After so many tries only delivery centers are considered, also for an intent that names other kinds; 0: never."""
    center_within_km: Annotated[Number, Field(ge=0, le=HALF_EARTH_KM)] = 0
    """How far such a delivery center may be, when that is farther than the intent's own limit."""
    before_person: Annotated[Whole, Field(ge=0, le=100)] = 0
    """After so many tries the lead waits for a person; 0: never. Also when no delivery center is left before that."""

    @model_validator(mode="after")
    def _in_order(self) -> "TriesRule":
        if 0 < self.before_person <= self.before_center:
            raise ValueError(
                f"before_person ({self.before_person}) must be more than before_center ({self.before_center}): "
                "no lead would ever come back to a delivery center"
            )
        return self

    def is_at_center(self, tries: int) -> bool:
        """Whether only delivery centers are considered."""
        return 0 < self.before_center <= tries

    def are_over(self, tries: int) -> bool:
        """Whether no site is asked any more."""
        return 0 < self.before_person <= tries

    def need_person(self, tries: int, nobody: WaitingReason) -> bool:
        """Whether a lead that found nobody, for this reason, waits for a person. A full center is worth waiting for."""
        at_end = self.before_person > 0 and self.is_at_center(tries) and nobody is not WaitingReason.ALL_FULL
        return at_end or self.are_over(tries)


class RetryRule(Table):
    """When waiting leads are tried again without anything having changed, and how many at a time."""

    full_minutes: Annotated[Whole, Field(ge=1, le=24 * 60)] = 10
    batch: Annotated[Whole, Field(ge=1, le=10_000)] = 500


class TravelRule(Table):
    """Whether the quickest to reach goes before the nearest; it takes an engine (`WAYPOST_TRAVEL_URL`) to know."""

    candidates: Annotated[Whole, Field(ge=0, le=20)] = 0
    """How many of the nearest sites are compared by travel time; 0: distance decides."""
    tie_band_s: Annotated[Whole, Field(ge=0, le=3_600)] = 60
    """Sites that take this much longer than the quickest count as equally near."""


class ShareRule(Table):
    """What partners are due of the leads of one city, by contract; it decides among equally near sites only."""

    city: Annotated[str, Field(min_length=1, max_length=80)]
    """As the network writes it; capitals make no difference."""
    partners: Annotated[dict[Slug, Annotated[Whole, Field(ge=1, le=100)]], Field(min_length=1, max_length=200)]
    """Percent of the leads that the partners named here are given together in a calendar month."""

    @model_validator(mode="after")
    def _no_more_than_all(self) -> "ShareRule":
        total = sum(self.partners.values())
        if total > 100:
            raise ValueError(f"the partners of {self.city} have {total} percent together; 100 is all there is")
        return self


class BarrierRule(Table):
    """Water, or anything else that a straight way must not be thought to cross for nothing."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    line: Annotated[tuple[tuple[Number, Number], ...], Field(min_length=2, max_length=1_000)]
    """Points as [lat, lon], one after the other; a closed line (an island, a lake) ends where it began."""
    datum: Datum
    detour_km: Annotated[Number, Field(gt=0, le=1_000)]
    """What a way that crosses the line is longer than straight."""

    @model_validator(mode="after")
    def _on_earth(self) -> "BarrierRule":
        for lat, lon in self.line:
            if not (abs(lat) <= 90 and abs(lon) <= 180):
                swapped = "; lat and lon look swapped" if abs(lat) <= 180 and abs(lon) <= 90 else ""
                raise ValueError(f"{lat:g}, {lon:g} is no point on earth{swapped}")
            to_wgs84(lat, lon, self.datum)
        if any(abs(one[1] - other[1]) > 180 for one, other in pairwise(self.line)):
            raise ValueError("the line crosses the 180th meridian; draw one on either side of it")
        return self

    @property
    def wgs84(self) -> tuple[tuple[Number, Number], ...]:
        """The line in WGS-84 degrees."""
        return tuple(to_wgs84(lat, lon, self.datum) for lat, lon in self.line)
