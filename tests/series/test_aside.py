"""Rows set aside, as every store keeps them."""

import math

from lns.series.aside import decode, digest, encode, why
from lns.series.store import Rejected
from tests.series.build import T0, row


def test_a_row_is_kept_exactly():
    assert encode(row(0, math.nan)) == f'[7, "t", {T0}, NaN, "C", 1]'
    assert math.isnan(decode(encode(row(0, math.nan))).value)
    for value in ("half \ud800", True, 1.0, 2**70, "\0"):
        assert decode(encode(row(0, value))) == row(0, value)


def test_a_row_is_known_by_all_it_says():
    other = {digest(encode(one)) for one in (row(0), row(1), row(0, seq=2), row(0, 2.0), row(0, device=8))}
    assert len(other) == 5
    assert digest(encode(row(0))).hex() in {one.hex() for one in other}


def test_the_reason_is_kept_beside_it():
    assert why(Rejected(3, "refused", "too long")) == {"code": "refused", "reason": "too long"}
