"""The contact of a lead, for the site that holds it: asked from intake each time, kept nowhere on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import aiohttp
import orjson

from services.store_notifier.db import answers, assignments
from services.store_notifier.domain import Assignment, Earlier, holds
from shared import signatures
from shared.bounded_answer import read_at_most
from shared.contracts import Answer
from shared.postgres import Connection, Pool, transact
from shared.telemetry import get_logger

TIMEOUT_S = 5.0
MOST_ANSWER_BYTES = 64 * 1024
CLAIM = timedelta(seconds=15)
"""How long a fetch under way keeps others out; longer than the time-out."""


class NotHolder(Exception):  # noqa: N818 - these name states
    """The site does not hold the lead (any more)."""


class ContactGone(Exception):  # noqa: N818
    """It was fetched before by this endpoint, or the person was erased. The text is for people."""


class ContactUnavailable(Exception):  # noqa: N818
    """Intake cannot be asked now; nothing was revealed, and a later try may succeed."""


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a person. Never logged."""

    name: str | None
    phone: str | None
    email: str | None

    def __repr__(self) -> str:
        return "Contact(...)"


class Contacts:
    """Asks intake, which records every reveal."""

    def __init__(
        self, session: aiohttp.ClientSession, intake_url: str, service_secret: str, clock: Callable[[], datetime]
    ) -> None:
        self._session = session
        self._url = f"{intake_url.rstrip('/')}/internal/contacts"
        self._secret = service_secret
        self._clock = clock

    async def reveal_in_inbox(self, pool: Pool, lead_id: UUID, epoch: int, site_id: str) -> Contact:
        """The contact, for a person at the site's page; as often as asked, each time on record.

        Raises NotHolder, ContactGone, ContactUnavailable, PostgresUnavailable.
        """
        await _require_holder(pool, lead_id, epoch, site_id)
        return await self._ask(lead_id, epoch, site_id, uuid4(), "inbox")

    async def fetch_once(self, pool: Pool, lead_id: UUID, epoch: int, site_id: str, endpoint_id: UUID) -> Contact:
        """The contact, for a store's system: one successful fetch of each assignment by each endpoint.

        Raises NotHolder, ContactGone, ContactUnavailable, PostgresUnavailable.
        """
        await _require_holder(pool, lead_id, epoch, site_id)
        nonce, now = uuid4(), self._clock()

        async def claim(connection: Connection) -> bool:
            return await answers.claim_contact(connection, lead_id, epoch, endpoint_id, nonce, now, now + CLAIM)

        if not await transact(pool, claim):
            if await transact(
                pool, lambda connection: answers.contact_was_fetched(connection, lead_id, epoch, endpoint_id)
            ):
                raise ContactGone("the contact of this assignment was fetched before")
            raise ContactUnavailable("another fetch of this contact is under way")
        fetched_at = None
        try:
            contact = await self._ask(lead_id, epoch, site_id, nonce, "webhook")
            fetched_at = self._clock()
        finally:
            # Before the contact leaves: a store that could fetch it twice would make "one-time" a lie.
            await transact(pool, lambda connection: answers.end_contact_claim(connection, nonce, fetched_at))
        return contact

    async def _ask(
        self, lead_id: UUID, epoch: int, site_id: str, nonce: UUID, via: Literal["webhook", "inbox"]
    ) -> Contact:
        body = orjson.dumps(
            {"lead_id": str(lead_id), "site_id": site_id, "epoch": epoch, "nonce": str(nonce), "via": via}
        )
        headers = signatures.headers([self._secret], str(nonce), self._clock(), body)
        headers["content-type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                if response.status in (404, 410):
                    raise ContactGone("the contact was deleted")
                if response.status != 200:
                    get_logger().warning("contact.refused_by_intake", status=response.status)
                    raise ContactUnavailable(f"intake answered {response.status}")
                found = await read_at_most(response, MOST_ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            get_logger().warning("contact.intake_unreachable", error=type(error).__name__)
            raise ContactUnavailable("intake cannot be reached") from error
        return _contact_in(found)


def _contact_in(body: bytes | None) -> Contact:
    try:
        found = orjson.loads(body or b"")
    except ValueError:
        # Without its cause: the error could quote the contact.
        raise ContactUnavailable("intake's answer cannot be read") from None
    if not isinstance(found, dict):
        raise ContactUnavailable("intake's answer cannot be read")
    return Contact(found.get("name"), found.get("phone"), found.get("email"))


async def _require_holder(pool: Pool, lead_id: UUID, epoch: int, site_id: str) -> None:
    async def look(connection: Connection) -> tuple[Assignment | None, Earlier | None]:
        said = await answers.earlier(connection, lead_id, epoch)
        return await assignments.current(connection, lead_id), said.get("response")

    assignment, response = await transact(pool, look)
    given_back = response is not None and response.answer in (Answer.DECLINED, Answer.UNDELIVERABLE)
    if assignment is None or given_back or not holds(assignment, site_id, epoch):
        raise NotHolder
