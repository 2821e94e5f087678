"""Bounds of what is taken from a gateway, so that nothing above meets a number it cannot store."""

from typing import Any

import msgspec
import pytest

from lns.gateways.rxpk import GatewayStat, Rsig, Rxpk

LEAST = {"data": "AA==", "freq": 868.1, "modu": "LORA", "datr": "SF7BW125"}


def test_four_fields_are_a_packet() -> None:
    assert msgspec.convert(LEAST, Rxpk) == Rxpk(b"\0", 868.1, "LORA", "SF7BW125")


@pytest.mark.parametrize(
    ("struct", "field", "least", "most"),
    [
        (Rxpk, "tmst", 0, 2**32 - 1),
        (Rxpk, "tmms", 0, 10**15),
        (Rxpk, "ftime", 0, 999_999_999),
        (Rxpk, "chan", 0, 65_535),
        (Rxpk, "rfch", 0, 65_535),
        (Rxpk, "foff", -10_000_000, 10_000_000),
        (Rxpk, "stat", -1, 1),
        (Rsig, "ant", 0, 65_535),
        (Rsig, "foff", -10_000_000, 10_000_000),
        (GatewayStat, "lati", -90, 90),
        (GatewayStat, "long", -180, 180),
        (GatewayStat, "alti", -100_000, 100_000),
        (GatewayStat, "rxnb", 0, 2**32 - 1),
    ],
)
def test_numbers_are_bounded(struct: type[msgspec.Struct], field: str, least: int, most: int) -> None:
    whole: dict[str, Any] = LEAST if struct is Rxpk else {}
    for value in (least, most):
        assert getattr(msgspec.convert(whole | {field: value}, struct), field) == value
    for value in (least - 1, most + 1):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(whole | {field: value}, struct)


def test_texts_are_bounded() -> None:
    for field in ("pfrm", "mail", "desc"):
        msgspec.convert({field: "x" * 256}, GatewayStat)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({field: "x" * 257}, GatewayStat)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(LEAST | {"datr": "S" * 17}, Rxpk)
