"""The candidates of one decision: which of them a record lists, how a tie among equals ends, and their text."""

from collections.abc import Mapping
from types import MappingProxyType

from services.router.domain.rendezvous import rendezvous_score
from services.router.domain.room import Room
from shared.contracts import Lost, WaitingReason

MAX_LISTED = 32
"""Most of the nearest sites that a record lists, beside the winner and the preferred site. Replay relies on it: an
unlisted site among the nearest 32 was outside the tie band, so its load decided nothing; one beyond them had lost.
Another number needs another engine version."""

Row = tuple[int, str, int, str | None, int, int]
"""Distance with its detour in mm, site id, load seen, why it lost (None: eligible), weight, the detour in mm.

A plain tuple: a batch makes thousands.
"""

_FULL = Lost.FULL.value
_FULL_TODAY = Lost.FULL_TODAY.value
_DECLINED = Lost.DECLINED.value
_TOO_FAR = Lost.TOO_FAR.value
_TIE_LOAD = Lost.TIE_LOAD.value
_TIE_HASH = Lost.TIE_HASH.value
_TIE_SHARE = Lost.TIE_SHARE.value
NO_SHARES: Mapping[str, int] = MappingProxyType({})


def settle_tie(lead_id: str, rows: list[Row], equal: list[int], behind: Mapping[str, int] = NO_SHARES) -> int:
    """Place of the winner among the equally near: least load per weight, then rendezvous, then site id.

    Where `behind` (by site id; absent counts as 0) names any of them, only those of the greatest number are in the
    running. Writes into `rows` why each of the others lost.
    """
    if behind:
        most = max([behind.get(rows[place][1], 0) for place in equal])
        ahead = [place for place in equal if behind.get(rows[place][1], 0) < most]
        for place in ahead:
            distance_mm, site_id, load, _, weight, detour_mm = rows[place]
            rows[place] = (distance_mm, site_id, load, _TIE_SHARE, weight, detour_mm)
        equal = [place for place in equal if place not in ahead]
    burdens = [rows[place][2] / rows[place][4] for place in equal]
    least = min(burdens)
    fit = [place for place, burden in zip(equal, burdens, strict=True) if burden == least]
    if len(fit) == 1:
        [winner] = fit
    else:
        winner = min(
            fit, key=lambda place: (-rendezvous_score(lead_id, rows[place][1], rows[place][4]), rows[place][1])
        )
    for place in equal:
        if place != winner:
            distance_mm, site_id, load, _, weight, detour_mm = rows[place]
            lost = _TIE_HASH if load / weight == least else _TIE_LOAD
            rows[place] = (distance_mm, site_id, load, lost, weight, detour_mm)
    return winner


def listed(rows: list[Row], keep: int, needed: int, winner: int | None = None) -> list[Row]:
    """What a record shows: the nearest `keep`, or up to MAX_LISTED when `needed` to follow it, and the winner.

    To follow a decision takes every site whose load it depends on: also a full one, which was equal but for its load.
    """
    shown = rows[: max(keep, min(needed, MAX_LISTED))]
    if winner is not None and winner >= len(shown):
        shown.append(rows[winner])
    return shown


def within_reach(rows: list[Row], max_mm: int) -> int:
    """How many of the sites looked at are near enough, whatever else speaks against them."""
    return sum(1 for row in rows if row[0] <= max_mm)


def why_nobody(rows: list[Row]) -> WaitingReason:
    """Named by what would help: another site, a nearer one, a free one, or one that has not refused yet."""
    reasons = {row[3] for row in rows}
    if _FULL in reasons or _FULL_TODAY in reasons:
        return WaitingReason.ALL_FULL
    if _DECLINED in reasons:
        return WaitingReason.ALL_DECLINED
    return WaitingReason.TOO_FAR if _TOO_FAR in reasons else WaitingReason.NO_CAPABLE_SITE


def candidates_text(rows: list[Row], room: Room, behind: Mapping[str, int] = NO_SHARES) -> str:
    """The rows as the inside of a JSON array, distances in whole metres (half up).

    `room` must not have counted the lead itself yet.
    """
    ahead = room.queues.behind
    if ahead:
        return ",".join(
            [_text(row, None, room.taken_today(row[1]), behind.get(row[1]), ahead.get(row[1])) for row in rows]
        )
    if behind:
        return ",".join([_text(row, None, room.taken_today(row[1]), behind.get(row[1])) for row in rows])
    if room.counts_days:
        return ",".join([_text(row, None, room.taken_today(row[1])) for row in rows])
    return ",".join([_text(row) for row in rows])


def timed_candidates_text(
    rows: list[Row], seconds: Mapping[str, int | None], room: Room, behind: Mapping[str, int] = NO_SHARES
) -> str:
    """`candidates_text` with the travel time of each site that has one."""
    ahead = room.queues.behind
    return ",".join(
        [
            _text(row, seconds.get(row[1]), room.taken_today(row[1]), behind.get(row[1]), ahead.get(row[1]))
            for row in rows
        ]
    )


def _text(
    row: Row,
    travel_s: int | None = None,
    taken_today: int | None = None,
    share_behind: int | None = None,
    queue_ahead: int | None = None,
) -> str:
    distance_mm, site_id, load, lost, _, detour_mm = row
    text = f'{{"site_id":"{site_id}","distance_m":{(distance_mm - detour_mm + 500) // 1000}'
    if detour_mm:
        text += f',"detour_m":{(detour_mm + 500) // 1000}'
    if travel_s is not None:
        text += f',"travel_s":{travel_s}'
    text += f',"load":{load}'
    if taken_today is not None:
        text += f',"taken_today":{taken_today}'
    if share_behind is not None:
        text += f',"share_behind":{share_behind}'
    if queue_ahead is not None:
        text += f',"queue_ahead":{queue_ahead}'
    return f"{text}}}" if lost is None else f'{text},"lost":"{lost}"}}'
