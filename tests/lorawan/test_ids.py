from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan import ids
from tests.lorawan import vectors


@pytest.mark.parametrize(
    "text",
    [
        "70b3d57ed0000001",
        "70B3D57ED0000001",
        "70-B3-D5-7E-D0-00-00-01",
        "70:b3:d5:7e:d0:00:00:01",
        "  70b3d57ed0000001\n",
    ],
)
def test_eui_is_read_as_people_paste_it(text: str) -> None:
    assert ids.parse_eui(text) == "70b3d57ed0000001"


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (ids.parse_eui, "", "'' is not an EUI: 16 hex digits are needed"),
        (ids.parse_eui, "70b3d57ed000001", "'70b3d57ed000001' is not an EUI: 16 hex digits are needed"),
        (ids.parse_eui, "70b3d57ed00000001", "'70b3d57ed00000001' is not an EUI: 16 hex digits are needed"),
        (ids.parse_eui, "70b3d57ed000000g", "'70b3d57ed000000g' is not an EUI: 16 hex digits are needed"),
        (
            ids.parse_eui,
            "70-b3:d5-7e-d0-00-00-01",  # two kinds of separator
            "'70-b3:d5-7e-d0-00-00-01' is not an EUI: 16 hex digits are needed",
        ),
        (
            ids.parse_eui,
            "70b3 d57e d000 0001",
            "'70b3 d57e d000 0001' is not an EUI: 16 hex digits are needed",
        ),
        (ids.parse_dev_addr, "2601", "'2601' is not a DevAddr: 8 hex digits are needed"),
        (ids.parse_net_id, "0000131", "'0000131' is not a NetID: 6 hex digits are needed"),
    ],
)
def test_bad_identifier_is_named(parse: Callable[[str], str], text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_dev_addr_net_id_and_key_are_read_in_display_order() -> None:
    assert ids.parse_dev_addr("26:01:1B:DA") == "26011bda"
    assert ids.parse_net_id("00-00-13") == "000013"
    assert ids.parse_key("2B7E151628AED2A6ABF7158809CF4F3C") == bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")


def test_bad_key_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError) as caught:
        ids.parse_key("2b7e151628aed2a6abf7158809cf4f3")
    assert str(caught.value) == "the key has 31 characters: 32 hex digits are needed"


def test_key_with_a_letter_that_is_no_digit_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError) as caught:
        ids.parse_key("2b7e151628aed2a6abf7158809cf4f3x")
    assert str(caught.value) == "the key is not hex: 32 hex digits are needed"


def test_identifiers_go_on_air_reversed() -> None:
    assert ids.eui_le("70b3d57ed0000001") == bytes.fromhex("010000d07ed5b370")
    assert ids.dev_addr_le("26011bda") == bytes.fromhex("da1b0126")


@pytest.mark.parametrize("vector", vectors.of("netid"), ids=vectors.name)
def test_dev_addr_prefix_of_each_net_id_type(vector: dict) -> None:
    prefix, bits = ids.dev_addr_prefix(vector["net_id"])
    assert (f"{prefix:08x}", bits) == (vector["dev_addr_prefix"], vector["dev_addr_prefix_len"])
    nwk_addr = int(vector["example_dev_addr"], 16) & ((1 << (32 - bits)) - 1)
    assert ids.make_dev_addr(vector["net_id"], nwk_addr) == vector["example_dev_addr"]


@pytest.mark.parametrize(
    ("net_id", "nwk_addr", "message"),
    [
        ("000013", 1 << 25, "nwk_addr is 33554432, net_id 000013 has 0 to 33554431"),
        ("f8155b", 128, "nwk_addr is 128, net_id f8155b has 0 to 127"),
        ("f8155b", -1, "nwk_addr is -1, net_id f8155b has 0 to 127"),
    ],
)
def test_dev_addr_outside_the_network_is_refused(net_id: str, nwk_addr: int, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        ids.make_dev_addr(net_id, nwk_addr)
    assert str(caught.value) == message


@given(st.binary(min_size=8, max_size=8), st.sampled_from(["", "-", ":"]), st.booleans())
def test_any_eui_is_read_in_any_spelling(octets: bytes, separator: str, upper: bool) -> None:
    text = octets.hex(separator) if separator else octets.hex()
    assert ids.parse_eui(text.upper() if upper else text) == octets.hex()
