"""The routing policy: what each intent needs and how far it may go, read from `policy.toml` and checked before use."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, ValidationError, model_validator

from services.router.barriers import Barriers
from services.router.rules import (
    AS_WRITTEN,
    BarrierRule,
    HoursRule,
    IntentRule,
    JoinRule,
    Number,
    RespondRule,
    RetryRule,
    ShareRule,
    StayRule,
    Table,
    TravelRule,
    TriesRule,
    Whole,
)
from services.router.sites import DELIVERY_CENTER_ONLY
from services.router.snapshot import Snapshot, TreeKey
from services.router.spelling import meant
from shared.errors import UserError
from shared.faults import MOST_TOLD, Faults, cut, refusal
from shared.faults_in_words import in_words
from shared.numbers import quoted
from shared.vocabulary import Capability, Datum, Intent, SiteKind
from shared.words import counted


class PolicyError(UserError, ValueError):
    """A policy text that cannot take effect; `faults` has one line per key with what to do, as many as are told."""

    def __init__(self, faults: Iterable[str]) -> None:
        gathered: Faults[str] = Faults(lambda fault: fault.partition(":")[0].rpartition(".")[0] or "policy")
        gathered.extend(faults)
        told = gathered.bounded()
        super().__init__(refusal("the policy is not valid", told, str))
        self.faults = list(map(cut, told.first))


class Contracted(NamedTuple):
    """A partner in a city where it has a contract."""

    city: str
    """In lower case, as `str.casefold` makes it."""
    partner: str

    @classmethod
    def of(cls, city: str, partner: str) -> "Contracted":
        """The partner in a city as anybody writes it: capitals make no difference."""
        return cls(city.casefold(), partner)


class Policy(Table):
    """One published version; frozen. Build it with `from_toml`."""

    version: Annotated[Whole, Field(ge=1)]
    digest: str
    """SHA-256 (hex) of the text."""
    tie_band_m: Annotated[Number, Field(ge=0, le=5_000)] = 50
    candidates: Annotated[Whole, Field(ge=1, le=20)] = 5
    join: JoinRule = JoinRule()
    hours: HoursRule = HoursRule()
    respond: RespondRule = RespondRule()
    retry: RetryRule = RetryRule()
    travel: TravelRule = TravelRule()
    tries: TriesRule = TriesRule()
    stay: Annotated[tuple[StayRule, ...], Field(max_length=50)] = ()
    barriers: Annotated[tuple[BarrierRule, ...], Field(max_length=500)] = ()
    shares: Annotated[tuple[ShareRule, ...], Field(max_length=1_000)] = ()
    intents: dict[Intent, IntentRule]

    @model_validator(mode="after")
    def _complete(self) -> "Policy":
        missing = [intent.value for intent in Intent if intent not in self.intents]
        if missing:
            raise ValueError(f"no rule for {', '.join(missing)}; add a table [intents.{missing[0]}]")
        grouped = [intent for intents in self.join.groups.values() for intent in intents]
        twice = sorted({intent.value for intent in grouped if grouped.count(intent) > 1})
        names = [rule.name for rule in self.stay]
        if again := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two [[stay]] rules have the name {', '.join(again)}; records tell them apart by it")
        if twice:
            raise ValueError(f"join.groups lists {', '.join(twice)} more than once; an intent has one group")
        cities = [rule.city.casefold() for rule in self.shares]
        again = sorted({rule.city for rule in self.shares if cities.count(rule.city.casefold()) > 1})
        if again:
            raise ValueError(f"shares has {', '.join(again)} more than once; a city has one table")
        return self

    @classmethod
    def from_toml(cls, text: str, version: int, *, as_written: bool = False) -> "Policy":
        """The policy in `text`. Raises PolicyError, which names every wrong key and the nearest valid spelling.

        `as_written`: for a text that somebody has just written; one that is kept may hold what was let through before.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise PolicyError([f"is not TOML: {problem}"]) from None
        except RecursionError:
            raise PolicyError(["is not TOML: it is nested too deeply"]) from None
        except ValueError:
            # What Python says of it is for programmers.
            raise PolicyError(["is not TOML: a number has thousands of digits"]) from None
        reserved = sorted(tables.keys() & {"version", "digest"})
        if reserved:
            raise PolicyError([f"{name}: is given by `waypost policy publish`; remove it" for name in reserved])
        written = {**tables, "version": version, "digest": sha256(text.encode()).hexdigest()}
        try:
            return cls.model_validate(written, context=AS_WRITTEN if as_written else None)
        except ValidationError as problem:
            raise PolicyError(_faults(problem)) from None

    @property
    def join_window(self) -> timedelta:
        """How long after its acceptance a lead still counts as live."""
        return timedelta(hours=self.join.window_hours)

    def join_group(self, intent: Intent) -> str | None:
        """The group in which leads of this intent join; None: they never do."""
        return self._groups.get(intent)

    def grouped_with(self, intent: Intent) -> tuple[Intent, ...]:
        """All intents whose live leads a lead of this intent joins; empty when it never joins."""
        group = self.join_group(intent)
        return () if group is None else self.join.groups[group]

    def tree_keys(self) -> set[TreeKey]:
        """Every key that a decision may ask a snapshot for: what `Snapshot.warm` should build."""
        keys = {rule.key for rule in self.intents.values()}
        return keys | {key.at_centers() for key in keys} if self.tries.before_center else keys

    def with_shares(self, shares: tuple[ShareRule, ...]) -> "Policy":
        """The policy with other contracts of partners, for studies; no version of its own."""
        return Policy.model_validate({**self.model_dump(), "shares": shares})

    @cached_property
    def contracts(self) -> dict[Contracted, int]:
        """Percent of a city's leads that a partner is due."""
        return {
            Contracted.of(rule.city, partner): percent
            for rule in self.shares
            for partner, percent in rule.partners.items()
        }

    @cached_property
    def detours(self) -> Barriers:
        """The barriers, ready to be asked."""
        return Barriers([(rule.wgs84, round(rule.detour_km * 1_000_000)) for rule in self.barriers])

    @cached_property
    def _groups(self) -> dict[Intent, str]:
        return {intent: group for group, intents in self.join.groups.items() for intent in intents}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that publishing should stop at (`error`) or that a person should know (`warning`)."""

    level: Literal["error", "warning"]
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}: {self.key}: {self.message}"


def check(policy: Policy, snapshot: Snapshot) -> list[Finding]:
    """What is wrong with this policy on this network, errors first, then by intent."""
    found = _unknown_names(policy, snapshot)
    for intent, rule in sorted(policy.intents.items()):
        reserved = sorted(DELIVERY_CENTER_ONLY.intersection(rule.requires))
        barred = [kind.value for kind in rule.kinds if kind is not SiteKind.DELIVERY_CENTER]
        if reserved and SiteKind.DELIVERY_CENTER not in rule.kinds:
            message = f"only a delivery center may have {', '.join(reserved)}; add delivery_center"
            found.append(Finding("error", f"intents.{intent}.kinds", message))
            continue
        if reserved and barred:
            message = f"no {' or '.join(barred)} can ever have {', '.join(reserved)}; only delivery centers can"
            found.append(Finding("warning", f"intents.{intent}.kinds", message))
        if snapshot.count(rule.key) == 0:
            message = (
                f"no open site of kind {' or '.join(rule.kinds)} has {' and '.join([*rule.requires, *rule.skills])}; "
                "these leads will wait until one opens"
            )
            found.append(Finding("warning", f"intents.{intent}", message))
        elif policy.tries.before_center and snapshot.count(rule.key.at_centers()) == 0:
            message = f"no open delivery center has {' and '.join(rule.requires)} for the {intent} leads that come back"
            found.append(Finding("warning", "tries.before_center", message))
    found += [
        Finding("warning", "join.groups", f"{intent} is in no group, so its leads never join")
        for intent in Intent
        if policy.join.groups and policy.join_group(intent) is None
    ]
    found += _doors_outside(policy)
    if policy.travel.candidates == 1:
        message = "one site is compared with no other; name more, or 0 to let distance decide"
        found.append(Finding("warning", "travel.candidates", message))
    found = sorted(found, key=lambda finding: finding.level)
    if len(found) > _MOST_FINDINGS:
        more = Finding("warning", "policy", f"and {counted(len(found) - _MOST_FINDINGS, 'more finding')} like these")
        found = [*found[:_MOST_FINDINGS], more]
    return found


_MOST_FINDINGS = 50
"""A change keeps its findings, and whoever approves it reads them all."""


def _doors_outside(policy: Policy) -> list[Finding]:
    """Intents whose radius begins nearer than an open site may be that goes before closed ones."""
    preferred_km = policy.hours.prefer_open_within_km
    nearer = {intent.value: rule.radius_km[0] for intent, rule in policy.intents.items() if rule.radius_km}
    nearer = {intent: step_km for intent, step_km in sorted(nearer.items()) if step_km < preferred_km}
    if not nearer:
        return []
    steps = ", ".join(f"{step_km:g} for {intent}" for intent, step_km in nearer.items())
    message = (
        f"{preferred_km:g} is more than the first step of radius_km ({steps}): a closed site inside the step gets the "
        "lead before an open one outside it"
    )
    return [Finding("warning", "hours.prefer_open_within_km", message)]


def _unknown_names(policy: Policy, snapshot: Snapshot) -> list[Finding]:
    """Skills and partners that no site of the network has: most often a slip of the pen."""
    offerings = [site.offering for site in snapshot.sites]
    skills = sorted(frozenset[str]().union(*(one.skills for one in offerings)))
    partners = sorted({one.partner for one in offerings} - {""})
    found = []
    for intent, rule in sorted(policy.intents.items()):
        asked = [("skills", name, skills) for name in rule.skills]
        asked += [("barred_partners", name, partners) for name in rule.barred_partners]
        for field, name, known in asked:
            if name not in known:
                advice = f"; {meant(name, known)}" if known else ""
                found.append(Finding("warning", f"intents.{intent}.{field}", f"no site has {name!r}{advice}"))
    if policy.shares:
        found += _unknown_shares(policy, snapshot)
    return found


def _unknown_shares(policy: Policy, snapshot: Snapshot) -> list[Finding]:
    """Cities that the network does not have, and partners without a site in the city of their share."""
    cities = {site.city.casefold(): site.city for site in snapshot.sites}
    run: dict[str, set[str]] = {}
    for site in snapshot.sites:
        if site.offering.partner:
            run.setdefault(site.city.casefold(), set()).add(site.offering.partner)
    found = []
    for place, rule in enumerate(policy.shares):
        key, city = f"shares.{place}", rule.city.casefold()
        if city not in cities:
            advice = f"; {meant(rule.city, sorted(cities.values()))}" if cities else ""
            found.append(Finding("warning", f"{key}.city", f"no site is in {rule.city!r}{advice}"))
            continue
        known = sorted(run.get(city, ()))
        for partner in sorted(rule.partners):
            if partner not in known:
                advice = f"; {meant(partner, known)}" if known else ""
                found.append(Finding("warning", f"{key}.partners", f"{partner!r} has no site in {rule.city}{advice}"))
    return found


_SPELLINGS: dict[str, list[str]] = {
    "intents": [*Intent],
    "requires": [*Capability],
    "kinds": [*SiteKind],
    "groups": [*Intent],
    "after": [*Intent],
    "datum": [*Datum],
}


def _faults(problem: ValidationError) -> Iterator[str]:
    errors = problem.errors(include_url=False)
    # A list with one unknown name is reported again as too short: the name is the fault.
    parents = {error["loc"][:-1] for error in errors if error["loc"]}
    found = (error for error in errors if error["loc"] not in parents)
    # What is only counted needs no advice, which is slow to find.
    return (_fault(error) if place < MOST_TOLD else f"{_key(error)}:" for place, error in enumerate(found))


def _key(error: Any) -> str:
    return ".".join(_path(error)) or "policy"


def _path(error: Any) -> list[str]:
    return [cut(str(part), 64) for part in error["loc"] if part != "[key]"]


def _fault(error: Any) -> str:
    """One line for one pydantic error: the key, what is wrong, and the nearest valid spelling."""
    path, key = _path(error), _key(error)
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key; {meant(path[-1], _fields_at(path[:-1]))}"
    if error["type"] == "enum":
        valid = next((_SPELLINGS[part] for part in reversed(path) if part in _SPELLINGS), [])
        return f"{key}: unknown name {quoted(str(error['input']))}; {meant(str(error['input']), valid)}"
    if error["type"] == "missing":
        return f"{key}: is missing; add it"
    return f"{key}: {in_words(error)}"


def _fields_at(path: list[Any]) -> list[str]:
    model: type[BaseModel] = Policy
    match path:
        case ["join", *_]:
            model = JoinRule
        case ["barriers", *_]:
            model = BarrierRule
        case ["stay", *_]:
            model = StayRule
        case ["hours", *_]:
            model = HoursRule
        case ["respond", *_]:
            model = RespondRule
        case ["retry", *_]:
            model = RetryRule
        case ["travel", *_]:
            model = TravelRule
        case ["shares", *_]:
            model = ShareRule
        case ["tries", *_]:
            model = TriesRule
        case ["intents", _, *_]:
            model = IntentRule
    return [name for name in model.model_fields if name not in ("version", "digest")]
