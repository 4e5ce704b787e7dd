"""One assignment as the store sees it: from a row of `inbox_items` to words in the reader's language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from uuid import UUID

import asyncpg
import phonenumbers

from services.store_notifier.pages.texts import LANGUAGES, Language
from shared.contracts import Vehicle


class CardState(StrEnum):
    """What a lead asks of the store now."""

    NEW = "new"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    MOVED_ON = "moved_on"
    CLOSED = "closed"


SECTION_OF: Mapping[CardState, str] = {
    CardState.NEW: "to_answer",
    CardState.ACCEPTED: "in_progress",
    CardState.DECLINED: "earlier",
    CardState.MOVED_ON: "earlier",
    CardState.CLOSED: "earlier",
}
SECTIONS = ("to_answer", "in_progress", "earlier")


@dataclass(frozen=True)
class Card:
    """An assignment of the site, without personal data."""

    lead_id: UUID
    epoch: int
    seq: int
    state: CardState
    intent: str
    vehicle: str
    distance_m: int
    respond_by: datetime
    assigned_at: datetime
    decline_reason: str | None
    result: str | None
    reminded: bool = False
    """Its time is running out; counts while it waits for an answer."""

    @property
    def anchor(self) -> str:
        """Id of the card in the page."""
        return f"lead-{self.lead_id}-{self.epoch}"

    @property
    def section(self) -> str:
        """Which of `SECTIONS` the card belongs to."""
        return SECTION_OF[self.state]


def card_of(row: asyncpg.Record, answer: asyncpg.Record | None) -> Card:
    """Read an item of the inbox and what was answered to it (`pages.db.answers_to`)."""
    response, decline_reason, result = (
        (answer["response"], answer["decline_reason"], answer["result"]) if answer else (None, None, None)
    )
    result = row["result"] or result
    return Card(
        lead_id=row["lead_id"],
        epoch=row["epoch"],
        seq=row["seq"],
        state=state_of(row["state"], response, result),
        intent=row["intent"],
        vehicle=vehicle_name(row["vehicle"]),
        distance_m=row["distance_m"],
        respond_by=row["respond_by"],
        assigned_at=row["assigned_at"],
        decline_reason=decline_reason,
        result=result,
        reminded=row["reminded"],
    )


def state_of(item_state: str, response: str | None, result: str | None) -> CardState:
    """The ledger's state of the item; while it still says `open` or `accepted`, the store's own newer word counts."""
    if item_state == "open":
        if response == "accepted":
            return CardState.CLOSED if result else CardState.ACCEPTED
        if response == "declined":
            return CardState.DECLINED
        return CardState.MOVED_ON if response == "undeliverable" else CardState.NEW
    if item_state == "accepted":
        return CardState.CLOSED if result else CardState.ACCEPTED
    if item_state in {"outcome", "erased"}:
        return CardState.CLOSED
    return CardState(item_state)


def vehicle_name(vehicle_json: str | None) -> str:
    """Brand, model and year in one line; empty when nobody named a vehicle."""
    if vehicle_json is None:
        return ""
    vehicle = Vehicle.model_validate(json.loads(vehicle_json), extra="ignore")
    return " ".join(str(part) for part in (vehicle.brand, vehicle.model, vehicle.year) if part is not None)


@dataclass(frozen=True)
class Wording:
    """One language and one clock to say things in; given to every template as `t`."""

    language: Language
    zone: tzinfo

    def __call__(self, key: str) -> str:
        """The text of a key; KeyError for a key that no dictionary has."""
        return LANGUAGES[self.language][key]

    def distance(self, metres: int) -> str:
        """Metres below one kilometre, else kilometres with one decimal."""
        if metres < 1000:
            return self("metres").format(n=metres)
        return self("kilometres").format(n=f"{metres / 1000:.1f}")

    def time(self, at: datetime, now: datetime) -> str:
        """The site's wall clock, with the day when it is not today."""
        local = at.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return f"{local:%H:%M}"
        return self("day_time").format(d=local)

    def phone(self, number: str) -> str:
        """A phone number in the groups in which people read it; as it is when it cannot be read."""
        try:
            return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        except phonenumbers.NumberParseException:
            return number

    def announcement(self, card: Card, now: datetime) -> str:
        """What a screen reader says when the card changes by itself."""
        what = self(f"intent.{card.intent}")
        if card.state is CardState.NEW:
            time = self.time(card.respond_by, now)
            if card.reminded:
                return self("announce.reminded").format(what=what, time=time)
            return self("announce.new").format(what=what, distance=self.distance(card.distance_m), time=time)
        state, said = self(f"state.{card.state}"), self(f"said.{card.state}")
        return self("announce.changed").format(what=what, state=state, said=said)
