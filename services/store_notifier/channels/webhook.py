"""One signed POST to a store's system: Standard Webhooks 1.0 headers around a CloudEvents 1.0 body.

The body is thin: what, where, until when, and two links. Name and phone are fetched by a signed request of their own,
so that they never lie in a store's request log, and never with a store that no longer holds the lead.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import orjson

from services.store_notifier.channels.session import StatusTold, open_session
from services.store_notifier.dial import BlockedAddressError
from services.store_notifier.domain import Event, Kind, Outcome, classify
from shared import signatures, tracing
from shared.contracts import CLOUDEVENTS_CONTENT_TYPE
from shared.retry_after import retry_after_s

__all__ = ["Webhook", "body_of", "open_session", "ping", "send"]

SOURCE = "/waypost/store_notifier"
PING_TYPE = "waypost.endpoint.ping.v1"
MOST_RESPONSE_BYTES = 16 * 1024
"""Read and thrown away so that the connection can be used again; a longer answer costs the connection instead."""
_CERTIFICATE_FAULTS = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is signed by itself, not by an authority",
    19: "the certificate is from an authority that is not trusted here",
    20: "the certificate is from an authority that is not trusted here, or an intermediate one is not sent along",
    21: "the certificate is from an authority that is not trusted here, or an intermediate one is not sent along",
    62: "the certificate is for another host",
    64: "the certificate is for another host",
}
"""By OpenSSL's verification codes (openssl/x509_vfy.h); its own texts would name hosts."""
DRAIN_WITHIN_S = 1.0
"""A body that takes longer is not worth the connection, nor the place of the next delivery."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One attempt: where to, signed with what, about which assignment."""

    delivery_id: UUID
    endpoint_id: UUID
    attempt: int
    url: str
    secrets: tuple[str, ...]
    body: bytes
    traceparent: str | None

    @property
    def trace(self) -> str | None:
        """The context of this attempt, which the store is told: the next step after `traceparent`."""
        return tracing.child(self.traceparent, f"{self.delivery_id}/{self.attempt}")


def body_of(delivery: asyncpg.Record, public_url: str) -> bytes:
    """The CloudEvent that tells of an assignment; the same bytes at every attempt.

    Only a site that may answer is told where: not its partner, and not who has lost the lead.
    """
    lead_id, epoch, kind = str(delivery["lead_id"]), delivery["epoch"], Event(delivery["event"])
    assignment: dict[str, Any] = {
        "lead_id": lead_id,
        "epoch": epoch,
        "site_id": delivery["site_id"],
        "intent": delivery["intent"],
        "distance_m": delivery["distance_m"],
    }
    if kind is Event.ESCALATION_ENDED:
        assignment["respond_by"] = delivery["respond_by"]
    elif kind is not Event.REVOKED:
        assignment["respond_by"] = delivery["expires_at"]
    if delivery["vehicle"] is not None:
        assignment["vehicle"] = orjson.Fragment(delivery["vehicle"])
    data: dict[str, Any] = {"assignment": assignment}
    if kind in (Event.CREATED, Event.REMINDER):
        path = f"{public_url}/v1/assignments/{lead_id}/{epoch}"
        data |= {"answer_url": f"{path}/answer", "contact_url": f"{path}/contact"}
    if delivery["reason"] is not None:
        data["reason"] = delivery["reason"]
    event = {
        "specversion": "1.0",
        "id": str(delivery["delivery_id"]),
        "source": SOURCE,
        "type": kind.type,
        "subject": lead_id,
        "time": delivery["decided_at"],
        "datacontenttype": "application/json",
        "data": data,
    }
    if delivery["traceparent"] is not None:
        event["traceparent"] = delivery["traceparent"]
    return orjson.dumps(event, option=orjson.OPT_UTC_Z)


def ping(endpoint_id: UUID, url: str, secrets: tuple[str, ...], event_id: UUID, now: datetime) -> Webhook:
    """A test event: a store proves with it that it can verify what it is sent. It is about no lead."""
    event = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": SOURCE,
        "type": PING_TYPE,
        "time": now,
        "datacontenttype": "application/json",
        "data": {},
    }
    return Webhook(event_id, endpoint_id, 1, url, secrets, orjson.dumps(event, option=orjson.OPT_UTC_Z), None)


async def send(session: aiohttp.ClientSession, webhook: Webhook, now: datetime) -> Outcome:
    """Make one attempt. Never raises for what the other side does; a cancelled attempt has an unknown outcome."""
    headers = {
        "content-type": CLOUDEVENTS_CONTENT_TYPE,
        "waypost-endpoint": str(webhook.endpoint_id),
        "waypost-attempt": str(webhook.attempt),
        **signatures.headers(webhook.secrets, str(webhook.delivery_id), now, webhook.body),
    }
    if (trace := webhook.trace) is not None:
        headers["traceparent"] = trace
    try:
        response = await session.post(webhook.url, data=webhook.body, headers=headers, allow_redirects=False)
    except StatusTold as told:
        return _outcome(told.status, told.retry_after, now)
    except TimeoutError:
        return Outcome(Kind.TRANSIENT, "no answer in time")
    except aiohttp.ClientConnectorCertificateError as error:
        code: int = getattr(error.certificate_error, "verify_code", 0)
        return Outcome(Kind.MISCONFIGURED, _CERTIFICATE_FAULTS.get(code, f"the certificate is refused (code {code})"))
    except aiohttp.ClientConnectorSSLError:
        return Outcome(Kind.TRANSIENT, "the TLS handshake failed")
    except aiohttp.ClientConnectorDNSError:
        return Outcome(Kind.TRANSIENT, "the host name was not found")
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, BlockedAddressError):
            return Outcome(Kind.BLOCKED, "the address must not be called")
        return Outcome(Kind.TRANSIENT, "no connection")
    except aiohttp.InvalidURL:
        return Outcome(Kind.MISCONFIGURED, "the address is not a URL")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Outcome(Kind.TRANSIENT, f"the connection failed ({type(error).__name__})")
    outcome = _outcome(response.status, response.headers.get("retry-after"), now)
    await _drain(response)
    return outcome


def _outcome(status: int, retry_after: str | None, now: datetime) -> Outcome:
    return Outcome(classify(status), f"HTTP {status}", status, retry_after_s(retry_after, now))


async def _drain(response: aiohttp.ClientResponse) -> None:
    # The status line has said everything. A body that drips, never ends or breaks off changes nothing, and is left.
    try:
        async with asyncio.timeout(DRAIN_WITHIN_S):
            read = 0
            while chunk := await response.content.readany():
                read += len(chunk)
                if read > MOST_RESPONSE_BYTES:
                    response.close()
                    return
    except Exception:  # noqa: BLE001
        response.close()
    except BaseException:
        response.close()
        raise
