"""The vectors of all four packages and versions, which name no table but a port and a version."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.layout import Command
from lns.lorawan.packages import clock_sync, firmware, fragmentation, multicast_setup
from tests.lorawan import vectors

Parse = Callable[[bytes, bool], tuple[list[Command], str | None]]

PACKAGES: dict[tuple[int, int], tuple[Parse, Callable[..., bytes]]] = {
    (200, 1): (multicast_setup.parse, multicast_setup.encode),
    (200, 2): (multicast_setup.parse, multicast_setup.encode),
    (201, 1): (fragmentation.TABLES[1].parse, fragmentation.TABLES[1].encode),
    (201, 2): (fragmentation.TABLES[2].parse, fragmentation.TABLES[2].encode),
    (202, 1): (clock_sync.parse, clock_sync.encode),
    (202, 2): (clock_sync.parse, clock_sync.encode),
    (203, 1): (firmware.parse, firmware.encode),
}


def _fields(vector: dict) -> dict[str, Any]:
    # 2**time_out_exp, which the vectors also write out
    return {name: value for name, value in vector["fields"].items() if name != "timeout_s"}


@pytest.mark.parametrize("vector", vectors.of("app_layer"), ids=vectors.name)
def test_command_parses_and_is_encoded_again(vector: dict) -> None:
    parse, encode = PACKAGES[vector["fport"], vector["package_version"]]
    octets, uplink = bytes.fromhex(vector["encoded"]), vector["direction"] == "up"
    assert parse(octets, uplink) == ([Command(octets[0], vector["name"], _fields(vector))], None)
    assert encode(vector["name"], uplink, **_fields(vector)) == octets


@pytest.mark.parametrize("vector", vectors.of("app_layer"), ids=vectors.name)
def test_cut_off_command_is_a_problem(vector: dict) -> None:
    parse, _ = PACKAGES[vector["fport"], vector["package_version"]]
    octets, uplink = bytes.fromhex(vector["encoded"]), vector["direction"] == "up"
    fixed = len(octets) if vector["name"] != "DataFragment" else 3  # a fragment may have any length
    for size in range(1, fixed):
        assert parse(octets[:size], uplink) == ([], f"{vector['name']} is cut off after {size - 1} octets")


@given(st.sampled_from(sorted(PACKAGES)), st.binary(max_size=60), st.booleans())
def test_commands_read_from_any_octets_are_encoded_to_octets_that_read_the_same(
    package: tuple[int, int], data: bytes, uplink: bool
) -> None:
    parse, encode = PACKAGES[package]
    commands, problem = parse(data, uplink)
    encoded = b"".join(encode(command.name, uplink, **command.fields) for command in commands)
    assert parse(encoded, uplink) == (commands, None)
    assert (len(encoded) == len(data)) == (problem is None)
