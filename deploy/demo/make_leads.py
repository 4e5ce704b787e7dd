"""Writes `leads/`, the leads that the demo plays: `python -m deploy.demo.make_leads`.

Deterministic; a test compares the outcome with the committed files. The number that begins a file's name is its place
in the play. `form` files are single leads of a web form (WGS-84 of the browser, or a place by code or by name), `app`
files come from a phone app whose map speaks GCJ-02, one lead or a batch (`.ndjson`), `adf` files are mails of the
ADF 1.0 kind in spellings seen in the wild (see `make_adf.py`).

Nobody here exists: names are numbered, addresses end in example.com, and the phones are in +86 174 0000, the range of a
satellite operator, which reads as a valid mobile number.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.demo.make_adf import adf_files
from deploy.demo.make_network import District, read_districts
from shared.datum import from_wgs84
from shared.vocabulary import Datum, Intent

FOLDER = Path(__file__).parent / "leads"

Body = dict[str, Any]


def lead(person: int, intent: Intent, location: Body | None, *, channel: str, **more: Any) -> Body:
    """The JSON body of one lead of Test Person `person`."""
    body: Body = {
        "intent": intent,
        "contact": contact(person),
        "location": location,
        "channel": channel,
        "consent": {"given_at": "2026-03-02T09:00:00+08:00", "text_version": "2026-01"},
        **more,
    }
    return {key: value for key, value in body.items() if value is not None}


def phone_of(person: int) -> str:
    """The person's phone without the country code; one range, so that no lead of the play can be somebody's."""
    return f"1740000{person:04d}"


def email_of(person: int) -> str:
    """The person's address."""
    return f"test.person.{person:02d}@example.com"


def contact(person: int) -> Body:
    """Phones are written as people write them; every third person leaves an e-mail address too."""
    phone = phone_of(person)
    first, second, third = phone[:3], phone[3:7], phone[7:]
    spellings = (f"+86 {first} {second} {third}", f"0086{phone}", phone, f"{first}-{second}-{third}")
    made: Body = {"name": f"Test Person {person:02d}", "phone": spellings[person % 4]}
    if person % 3 == 0:
        made["email"] = email_of(person)
    return made


def near(district: District, metres: float, bearing: float, datum: Datum = Datum.WGS84) -> Body:
    """A point so far from the district's point, told in `datum`."""
    lat, lon = from_wgs84(*district.moved(metres, bearing), datum)
    return {"lat": round(lat, 6), "lon": round(lon, 6), "datum": datum}


def stories(at: dict[str, District]) -> Iterator[tuple[str, Body]]:
    """The leads that each show one thing: (what it shows, body)."""

    def form(person: int, intent: Intent, location: Body | None, **more: Any) -> Body:
        return lead(person, intent, location, channel="form", **more)

    car = {"brand": "Demo", "model": "Sedan", "year": 2026}
    yield "point", form(1, Intent.TEST_DRIVE, near(at["suzhou-wujiang"], 700, 30), vehicle=car)
    yield "adcode", form(2, Intent.PURCHASE, {"adcode": "320507"}, vehicle=car, campaign="spring 2026")
    yield "chinese-names", form(3, Intent.MAINTENANCE, {"city": "苏州市", "district": "吴江区"})
    yield "pinyin", form(4, Intent.BODY_REPAIR, {"city": "Nanjing", "district": "Qixia"})
    yield "city-only", form(5, Intent.PURCHASE, {"city": "合肥"})
    yield (
        "preferred-site",
        form(6, Intent.TEST_DRIVE, near(at["wuxi-binhu"], 500, 90), preferred_site="wuxi-xishan-store"),
    )
    yield (
        "preferred-site-cannot",
        form(7, Intent.VEHICLE_DELIVERY, near(at["foshan-shunde"], 400, 10), preferred_site="foshan-shunde-store"),
    )
    for person in (8, 9, 10, 11):
        yield "mall", form(person, Intent.TEST_DRIVE, near(at["suzhou-huqiu"], 120, 200), vehicle=car)
    yield "declined", form(12, Intent.TEST_DRIVE, near(at["chongqing-nanan"], 300, 120), vehicle=car)
    yield "declined-by-all", form(13, Intent.USED_VEHICLE, near(at["xiamen-jimei"], 900, 250))
    yield "silent", form(14, Intent.TEST_DRIVE, near(at["ningbo-haishu"], 400, 140))
    yield "full", form(15, Intent.TEST_DRIVE, near(at["ningbo-haishu"], 450, 150))
    yield "silent", form(16, Intent.MAINTENANCE, near(at["xian-weiyang"], 300, 100))
    yield "city-recruiting", form(17, Intent.PURCHASE, {"adcode": "460107"})
    yield "city-recruiting", form(18, Intent.TEST_DRIVE, near(at["wenzhou-lucheng"], 250, 15))
    yield "city-recruiting", form(19, Intent.PAINT_REPAIR, {"city": "石家庄", "district": "裕华区"})
    yield "far-from-any-site", form(20, Intent.PURCHASE, {"lat": 43.8256, "lon": 87.6169, "datum": "wgs84"})
    yield "place-unclear", form(21, Intent.PURCHASE, None)
    yield "place-ambiguous", form(55, Intent.MAINTENANCE, {"district": "城关区"})
    yield "closed-site", form(91, Intent.MAINTENANCE, near(at["qingdao-jimo"], 1_150, 200))
    # Haicang, on the mainland: the island's store is nearer in a straight line, and lies across the water.
    yield "across-water", form(92, Intent.TEST_DRIVE, near(at["xiamen-siming"], 5_600, 280))
    yield "same-person", form(22, Intent.PURCHASE, near(at["tianjin-hexi"], 350, 60), vehicle=car)


def apps(at: dict[str, District]) -> Iterator[tuple[str, list[Body]]]:
    """What the phone app sends: (what it shows, one body or a batch)."""

    def app(person: int, intent: Intent, where: District, metres: float, bearing: float, **more: Any) -> Body:
        return lead(person, intent, near(where, metres, bearing, Datum.GCJ02), channel="app", **more)

    # Person 22 again, from the phone and in another spelling of the number: this lead joins the first.
    again = app(22, Intent.TEST_DRIVE, at["tianjin-nankai"], 200, 30)
    again["contact"] = {"name": "Test Person 22", "phone": "＋８６１７４００００００２２"}
    yield "same-person", [again]
    yield "delivery", [app(23, Intent.VEHICLE_DELIVERY, at["hefei-feixi"], 600, 45)]
    yield "trade-in", [app(24, Intent.TRADE_IN, at["qingdao-huangdao"], 800, 300)]
    districts = list(at.values())
    intents = list(Intent)
    for batch in range(3):
        lines: list[Body] = []
        for line in range(10):
            number = batch * 10 + line
            # Steps coprime with the lists' lengths walk through all cities and intents.
            where = districts[(number * 7 + 3) % len(districts)]
            intent = intents[(number * 4) % len(intents)]
            lines.append(app(25 + number, intent, where, 300 + 170 * (number % 9), 40.0 * number))
        yield "batch", lines


def make_leads() -> dict[str, bytes]:
    """Every file of the folder by its name."""
    at = {district.slug: district for districts in read_districts().values() for district in districts}
    files: list[tuple[str, bytes]] = [(f"form-{what}.json", _pretty(body)) for what, body in stories(at)]
    for what, bodies in apps(at):
        if len(bodies) == 1:
            files.append((f"app-{what}.json", _pretty(bodies[0])))
        else:
            files.append((f"app-{what}.ndjson", b"".join(_line(body) for body in bodies)))
    files.extend((f"adf-{what}.xml", document) for what, document in adf_files())
    return {f"{number:02d}-{name}": content for number, (name, content) in enumerate(files, start=1)}


def _pretty(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=2).encode() + b"\n"


def _line(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, content in make_leads().items():
        (FOLDER / name).write_bytes(content)
