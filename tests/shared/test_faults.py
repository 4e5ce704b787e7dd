"""Faults of a file, told within bounds."""

from shared.faults import Bounded, Faults, cut, refusal


def gathered(number: int) -> Bounded[tuple[str, str]]:
    faults: Faults[tuple[str, str]] = Faults(lambda fault: fault[0])
    faults.extend(("lat" if row % 3 else "datum", f"row {row} is wrong") for row in range(number))
    return faults.bounded()


def test_a_few_faults_are_all_told() -> None:
    told = refusal("sites.csv is refused", gathered(1), lambda fault: fault[1])
    assert told == "sites.csv is refused, 1 fault:\n  row 0 is wrong"
    assert refusal("sites.csv is refused", gathered(20), lambda fault: fault[1]).count("is wrong") == 20


def test_of_a_hundred_thousand_the_first_are_told_and_the_others_counted_by_kind() -> None:
    told = refusal("sites.csv is refused", gathered(100_000), lambda fault: fault[1])
    assert told.startswith("sites.csv is refused, 100,000 faults:\n  row 0 is wrong")
    assert told.count("is wrong") == 20
    assert told.endswith("  and 99,980 more like these: 66,653 of lat, 33,327 of datum")


def test_kinds_are_few_too() -> None:
    faults: Faults[int] = Faults(lambda number: f"column {number:02}")
    faults.extend(range(60))
    assert refusal("x", faults.bounded(), str).endswith("1 of column 27, 32 kinds more")


def test_a_long_fault_is_cut_and_nothing_in_it_moves_a_cursor() -> None:
    assert len(cut("x" * 300_000)) == 400
    assert cut("a\nb\x1b[2J") == "a\\nb\\x1b[2J"


def test_long_faults_leave_room_for_the_count_of_the_others() -> None:
    faults: Faults[str] = Faults(lambda fault: "hours" if fault.startswith("x") else "lat")
    faults.extend(["y" * 300, *["x" * 300] * 99])
    told = refusal("sites.csv is refused", faults.bounded(), str)
    assert len(told) < 3_900
    assert told.startswith("sites.csv is refused, 100 faults:")
    assert told.endswith("  and 89 more like these: 89 of hours")
