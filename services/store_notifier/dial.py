"""Where a webhook may connect to: the address itself is checked at the moment of the connection.

A check of the name would be fooled by a second look-up (DNS rebinding) and by the many spellings of an address
(`0x7f000001`, `127.1`, `::ffff:127.0.0.1`). aiohttp hands every resolved address to `open_socket` before it connects,
for names and for literal addresses alike; a resolver of our own would be passed over for the latter.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network

# What `ipaddress.is_global` of Python 3.11 takes for public although it leads inside, or nowhere:
# https://www.iana.org/assignments/iana-ipv6-special-registry/ and its IPv4 sister.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # IPv4-compatible, deprecated
        "::ffff:0:0:0/96",  # IPv4-translated (SIIT)
        "64:ff9b::/96",  # NAT64: carries any IPv4 address
        "64:ff9b:1::/48",
        "100::/64",  # discard
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local, deprecated
    )
)


class BlockedAddressError(OSError):
    """The name leads to an address that must not be called. The text never says which: that would answer questions
    about the inside of our network."""

    def __init__(self) -> None:
        super().__init__("the address must not be called")


class AddressGuard:
    """Lets through public addresses, and the networks that the operator allows."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def is_allowed_inside(self, address: str) -> bool:
        """Whether the operator allows this address although it may be private."""
        return any(_plain(address) in network for network in self._allowed)

    def permits(self, address: str) -> bool:
        """Whether a webhook may connect to this address (as getaddrinfo writes it)."""
        plain = _plain(address)
        if any(plain in network for network in self._allowed):
            return True
        return plain.is_global and not plain.is_multicast and not any(plain in network for network in _NOT_PUBLIC)

    def open_socket(self, address_info: tuple[Any, ...]) -> socket.socket:
        """aiohttp's `socket_factory`: a socket for one resolved address. Raises BlockedAddressError."""
        family, kind, protocol, _, address = address_info
        if family not in (socket.AF_INET, socket.AF_INET6) or not self.permits(address[0]):
            raise BlockedAddressError
        return socket.socket(family, kind, protocol)


def _plain(address: str) -> IPv4Address | IPv6Address:
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
