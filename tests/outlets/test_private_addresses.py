import socket

import pytest

from lns.outlets.private_addresses import Guard, is_public, look_up


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # cloud metadata
        ("100.64.0.1", False),  # carrier-grade NAT
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),  # IPv4 inside IPv6
        ("64:ff9b::7f00:1", False),  # through NAT64
        ("2002:7f00:1::", False),  # 6to4
    ],
)
def test_only_public_addresses_are_public(address, public):
    assert is_public(address) is public


async def test_a_name_of_a_private_address_is_refused():
    with pytest.raises(OSError, match=r"^localhost is .*, which is private: allow it by allow_private=true"):
        await Guard(False).addresses("localhost", 80)
    assert "127.0.0.1" in await Guard(True).addresses("localhost", 80)


async def test_of_the_addresses_of_a_name_the_private_ones_are_left_out():
    async def mixed(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "93.184.215.14", "127.0.0.1"]

    assert await Guard(False, mixed).addresses("mixed.example", 80) == ["93.184.215.14"]


async def test_a_name_that_is_not_known_is_told():
    async def none(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(OSError, match=r"^gone\.example cannot be looked up: no such name$"):
        await Guard(True, none).addresses("gone.example", 80)


async def test_addresses_are_not_repeated():
    assert await look_up("127.0.0.1", 80) == ["127.0.0.1"]
