"""An address that cannot be had is said in a plain sentence."""

import logging
import socket

import pytest

from lns.config import ConfigError
from lns.gateways import udp_socket


def test_a_taken_port_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(ConfigError) as error:
            udp_socket.bind("127.0.0.1", port)
    assert str(error.value) == f"udp port {port} on 127.0.0.1 is taken by another program"


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ConfigError) as error:
        udp_socket.bind("192.0.2.1", 1700)
    assert str(error.value) == "cannot listen on udp port 1700 of 192.0.2.1: Cannot assign requested address"


def test_a_host_without_address_is_named() -> None:
    # names that are refused before a name server is asked
    for host in ("no..host", "x" * 300):
        with pytest.raises(ConfigError) as error:
            udp_socket.bind(host, 1700)
        assert str(error.value) == f"udp host {host} has no address"


def test_ipv6_is_listened_on() -> None:
    with udp_socket.bind("::1", 0) as sock:
        assert sock.family == socket.AF_INET6


def test_the_receive_buffer_is_as_large_as_asked() -> None:
    with udp_socket.bind("127.0.0.1", 0) as sock:
        udp_socket.ask_for_buffer(sock, 65_536)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 65_536


def test_a_smaller_receive_buffer_than_asked_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    # the system doubles what it grants and cannot grant more than 2 GiB
    with udp_socket.bind("127.0.0.1", 0) as sock, caplog.at_level(logging.WARNING):
        udp_socket.ask_for_buffer(sock, 2**31 - 1)
    assert "instead of 2147483647: raise net.core.rmem_max" in caplog.text


def test_datagrams_that_found_no_room_are_counted() -> None:
    with udp_socket.bind("127.0.0.1", 0) as sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        udp_socket.ask_for_buffer(sock, 4096)
        for _ in range(200):
            sender.sendto(bytes(1000), sock.getsockname())
        received = 0
        try:
            while sock.recv(2000):
                received += 1
        except BlockingIOError:
            pass
        assert received + udp_socket.receive_drops(sock) == 200
        assert received < 200
