"""Finds the addresses a webhook may be sent to, and refuses those that are not public.

Whoever may set a webhook must not reach this machine's own services with it. A name is looked up once, the addresses
found are judged, and the connection goes to one of those: a name that changes in between changes nothing.
"""

import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from lns.outlets import lookups

_UNLESS = "unless deliveries.allow_private of the server is off"

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host; OSError: there are none."""


def is_public(address: str) -> bool:
    """Whether an address is of the public Internet; one that carries another is judged by that too."""
    ip = ip_address(address.partition("%")[0])
    carried = _carried(ip) if isinstance(ip, IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (carried is None or carried.is_global)


def _carried(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


async def look_up(host: str, port: int) -> list[str]:
    """The addresses the system knows for a host."""
    found = await lookups.running()(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Guard:
    """Judges hosts; `resolve` looks them up."""

    def __init__(self, allow_private: bool, resolve: Resolve = look_up) -> None:
        self._allow_private = allow_private
        self._resolve = resolve

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where a host may be reached; OSError: nowhere."""
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise OSError(f"{host} cannot be looked up: {error}") from error
        allowed = [address for address in found if self._allow_private or is_public(address)]
        if not allowed:
            where = host if found == [host] else f"{host} is {', '.join(found)}, which"
            raise OSError(f"{where} is private: allow it by allow_private=true of the outlet, {_UNLESS}")
        return allowed
