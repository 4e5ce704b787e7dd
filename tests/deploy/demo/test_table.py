"""Where there is no terminal, the play prints one line per change and nothing else."""

import io
from uuid import UUID

import pytest
from rich.console import Console

from deploy.demo.feed import whence
from deploy.demo.journey import Board
from deploy.demo.table import Screen, live_table

LEAD = UUID(int=1)


def test_a_log_gets_one_plain_line_per_change() -> None:
    out = io.StringIO()
    board = Board()
    with Screen(Console(file=out, width=60), lambda: board.played) as screen:
        journey = board.sent(LEAD, 1, "01-form-x.json", "test_drive", "adcode 320505")
        screen.refresh()
        journey.epoch, journey.state, journey.site_id, journey.distance_m = 1, "held", "suzhou-huqiu-store", 1_234
        screen.refresh()
        screen.refresh()
    words = " ".join(out.getvalue().split())
    assert words == "lead 1 test_drive adcode 320505 -> suzhou-huqiu-store 1.2 km held - (- s)"


def test_the_live_table_counts_all_leads_and_shows_the_newest() -> None:
    board = Board()
    for number in range(1, 8):
        board.sent(UUID(int=number), number, f"{number:02d}-form-x.json", "purchase", f"place {number}")
    out = io.StringIO()
    Console(file=out, width=200).print(live_table(board.played, rows=3, width=200))
    assert "7 leads sent, 0 placed" in out.getvalue()
    assert "place 5" in out.getvalue()
    assert "place 4" not in out.getvalue()


def test_where_a_lead_comes_from_is_told_in_the_senders_words() -> None:
    assert whence(None) == "nobody knows"
    assert whence({"adcode": "320507"}) == "adcode 320507"
    assert whence({"city": "苏州市", "district": "吴江区"}) == "苏州市 吴江区"
    assert whence({"city": "合肥"}) == "合肥"
    assert whence({"lat": 31.2, "lon": 120.6, "datum": "gcj02"}) == "31.2000, 120.6000 gcj02"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_width_cuts_the_id_of_a_site(width: int) -> None:
    board = Board()
    journey = board.sent(LEAD, 1, "01-form-x.json", "test_drive", "adcode 320505")
    journey.epoch, journey.state, journey.site_id = 1, "held", "suzhou-huqiu-store-2"
    out = io.StringIO()
    Console(file=out, width=width).print(live_table(board.played, rows=3, width=width))
    assert "suzhou-huqiu-store-2" in out.getvalue()
