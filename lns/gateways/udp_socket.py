"""The UDP socket itself, and what of it is the system's own."""

import errno
import logging
import socket
import struct
import sys

from lns.config import ConfigError

# Linux socket options that Python has no names for
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("9I")
_MEMINFO_DROPS = 8

_logger = logging.getLogger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """A UDP socket on an address; port 0 picks a free one. ConfigError when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"udp host {host} has no address") from error
    sock = socket.socket(family, kind, protocol)
    sock.setblocking(False)
    try:
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return sock


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"udp port {port} on {host} is taken by another program"
    if error.errno == errno.EACCES:
        return f"udp port {port} on {host} needs more rights than this program has"
    return f"cannot listen on udp port {port} of {host}: {error.strerror}"


def ask_for_buffer(sock: socket.socket, octets: int) -> None:
    """Ask for a receive buffer of `octets`: by right where we have it, else as much as the system allows."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, octets)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)
    # Linux answers with twice what it granted
    granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // (2 if sys.platform == "linux" else 1)
    if granted < octets:
        _logger.warning("the udp receive buffer is %d octets instead of %d: raise net.core.rmem_max", granted, octets)


def receive_drops(sock: socket.socket) -> int:
    """Datagrams that the system had no room for in the receive buffer; 0 where it does not say."""
    if sys.platform != "linux":
        return 0
    drops: int = _MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[_MEMINFO_DROPS]
    return drops
