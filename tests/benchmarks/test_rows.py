"""What the page says: figures with their ratio, a missing peer in words, the month in one phrase, a loop that stood."""

import time

from benchmarks.month import Month
from benchmarks.nearest import Searched
from benchmarks.peers.postgis import MISSING
from benchmarks.rebuild import timed
from benchmarks.rows.deciding import Contestant
from benchmarks.rows.simulating import became


def test_a_peer_says_its_time_what_it_missed_and_its_ratio_to_a_whole_decision() -> None:
    peer = Contestant("a peer", [Searched(30.0, 0.0175), Searched(50.0, 0.0175), Searched(40.0, 0.0175)])

    row = peer.row("nearest", decide_us=16.0)

    assert row.figure == "40.0 (30.0-50.0); a farther site for 1.75%"
    assert row.ratio == "2.50x of decide()"


def test_a_peer_that_is_missing_says_why_and_what_to_do() -> None:
    row = Contestant("PostGIS", missing=MISSING).row("nearest", decide_us=16.0)

    assert row.ratio == ""
    assert "no PostGIS" in row.figure
    assert "deploy/install_postgis.sh" in row.figure


def test_a_month_is_told_with_the_reasons_of_those_that_wait() -> None:
    month = Month(
        leads=1_100,
        seconds=1.0,
        cpu_us=1.0,
        peak_mb=90.0,
        outcomes={"waiting": 10, "assigned": 1_080, "joined": 10},
        waiting={"too_far": 7, "all_full": 3},
        full={"day": 4, "open": 2},
    )

    assert became(month) == (
        "assigned 1,080, joined 10, waiting 10 for all_full 3, too_far 7; "
        "sites that reached their daily limit 4, their open limit 2, passed none"
    )


async def test_a_loop_that_stood_still_is_noticed() -> None:
    async def work() -> None:
        time.sleep(0.05)  # noqa: ASYNC251 - the stall that is to be seen

    seconds, longest_stall_ms = await timed(work())

    assert seconds >= 0.05
    assert longest_stall_ms >= 45
