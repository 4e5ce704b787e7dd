"""The simulated month: what comes in it, and that what cannot be is noticed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.month import (
    DAY_US,
    DAYS,
    FIRST_HOUR,
    HOUR_US,
    HOURLY,
    MINUTE_US,
    Kept,
    MonthWrong,
    check_month,
    measure,
    month_leads,
    month_network,
    most_at_once,
)
from benchmarks.workload import make_sites
from services.router.sites import Site

NOON_US = 12 * HOUR_US


def test_leads_come_in_order_on_every_day_and_in_the_hours_of_the_network() -> None:
    leads = month_leads(3_000)

    hours = leads.received_us % DAY_US // HOUR_US

    assert (np.diff(leads.received_us) >= 0).all()
    assert set((leads.received_us // DAY_US).tolist()) == set(range(DAYS))
    assert set(hours.tolist()) == set(range(FIRST_HOUR, FIRST_HOUR + len(HOURLY)))
    assert 0 < leads.comes_again.sum() == 2 * (3_000 - len(np.unique(leads.persons)))


def test_a_few_days_are_decided_whole_and_meet_their_limits() -> None:
    month = measure(site_count=40, lead_count=1_000, days=3)

    outcomes, full = month.outcomes, month.full

    assert outcomes.keys() == {"assigned", "joined", "waiting"}
    assert sum(outcomes.values()) == 1_000
    assert outcomes["waiting"] == sum(month.waiting.values())
    assert full["day"] > 0
    assert full["open"] > 0


def test_sites_that_let_go_at_the_minute_at_which_they_are_given_more_hold_one_lead() -> None:
    received_us = np.array([NOON_US + 30_000_000, NOON_US + 10 * MINUTE_US])

    assert most_at_once(received_us, received_us + 9 * MINUTE_US) == 1
    assert most_at_once(received_us, received_us + 10 * MINUTE_US) == 2


def with_daily_limit(leads: int) -> Site:
    return replace(make_sites(1)[0], daily_lead_limit=leads)


def with_open_limit(leads: int) -> Site:
    return replace(make_sites(1)[0], open_lead_limit=leads)


@pytest.mark.parametrize(("limited", "name"), [(with_daily_limit, "day"), (with_open_limit, "open")])
def test_one_lead_above_a_limit_is_found(limited: Callable[[int], Site], name: str) -> None:
    received_us = NOON_US + np.arange(3) * MINUTE_US
    kept = Kept([limited(3)])
    kept.site.extend([0, 0, 0])
    kept.until_us.extend((received_us + HOUR_US).tolist())
    kept.outcomes["assigned"] = 3

    assert check_month([limited(3)], received_us, kept)[name] == 1
    with pytest.raises(MonthWrong, match=r"site-000000 had 3 leads .* and may have 2"):
        check_month([limited(2)], received_us, kept)


def test_a_lead_without_a_decision_and_one_that_waits_for_no_reason_are_found() -> None:
    sites, received_us = month_network(1, 1), np.array([NOON_US])
    kept = Kept(sites)

    with pytest.raises(MonthWrong, match="1 leads came and 0 were decided"):
        check_month(sites, received_us, kept)

    kept.site.append(-1)
    kept.until_us.append(0)
    kept.outcomes["waiting"] = 1
    with pytest.raises(MonthWrong, match="waits for no reason"):
        check_month(sites, received_us, kept)
