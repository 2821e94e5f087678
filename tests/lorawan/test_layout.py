"""The table itself, with commands made up for the purpose; test_commands.py reads the real ones."""

import construct as c
import pytest

from lns.lorawan.layout import RFU, Command, Names, Row, Table, flags, octets, u

TABLE = Table(
    uplink=(
        Row(0x01, "Plain"),
        Row(0x02, "Errors", (octets(RFU(5), "errors" / Names("low", "middle", "high")),)),
        Row(
            0x03,
            "Counted",
            (octets("count" / u(8)), c.Struct("values" / c.Array(lambda this: this._params.count, c.Int16ul))),
        ),
    ),
    downlink=(Row(0x01, "Flags", flags("first", "second")),),
)


@pytest.mark.parametrize(
    ("errors", "encoded"),
    [([], "0200"), (["low"], "0201"), (["low", "high"], "0205"), (["low", "middle", "high"], "0207")],
)
def test_names_are_those_of_the_bits_that_are_set(errors: list[str], encoded: str) -> None:
    assert TABLE.encode("Errors", True, errors=errors).hex() == encoded
    assert TABLE.parse(bytes.fromhex(encoded), uplink=True) == ([Command(2, "Errors", {"errors": errors})], None)


def test_name_that_no_bit_has_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        TABLE.encode("Errors", True, errors=["high", "highest"])
    assert str(caught.value).endswith("highest is none of low, middle, high")


def test_part_of_a_command_may_depend_on_a_part_before_it() -> None:
    counted = Command(3, "Counted", {"count": 2, "values": [1, 2]})
    assert TABLE.encode("Counted", True, **counted.fields).hex() == "030201000200"
    assert TABLE.parse(bytes.fromhex("03020100020001"), uplink=True) == ([counted, Command(1, "Plain", {})], None)


def test_each_direction_has_its_own_commands() -> None:
    assert TABLE.parse(b"\x01\x02", uplink=False) == ([Command(1, "Flags", {"first": False, "second": True})], None)
    assert TABLE.parse(b"\x01\x09", uplink=True) == ([Command(1, "Plain", {})], "cid 09 at octet 1 is not known")
