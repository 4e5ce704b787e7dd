"""The live inbox as a channel: what its page may do, done by the same functions that serve signed requests."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from starlette.exceptions import HTTPException

from services.store_notifier import answers
from services.store_notifier.contacts import ContactGone, Contacts, ContactUnavailable, NotHolder
from services.store_notifier.domain import Said, Verdict
from services.store_notifier.metrics import Metrics
from services.store_notifier.pages.handlers import NoContact
from services.store_notifier.pages.render import Contact
from shared.postgres import Pool


def answering(pool: Pool, metrics: Metrics, now: Callable[[], datetime]) -> Callable[[Said], Awaitable[Verdict]]:
    """How the page records what a person says of an assignment."""

    async def answer(said: Said) -> Verdict:
        try:
            answered = await answers.record(pool, said, now())
        except answers.NotYours:
            raise HTTPException(404) from None
        metrics.answers.labels(verdict=answered.verdict.kind, via="inbox").inc()
        return answered.verdict

    return answer


def revealing(pool: Pool, contacts: Contacts) -> Callable[[UUID, int, str], Awaitable[Contact]]:
    """How the page gets a contact that a person asked for: (lead id, epoch, site id) -> contact."""

    async def reveal(lead_id: UUID, epoch: int, site_id: str) -> Contact:
        try:
            found = await contacts.reveal_in_inbox(pool, lead_id, epoch, site_id)
        except NotHolder:
            raise NoContact("contact_not_yours") from None
        except ContactGone:
            raise NoContact("contact_erased") from None
        except ContactUnavailable:
            raise NoContact("contact_later") from None
        return Contact(found.name, found.phone, found.email)

    return reveal
