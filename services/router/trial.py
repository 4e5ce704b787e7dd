"""Trying a change on the leads of the past days before it takes effect. Nothing is recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.router.db import known_leads
from services.router.db.known_leads import KnownLead
from services.router.domain import LeadFeatures
from services.router.in_effect import setting_in_effect
from services.router.policies import findings_of
from services.router.policy import Finding, Policy
from services.router.snapshot import Site, Snapshot
from services.router.trying import Arriving, Comparison, Forward, Setting
from shared.errors import UserError
from shared.moments import before, moment_of, span_of
from shared.postgres import Connection, Pool, acquire
from shared.vocabulary import Intent

CHUNK = 5_000
DEFAULT_SPAN = "7d"

OnProgress = Callable[[int, int], None]
"""Called with how many leads were decided since, and how many there are."""


@dataclass(frozen=True)
class Span:
    """`since` included, `until` not."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Trial:
    """What a change would have done to the leads of a span."""

    span: Span
    comparison: Comparison
    findings: tuple[Finding, ...]
    """Warnings about the tried policy on the current network, or about the current policy on the tried network."""


def span_between(last: str | None, since: str | None, until: str | None, now: datetime) -> Span:
    """The span that the options name; the last seven days without any. Raises UserError when they name none."""
    if last is not None and since is not None:
        raise UserError("--last and --from both say where the leads begin", "give one of them")
    end = now if until is None else moment_of(until, now, "--to")
    begin = before(end, span_of(last or DEFAULT_SPAN, "--last")) if since is None else moment_of(since, now, "--from")
    if begin >= end:
        raise UserError(f"the leads would end ({end:%F %T}) before they begin ({begin:%F %T})")
    return Span(begin, end)


async def current_setting(connection: Connection) -> Setting:
    """The network and the policy in effect. Raises UserError when one is missing."""
    current = await setting_in_effect(connection)
    if not current.snapshot.revision:
        raise UserError("no network has been imported yet", "`waypost network import FILE --apply` imports one")
    return current


async def try_policy(pool: Pool, text: str, span: Span, examples: int, on_progress: OnProgress) -> Trial:
    """Compare the policy in `text` with the current one. Raises PolicyError or PolicyRefused as publishing it does."""

    def tried(current: Setting) -> Setting:
        return current._replace(policy=Policy.from_toml(text, current.policy.version + 1))

    return await _try(pool, tried, span, examples, on_progress)


async def try_network(pool: Pool, sites: tuple[Site, ...], span: Span, examples: int, on_progress: OnProgress) -> Trial:
    """Compare the network of `sites` with the current one."""

    def tried(current: Setting) -> Setting:
        return current._replace(snapshot=Snapshot.build(sites, current.snapshot.revision + 1))

    return await _try(pool, tried, span, examples, on_progress)


async def _try(
    pool: Pool, tried_instead_of: Callable[[Setting], Setting], span: Span, examples: int, on_progress: OnProgress
) -> Trial:
    async with acquire(pool) as connection:
        current = await current_setting(connection)
        tried = tried_instead_of(current)
        findings = findings_of(tried.policy, tried.snapshot)
        comparison = Comparison(current, tried, examples)
        await _compare(connection, comparison, span, on_progress)
    return Trial(span, comparison, findings)


async def _compare(connection: Connection, comparison: Comparison, span: Span, on_progress: OnProgress) -> None:
    before, after = Forward(comparison.current), Forward(comparison.tried)
    # One moment for all statements: leads that come meanwhile would be in the rows and not in their count.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        total = await known_leads.count_received(connection, span.since, span.until)
        on_progress(0, total)
        async for rows in known_leads.received(connection, span.since, span.until, CHUNK):
            arriving = [_arriving(row) for row in rows]
            decided = zip(arriving, before.decide(arriving), after.decide(arriving), strict=True)
            for one, old, new in decided:
                comparison.add(one.lead, old, new)
            on_progress(len(rows), total)


def _arriving(row: KnownLead) -> Arriving:
    point = None if row.lat is None or row.lon is None else (row.lat, row.lon)
    lead = LeadFeatures(
        row.lead_id, row.person_id, Intent(row.intent), point, row.preferred_site_id, row.received_at, row.vehicle or ""
    )
    return Arriving(lead, row.comes_again)
