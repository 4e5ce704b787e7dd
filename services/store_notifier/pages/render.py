"""HTML of the store's page, from the templates beside this file; everything is escaped."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import jinja2

from services.store_notifier.pages.cards import SECTIONS, Card, CardState, Wording
from services.store_notifier.pages.guard import csrf_of
from services.store_notifier.pages.texts import HTML_LANG, LANGUAGES
from shared.contracts import DeclineReason, Result

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "static"


@dataclass(frozen=True)
class Contact:
    """What may be shown of a person, once. Never logged."""

    name: str | None
    phone: str | None
    """E.164."""
    email: str | None

    def __repr__(self) -> str:
        return "Contact(...)"


@dataclass(frozen=True)
class Reader:
    """Who looks: at which site's page, in which words, with which log-in."""

    site_id: str
    """Empty where no site is meant."""
    root: str
    """Path under which the inboxes are mounted, without a slash at its end."""
    wording: Wording
    token: str | None = None

    @property
    def base(self) -> str:
        """Path of the site's inbox."""
        return f"{self.root}/{self.site_id}" if self.site_id else ""


class Renderer:
    """The templates, loaded once."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        files = sorted(file for file in ASSETS.iterdir() if file.is_file())
        self.assets = frozenset(file.name for file in files)
        # One name for all: a module imports its neighbours by their plain names, so they change together.
        self.version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]

    def inbox(
        self,
        reader: Reader,
        seq: int,
        cards: Sequence[Card],
        now: datetime,
        *,
        card: Card | None = None,
        notice: str = "",
        contact: Contact | None = None,
    ) -> str:
        """The whole page; `notice` and `contact` belong to `card`."""
        anchor = card.anchor if card else None
        return self._render(
            "inbox.html",
            reader,
            seq=seq,
            now=now,
            sections=[(section, _in_order(section, cards)) for section in SECTIONS],
            banner={"anchor": anchor, "text": notice} if notice else None,
            notice=notice,
            noticed=anchor if notice else None,
            contact=contact,
            shown=anchor if contact else None,
        )

    def card(
        self, reader: Reader, card: Card, now: datetime, *, notice: str = "", contact: Contact | None = None
    ) -> str:
        """One card, as it stands in the page."""
        values = {"card": card, "now": now, "notice": notice, "contact": contact}
        return self._templates.get_template("fragment.html").render({**self._words(reader), **values}).strip()

    def login(self, reader: Reader, *, wrong: bool = False, expired: bool = False) -> str:
        """The log-in."""
        return self._render("login.html", reader, wrong=wrong, expired=expired, here="/login")

    def problem(self, reader: Reader, message_key: str) -> str:
        """What went wrong, and the way back."""
        return self._render("problem.html", reader, message=reader.wording(message_key))

    def _render(self, template: str, reader: Reader, **values: object) -> str:
        return self._templates.get_template(template).render({"here": "", **self._words(reader), **values})

    def _words(self, reader: Reader) -> dict[str, object]:
        return {
            "t": reader.wording,
            "site_id": reader.site_id,
            "base": reader.base,
            "html_lang": HTML_LANG[reader.wording.language],
            "languages": [(code, words["language"]) for code, words in LANGUAGES.items()],
            "asset": lambda name: f"{reader.root}/-/{self.version}/{name}",
            "csrf": csrf_of(reader.token) if reader.token else "",
            "decline_reasons": [reason.value for reason in DeclineReason],
            "results": [result.value for result in Result],
        }


def _in_order(section: str, cards: Sequence[Card]) -> list[Card]:
    mine = [card for card in cards if card.section == section]
    return sorted(mine, key=_most_urgent_first)


def _most_urgent_first(card: Card) -> float:
    return card.respond_by.timestamp() if card.state is CardState.NEW else -card.seq
