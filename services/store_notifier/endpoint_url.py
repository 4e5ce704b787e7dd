"""Whether a store's webhook address may be used, said to the operator who enters it."""

import asyncio
import socket

from yarl import URL

from services.store_notifier.dial import AddressGuard
from shared.errors import UserError

PORTS = (443, 8443)
LONGEST_URL = 2048


async def check_url(text: str, guard: AddressGuard) -> str:
    """The address of a new webhook in its normal form. Raises UserError with what to change.

    Plain http, other ports and literal addresses are for networks that the operator allows. The address is checked
    again at every connection: this check only spares an operator the surprise.
    """
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError:
        raise UserError("the webhook address is not a URL", "it looks like https://crm.example.com/waypost") from None
    if url.scheme not in ("https", "http") or not host or len(text) > LONGEST_URL:
        raise UserError("a webhook address starts with https:// and names a host")
    if url.user or url.password:
        raise UserError("a webhook address must not hold a user or a password", "requests are signed instead")
    if url.fragment:
        raise UserError("a webhook address must not have a fragment", "leave out everything from the # on")
    addresses = await _resolve(host, port or 443)
    if not all(guard.permits(address) for address in addresses):
        raise UserError(
            "the webhook address must not be called: it is not on the public internet",
            "allow its network with WAYPOST_NOTIFIER_ALLOW_NETWORKS if that is meant",
        )
    if not all(guard.is_allowed_inside(address) for address in addresses):
        if url.scheme != "https":
            raise UserError("a webhook address starts with https://")
        if port not in PORTS:
            raise UserError(f"port {port} is not allowed for webhooks", "use 443 or 8443")
        if _is_literal(host):
            raise UserError("a webhook address names a host, not a number", "certificates are issued for names")
    return str(url)


async def _resolve(host: str, port: int) -> set[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UserError("the webhook's host cannot be found", "check its spelling and your name server") from None
    return {str(info[4][0]) for info in found}


def _is_literal(host: str) -> bool:
    # inet_aton knows every historical spelling: 0x7f000001, 2130706433, 127.1, 0177.0.0.1
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
