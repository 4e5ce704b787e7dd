"""`waypost source ...`, `waypost privacy ...` and `waypost send`."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from asyncpg import Record
from pydantic import TypeAdapter, ValidationError

from services.lead_intake import db_people, db_sources
from services.lead_intake.db_sources import RepeatedIds, Source
from services.lead_intake.erase import Erased, erase_person
from services.lead_intake.lead_files import SUFFIXES, collect
from services.lead_intake.people import email_token, phone_token, to_address, to_e164
from services.lead_intake.repeated_ids import RECENT, told
from services.lead_intake.reseal import reseal_some
from services.lead_intake.seal import Seal, Unreadable
from services.lead_intake.send import Sent, post_files
from services.lead_intake.sending_output import print_sending, sending_as_json
from services.lead_intake.settings import IntakeSettings, read_settings
from services.lead_intake.source_keys import make_key
from shared.access_keys import hash_of
from shared.errors import UserError
from shared.keys import load_keys
from shared.near_misses import did_you_mean
from shared.personal import PublishableSlug, PublishableText
from shared.postgres import Connection, clock_time, open_pool, transact
from shared.terminal.output import Json, Output, print_json
from shared.terminal.table import print_table, table_of
from shared.words import counted

source_app = typer.Typer(help="Lead sources and their keys.", no_args_is_help=True)
privacy_app = typer.Typer(help="What people may ask for about their data.", no_args_is_help=True)

T = TypeVar("T")
SHOWN = 5
"""Names in one line."""
_SLUG: TypeAdapter[str] = TypeAdapter(PublishableSlug)
_PUBLIC: TypeAdapter[str] = TypeAdapter(PublishableText)
_NAME_RULE = "a source's name may hold lower-case letters, digits, dash and underscore, and nobody's number"
_TEXT_VERSION_RULE = "a text version may hold letters, digits, spaces and . , : + / -, and nothing like a phone number"


@source_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Lower-case name of the source, such as web-form.")],
    consent_version: Annotated[
        str | None,
        typer.Option(help="Text version that its people agree to; needed for ADF, which cannot say it per lead."),
    ] = None,
    key_only: Annotated[bool, typer.Option("--key-only", help="Print the key alone, for scripts.")] = False,
) -> None:
    """Add a source, or one more key to it, and show the key once."""
    source = Source(
        _valid(_SLUG, name, _NAME_RULE),
        _valid(_PUBLIC, consent_version, _TEXT_VERSION_RULE) if consent_version else None,
    )
    key = make_key(os.urandom)

    async def work(connection: Connection) -> None:
        now = await clock_time(connection)
        await db_sources.add_source(connection, source, now)
        await db_sources.add_key(connection, source.source, hash_of(key), now)

    _run(work)
    if key_only:
        typer.echo(key)
        return
    typer.echo(f"Source {source.source} sends with this key, which is not shown again:\n\n    {key}\n")


@source_app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every source and its keys (by id, never the keys)."""
    rows, repeated = _run(_list)
    if as_json:
        repeating = [{"source": found.source, "leads_of_other_people": found.leads} for found in repeated]
        print_json({"keys": [dict(row) for row in rows], "sources_whose_ids_repeat": repeating})
        return
    if not rows:
        typer.echo("No source yet: add one with `waypost source add NAME`.")
        return
    table = table_of("", ("source", "key id", "consent text", "since", "revoked"))
    for row in rows:
        revoked = f"{row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else ""
        since = f"{row['created_at']:%Y-%m-%d %H:%M}"
        table.add_row(row["source"], row["key_id"], row["consent_version"] or "", since, revoked)
    print_table(Output(), table)
    for found in repeated:
        typer.echo(told(found))


async def _list(connection: Connection) -> tuple[Sequence[Record], list[RepeatedIds]]:
    since = datetime.now(UTC) - RECENT
    return await db_sources.list_keys(connection), await db_sources.repeated_ids(connection, since)


@source_app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="The source.")],
    key_id: Annotated[str, typer.Option(help="Id of one key, as `source list` shows it; all keys without it.")] = "",
) -> None:
    """Revoke a source's keys; running intakes refuse them within 5 seconds."""

    async def work(connection: Connection) -> tuple[int, list[str]]:
        revoked = await db_sources.revoke_keys(connection, name, key_id.lower(), await clock_time(connection))
        return revoked, [row["source"] for row in await db_sources.list_keys(connection)]

    revoked, names = _run(work)
    if name not in names:
        raise UserError(f"there is no source {name}", did_you_mean(name, names) or "see `waypost source list`")
    if not revoked:
        raise UserError(f"source {name} has no such key in use", "see `waypost source list`")
    typer.echo(f"{counted(revoked, 'key')} of {name} revoked.")


@privacy_app.command("erase")
def erase(
    phone: Annotated[str, typer.Option(help="Phone of the person.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address of the person.")] = "",
    person: Annotated[str, typer.Option(help="The person_id, as facts and ledger carry it.")] = "",
) -> None:
    """Erase a person: contacts and recognition are deleted, and every service is told."""
    if sum(map(bool, (phone, email, person))) != 1:
        raise UserError("say who is to be erased", "give one of --phone, --email, --person")
    settings = read_settings()
    token = _token(settings, phone, email) if not person else None
    person_id = _person_id(person) if person else None

    async def work(connection: Connection) -> Erased | None:
        found = person_id
        if token is not None:
            found = (await db_people.persons_of(connection, [token])).get(token)
        return await erase_person(connection, found, await clock_time(connection)) if found else None

    erased = _run(work, settings)
    if erased is None:
        raise UserError("nobody is known by that, so nothing was erased", "check it for typing errors")
    typer.echo(
        f"Person {erased.person_id} erased: {counted(erased.contacts, 'contact')} of {counted(erased.leads, 'lead')} "
        f"and {counted(erased.tokens, 'recognition token')} deleted. The services are told through people.erased."
    )


@privacy_app.command("reseal")
def reseal() -> None:
    """Seal all contacts with the active key of the key file; afterwards the older keys can be destroyed."""
    settings = read_settings()
    seal = Seal(load_keys(settings.key_file), os.urandom)

    async def work(connection: Connection) -> int:
        return await reseal_some(connection, seal)

    total = 0
    try:
        while done := _run(work, settings):
            total += done
    except Unreadable as error:
        raise UserError(str(error), "put the old key back into contact_keys; nothing was lost") from None
    typer.echo(f"{counted(total, 'contact')} sealed anew with key {seal.key_id}; none is left under another key.")


def send(
    files: Annotated[list[Path], typer.Argument(help=f"Lead files ({SUFFIXES}), or folders of them.")],
    key: Annotated[str, typer.Option(envvar="WAYPOST_SOURCE_KEY", help="Key of the source that sends.")],
    url: Annotated[str, typer.Option(help="Address of the intake; default: the running one's.")] = "",
    as_json: Json = False,
) -> None:
    """Send lead files to the intake, show what became of each lead, and name what was not sent.

    Exit 1 unless every lead was accepted and nothing that may hold leads was left out.
    """
    base = url or read_settings().intake_url
    if not base:
        raise UserError("no address of the intake", "run `waypost up` in this folder, or give --url http://host:port")
    found = collect(files)
    sent: list[Sent] = []

    async def post() -> None:
        async for row in post_files(base, key, found.files):
            sent.append(row)  # noqa: PERF401 - what was sent before a failure must be shown too

    try:
        asyncio.run(post())
    finally:
        if as_json:
            print_json(sending_as_json(sent, found))
        else:
            print_sending(Output(), sent, found)
    refused = sum(not row.accepted for row in sent)
    if refused:
        raise UserError(f"not accepted: {refused} of {counted(len(sent), 'lead')}", "the last column says why")
    missed = [left.path.name for left in found.left_out if left.may_hold_leads]
    if missed:
        more = f" and {len(missed) - SHOWN} more" if len(missed) > SHOWN else ""
        raise UserError(f"not sent, although leads may be in it: {', '.join(missed[:SHOWN])}{more}", "see above why")
    if not sent:
        raise UserError("there is no lead file in the folders given", f"names must end in {SUFFIXES}")


def _token(settings: IntakeSettings, phone: str, email: str) -> bytes:
    pepper = load_keys(settings.key_file).pepper
    try:
        if phone:
            return phone_token(pepper, to_e164(phone, settings.intake_phone_region))
        return email_token(pepper, to_address(email))
    except ValueError as error:
        raise UserError(f"what was given {error}") from None


def _person_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UserError("--person takes a UUID", "find it with `waypost lead ID`") from None


def _valid(kind: TypeAdapter[str], text: str, rule: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError:
        raise UserError(rule) from None


def _run(work: Callable[[Connection], Awaitable[T]], settings: IntakeSettings | None = None) -> T:
    settings = settings or read_settings()

    async def run() -> T:
        async with open_pool(settings, "lead_intake", max_size=1) as pool:
            return await transact(pool, work, tries=2)

    return asyncio.run(run())
