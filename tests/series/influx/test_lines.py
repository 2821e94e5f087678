"""Rows as line protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.series.influx.lines import FLAG, HAS_UNIT, NUMBER, TEXT, decode, encode, encode_gone, tag_name, tag_text
from tests.series.build import T0, row

LINES = [
    (row(0, 21.5), f'm,device=7,field=t number=21.5,unit="C",kind=4i,seq=1i {T0}'),
    (row(0, 3), f'm,device=7,field=t number=3.0,unit="C",kind=4i,seq=1i {T0}'),
    (row(0, -0.0, unit=None), f"m,device=7,field=t number=0.0,kind=0i,seq=1i {T0}"),
    (row(0, True, unit=None, seq=9), f"m,device=7,field=t flag=true,kind=1i,seq=9i {T0}"),
    (row(0, 'say "\\"', unit=None), f'm,device=7,field=t text="say \\"\\\\\\"",kind=2i,seq=1i {T0}'),
    (row(0, 1.0, unit=""), f'm,device=7,field=t number=1.0,unit="",kind=4i,seq=1i {T0}'),
    (
        row(0, 1.0, unit=None, field="a b,c=d\\\n"),
        f"m,device=7,field=a\\ b\\,c\\=d%5C%0A number=1.0,kind=0i,seq=1i {T0}",
    ),
]


@pytest.mark.parametrize(("item", "line"), LINES)
def test_a_row_is_a_line_with_its_own_time(item, line):
    assert encode("m", item) == line


def test_a_point_that_is_gone_keeps_its_key():
    assert encode_gone("m", 7, "t", T0, 5) == f"m,device=7,field=t kind=8i,seq=5i {T0}"


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ([21, True, "x", "C", NUMBER + HAS_UNIT], (21.0, "C")),  # what an earlier type left does not count
        ([21, True, "x", "C", NUMBER], (21.0, None)),
        ([21, False, "x", None, FLAG], (False, None)),
        ([None, None, "x", "", TEXT + HAS_UNIT], ("x", "")),
    ],
)
def test_the_kind_says_which_column_counts(columns, value):
    found = decode(columns)
    assert (found, type(found[0])) == (value, type(value[0]))


@given(st.text(min_size=1))
def test_any_name_survives_as_a_tag(name):
    assert tag_name(tag_text(name)) == name
    assert not set(tag_text(name)) & {"\n", "\r", "\\"}
