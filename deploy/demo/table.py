"""How the play looks: a live table on a terminal, one plain line per change anywhere else."""

from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.demo.journey import Journey
from shared.words import counted

COLOURS = {"held": "yellow", "accepted": "green", "outcome": "green", "joined": "cyan", "waiting": "magenta"}


COLUMNS = {
    "#": "right",
    "intent": "left",
    "from": "left",
    "site": "left",
    "km": "right",
    "why": "left",
    "state": "left",
    "s": "right",
}
NARROW = ("#", "site", "why", "state")
NARROWEST = ("#", "site", "state")
"""What is left of them where all would not do: a site's id is never cut."""


def shown(width: int) -> tuple[str, ...]:
    """The columns that a terminal of this width has room for."""
    return tuple(COLUMNS) if width >= 110 else NARROW if width >= 70 else NARROWEST


def live_table(journeys: list[Journey], rows: int, width: int) -> Table:
    """The newest `rows` journeys, the latest at the bottom, in a terminal of `width` columns."""
    placed = sum(1 for journey in journeys if journey.placed)
    table = Table(title=f"{counted(len(journeys), 'lead')} sent, {placed} placed", title_justify="left", expand=True)
    names, newest = shown(width), journeys[-rows:]
    site_width = max((len(journey.site_id or "-") for journey in newest), default=1)
    for name in names:
        table.add_column(
            name,
            justify="right" if COLUMNS[name] == "right" else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=site_width if name == "site" else None,
        )
    for journey in newest:
        values = dict(zip(COLUMNS, cells(journey), strict=True))
        table.add_row(*(values[name] for name in names), style=COLOURS.get(journey.state))
    return table


def cells(journey: Journey) -> tuple[str, ...]:
    """One journey as the texts of its row."""
    return (
        str(journey.number),
        journey.intent,
        journey.whence,
        journey.site_id or "-",
        "-" if journey.distance_m is None else f"{journey.distance_m / 1000:.1f}",
        journey.why or "-",
        journey.state,
        "-" if journey.seconds is None else f"{journey.seconds:.2f}",
    )


class Screen:
    """Shows the journeys; `refresh` is called whenever something may have changed."""

    def __init__(self, console: Console, journeys: Callable[[], list[Journey]]) -> None:
        self._console = console
        self._journeys = journeys
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._said: dict[int, tuple[int, bool]] = {}

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.refresh()
        if self._live:
            self._live.stop()

    def refresh(self) -> None:
        """Redraw the table, or print the journeys that changed since the last call."""
        journeys = self._journeys()
        if self._live:
            # The frame, the title and the header take six lines of the screen.
            self._live.update(live_table(journeys, max(5, self._console.height - 6), self._console.width), refresh=True)
            return
        for journey in journeys:
            seen = (journey.epoch, journey.delivered_at is not None)
            if journey.epoch and self._said.get(journey.number) != seen:
                self._said[journey.number] = seen
                self._console.print(plain_line(journey), highlight=False, markup=False, soft_wrap=True)


def plain_line(journey: Journey) -> str:
    """One journey as a line for a log."""
    number, intent, whence, site, km, why, state, seconds = cells(journey)
    return f"lead {number:>3}  {intent:<18} {whence:<28} -> {site:<28} {km:>6} km  {state:<9} {why} ({seconds} s)"
