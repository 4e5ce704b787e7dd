"""Hot sites: most leads want them, they fill, and one lead too many is found."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from benchmarks.contention import LimitPassed, check_limits
from benchmarks.hot_sites import HOT_SITES, hot_indexes, hot_leads, hot_network
from benchmarks.routers import counters
from benchmarks.workload import make_sites

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)


def test_most_leads_come_to_a_few_sites_that_cannot_take_them_all() -> None:
    sites, count = hot_network(500, 2_000), 2_000
    leads = hot_leads(sites, count)
    hot = np.array([[sites[index].lat, sites[index].lon] for index in hot_indexes(sites)])

    points = np.array([[lead.lat, lead.lon] for lead in leads])
    near = np.abs(points[:, None] - hot[None]).max(axis=2).min(axis=1) < 0.02
    limits = [site.open_lead_limit or site.daily_lead_limit for site in sites]

    assert near.mean() == pytest.approx(0.8, abs=0.05)
    assert sum(limit is not None for limit in limits) == HOT_SITES
    assert sum(filter(None, limits)) < near.sum()
    assert len({lead.lead_id for lead in leads}) == count


def test_limits_that_are_reached_are_counted() -> None:
    first, second, third = make_sites(3)
    sites = [replace(first, open_lead_limit=5), replace(second, daily_lead_limit=3), third]
    given = {("site-000000", MONDAY): 5, ("site-000001", MONDAY): 3, ("site-000001", TUESDAY): 2}

    assert check_limits(sites, given, {"site-000000": 5, "site-000001": 5, "site-000002": 0}) == 2


def test_a_site_above_its_open_or_daily_limit_ends_the_bench() -> None:
    [site] = make_sites(1)
    given = {("site-000000", MONDAY): 3, ("site-000000", TUESDAY): 3}
    held = {"site-000000": 6}

    with pytest.raises(LimitPassed, match="was given 6 leads and may have 5"):
        check_limits([replace(site, open_lead_limit=5)], given, held)
    with pytest.raises(LimitPassed, match="was given 3 leads and may have 2"):
        check_limits([replace(site, daily_lead_limit=2)], given, held)


def test_loads_that_are_not_what_the_decisions_gave_end_the_bench() -> None:
    with pytest.raises(LimitPassed, match="not what the decisions gave"):
        check_limits(make_sites(1), {("site-000000", MONDAY): 3}, {"site-000000": 2})


def test_counters_are_read_by_name_and_label() -> None:
    text = (
        "# TYPE waypost_router_batches_retried counter\n"
        'waypost_router_batches_retried_total{reason="no_room"} 3.0\n'
        'waypost_router_batches_retried_total{reason="overtaken"} 1.0\n'
        "# TYPE waypost_router_batches counter\n"
        "waypost_router_batches_total 9.0\n"
    )

    assert counters(text) == {"waypost_router_batches_retried_total": {"no_room": 3, "overtaken": 1}}
