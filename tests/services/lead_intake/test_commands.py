"""The commands as people type them, against a running intake."""

import asyncio
import base64
import os
import re
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from services.lead_intake.seal import Seal
from shared.keys import load_keys
from tests.services.lead_intake.builders import lead_json
from tests.services.lead_intake.running import Installation, IntakeProcess, until
from tests.waypost_command import Ran, run_waypost

ADF = "<prospect><customer><contact><name>Test Person</name><phone>{phone}</phone></contact></customer></prospect>"


@pytest.fixture(autouse=True)
def _addresses(installation: Installation, intake: IntakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = installation.settings
    for name, value in {
        "KAFKA": settings.kafka,
        "POSTGRES": settings.require_postgres(),
        "KEYS": str(settings.key_file),
        "DATA_FOLDER": str(settings.data_folder),
        "INTAKE_URL": intake.url,
    }.items():
        monkeypatch.setenv(f"WAYPOST_{name}", value)


async def command(*words: str) -> Ran:
    return await asyncio.to_thread(run_waypost, *words)


async def key_of(name: str, *options: str) -> str:
    added = await command("source", "add", name, "--key-only", *options)
    assert added.exit_code == 0, added.output
    return added.stdout.strip()


def refusal(ran: Ran) -> str:
    assert ran.exit_code == 1, ran.output
    assert ran.stderr.startswith("waypost: "), ran.output
    return ran.stderr.removeprefix("waypost: ")


async def test_a_source_is_added_listed_and_revoked(intake: IntakeProcess) -> None:
    first, second = await key_of("partner"), await key_of("partner", "--consent-version", "partner-2")
    assert (await intake.post(authorization=f"Bearer {first}")).status == 202
    assert (await intake.post(authorization=f"Bearer {second}")).status == 202

    listed = (await command("source", "list")).stdout
    key_ids = re.findall(r"partner +([0-9a-f]{8})", listed)
    assert len(key_ids) == 2
    assert "partner-2" in listed
    assert first not in listed

    assert (await command("source", "revoke", "partner", "--key-id", key_ids[0])).exit_code == 0

    async def only_the_second() -> bool:
        statuses = [(await intake.post(authorization=f"Bearer {key}")).status for key in (first, second)]
        return statuses == [401, 202]

    await until(only_the_second, "the revoked key still works, or the other does not")
    assert "no such key" in refusal(await command("source", "revoke", "partner", "--key-id", key_ids[0]))


async def test_a_name_that_cannot_be_published_is_refused() -> None:
    assert "lower-case" in refusal(await command("source", "add", "Not A Slug"))
    assert "phone number" in refusal(await command("source", "add", "fine", "--consent-version", "13800138000"))


async def test_files_of_every_format_are_sent_and_each_lead_is_told(tmp_path: Path) -> None:
    key = await key_of("files", "--consent-version", "files-1")
    (tmp_path / "a.json").write_bytes(orjson.dumps(lead_json()))
    (tmp_path / "b.ndjson").write_bytes(orjson.dumps(lead_json()) + b"\n" + orjson.dumps(lead_json()))
    prospects = ADF.format(phone="13800138000") + ADF.format(phone="13800138001")
    (tmp_path / "c.xml").write_text(f"<adf>{prospects}</adf>")
    (tmp_path / "notes.txt").write_text("not a lead")

    sent = await command("send", str(tmp_path), "--key", key)

    assert sent.exit_code == 0, sent.output
    assert re.findall(r"(\w\.\w+)\s+(\d)\s+(\d{3})\s+[0-9a-f\-]{36}", sent.stdout) == [
        ("a.json", "1", "202"),
        ("b.ndjson", "1", "202"),
        ("b.ndjson", "2", "202"),
        ("c.xml", "1", "202"),
        ("c.xml", "2", "202"),
    ]


async def test_a_refused_lead_is_told_with_its_reason_and_fails_the_command(tmp_path: Path) -> None:
    key = await key_of("files")
    (tmp_path / "bad.json").write_bytes(orjson.dumps(lead_json(location={"lat": 1, "lon": 2})))
    (tmp_path / "good.json").write_bytes(orjson.dumps(lead_json()))

    sent = await command("send", str(tmp_path / "bad.json"), str(tmp_path / "good.json"), "--key", key)

    assert refusal(sent).startswith("not accepted: 1 of 2 leads")
    assert "/location/datum" in sent.stdout


async def test_what_cannot_be_sent_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a lead")
    (tmp_path / "a.json").write_bytes(b"{}")

    assert "does not exist" in refusal(await command("send", str(tmp_path / "none.json"), "--key", "k"))
    assert "no lead file" in refusal(await command("send", str(tmp_path / "notes.txt"), "--key", "k"))
    nobody = await command("send", str(tmp_path / "a.json"), "--key", "k", "--url", "http://127.0.0.1:9")
    assert "does not answer" in refusal(nobody)


async def test_a_person_is_erased_by_phone_or_address(installation: Installation, intake: IntakeProcess) -> None:
    lead = await intake.post(lead_json(contact={"phone": "13800138021", "email": "erase-21@example.com"}))

    erased = await command("privacy", "erase", "--phone", "138 0013 8021")

    assert erased.exit_code == 0, erased.output
    assert "1 contact of 1 lead and 2 recognition tokens" in erased.stdout
    assert not await installation.rows("SELECT FROM contacts WHERE lead_id = $1", lead.json["lead_id"])
    again = await command("privacy", "erase", "--email", "erase-21@example.com")
    assert "nothing was erased" in refusal(again)


async def test_contacts_are_sealed_anew_with_a_new_key(
    installation: Installation, intake: IntakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_id = (await intake.post()).json["lead_id"]
    old = load_keys(installation.settings.key_file)
    content = orjson.loads(installation.settings.key_file.read_bytes())
    new_key = base64.b64encode(b"2" * 32).decode()
    rotated = tmp_path / "rotated.json"
    rotated.touch(0o600)
    rotated.write_bytes(
        orjson.dumps(content | {"active_contact_key": "k2", "contact_keys": content["contact_keys"] | {"k2": new_key}})
    )
    monkeypatch.setenv("WAYPOST_KEYS", str(rotated))

    resealed = await command("privacy", "reseal")

    assert resealed.exit_code == 0, resealed.output
    assert not await installation.rows("SELECT FROM contacts WHERE key_id <> 'k2'")
    (row,) = await installation.rows("SELECT key_id, sealed FROM contacts WHERE lead_id = $1", lead_id)
    contact = Seal(load_keys(rotated), os.urandom).open(UUID(lead_id), row["key_id"], row["sealed"])
    assert contact.phone == "+8613800138000"
    # The running intake still seals with the old key, and a file without the new one cannot open what was resealed.
    assert old.active_contact_key == "k1"
    monkeypatch.setenv("WAYPOST_KEYS", str(installation.settings.key_file))
    assert "no contact key k2" in refusal(await command("privacy", "reseal"))
    monkeypatch.setenv("WAYPOST_KEYS", str(rotated))
    assert "0 contacts" in (await command("privacy", "reseal")).stdout


async def test_an_erasure_needs_exactly_one_way_to_say_who() -> None:
    assert "who is to be erased" in refusal(await command("privacy", "erase"))
    both = await command("privacy", "erase", "--phone", "13800138000", "--email", "a@example.com")
    assert "who is to be erased" in refusal(both)
    assert "UUID" in refusal(await command("privacy", "erase", "--person", "nonsense"))
    assert "no valid phone number" in refusal(await command("privacy", "erase", "--phone", "138"))


async def test_a_source_whose_ids_repeat_is_named_with_what_to_do(intake: IntakeProcess) -> None:
    key = await key_of("one-id-for-all", "--consent-version", "adf-1")
    for phone in ("13700137070", "13700137071"):
        body = f"<adf>{ADF.format(phone=phone).replace('<customer>', '<id>82000019</id><customer>')}</adf>"
        answer = await intake.post(body.encode(), content_type="text/xml", authorization=f"Bearer {key}")
        assert answer.status == 202, answer.body

    listed = await command("source", "list")

    assert "source one-id-for-all gave the id of one person's lead to 1 lead of other people: tell its owner" in (
        listed.stdout
    )


async def test_a_folder_with_something_left_out_is_sent_and_told(tmp_path: Path) -> None:
    key = await key_of("folder")
    (tmp_path / "Leads.JSON").write_bytes(orjson.dumps(lead_json()))
    (tmp_path / "more.json.part").write_bytes(orjson.dumps(lead_json()))
    (tmp_path / "README.md").write_text("# Leads of the day")

    sent = await command("send", str(tmp_path), "--key", key)
    told = await command("send", str(tmp_path), "--key", key, "--json")

    assert "more.json.part" in refusal(sent)
    assert re.search(r"Leads\.JSON +1 +202 +[0-9a-f-]{36}", sent.stdout)
    assert "README.md: its name does not end in" in sent.stdout
    report = orjson.loads(told.stdout)
    assert [row["accepted"] for row in report["leads"]] == [True]
    assert [left["may_hold_leads"] for left in report["left_out"]] == [False, True]


async def test_a_folder_without_a_lead_file_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Nothing today")
    assert "no lead file" in refusal(await command("send", str(tmp_path), "--key", await key_of("nothing")))
