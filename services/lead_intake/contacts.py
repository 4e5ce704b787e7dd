"""Showing a contact: only to another service that signs for it, once per nonce, and never without a record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.lead_intake import db_people
from services.lead_intake.domain import Contact
from services.lead_intake.faults import faults_of
from services.lead_intake.problems import Problem
from services.lead_intake.seal import Seal, Unreadable
from shared.keys import Keys
from shared.postgres import Connection, Pool, PostgresUnavailable, transact
from shared.signatures import BadSignatureError, verify
from shared.vocabulary import Slug


class ContactRequest(BaseModel):
    """Who wants to see which contact, for which assignment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lead_id: UUID
    site_id: Slug
    epoch: Annotated[int, Field(ge=1, le=2**31 - 1)]
    nonce: Annotated[str, StringConstraints(pattern=r"^[\w.\-]{8,128}$")]
    via: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Reveals contacts."""

    pool: Pool
    keys: Keys
    seal: Seal
    clock: Callable[[], datetime]

    async def reveal(self, headers: dict[str, str], body: bytes) -> Contact:
        """The contact that a signed request asks for, after the reveal was recorded.

        Raises Problem: 401 unsigned, 404 unknown or erased, 409 the lead moved on, 410 nonce used, 422, 503.
        """
        now = self.clock()
        try:
            verify([self.keys.service_secret], headers, body, now)
        except BadSignatureError as error:
            raise Problem(401, "unsigned", "The request is not signed by a service of ours", str(error)) from error
        try:
            request = ContactRequest.model_validate_json(body)
        except ValidationError as error:
            raise Problem(
                422, "contact-request-refused", "The request is not understood", faults=faults_of(error)
            ) from None

        async def open_and_record(connection: Connection) -> Contact:
            return await self._open_and_record(connection, request, now)

        try:
            return await transact(self.pool, open_and_record, tries=2)
        except PostgresUnavailable as error:
            raise Problem(503, "unavailable", "The contact cannot be read now", headers={"retry-after": "2"}) from error

    async def _open_and_record(self, connection: Connection, request: ContactRequest, now: datetime) -> Contact:
        stored = await db_people.read_contact(connection, request.lead_id)
        if stored is None:
            raise Problem(404, "no-contact", "There is no contact", "the lead is unknown, or its person was erased")
        # The intake may lag behind the router, so only a newer holder than the one asking is a reason to refuse.
        if stored.epoch > request.epoch and stored.site_id != request.site_id:
            raise Problem(409, "lead-moved-on", "The lead is no longer with this site")
        if not await db_people.record_reveal(
            connection, request.nonce, request.lead_id, request.site_id, request.epoch, request.via, now
        ):
            raise Problem(410, "nonce-used", "This link was used before", "each may show the contact once")
        try:
            return self.seal.open(request.lead_id, stored.key_id, stored.sealed)
        except Unreadable as error:
            raise Problem(500, "contact-unreadable", "The contact cannot be opened", str(error)) from error
