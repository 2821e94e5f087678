"""Parquet files: every field of an uplink survives, and other programs can read them."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

import pyarrow.parquet as pq  # noqa: E402

from lns.archive import files  # noqa: E402
from lns.archive.files import UplinkFile  # noqa: E402
from lns.errors import StoreError  # noqa: E402
from lns.exchange.records import Rx, Stored, Uplink  # noqa: E402
from lns.lorawan.modulation import Fsk, Lora, LrFhss  # noqa: E402
from tests.exchange.build import uplink  # noqa: E402

int64 = st.integers(-(2**63), 2**63 - 1)
int32 = st.integers(-(2**31), 2**31 - 1)
int16 = st.integers(-(2**15), 2**15 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
number = st.floats(allow_nan=False)  # NaN is not equal to itself; a case of its own below
modulation = st.one_of(
    st.builds(Lora, int16, int64, text), st.builds(Fsk, int64), st.builds(LrFhss, int64, text, st.none() | int32)
)
small = st.none() | int32
large = st.none() | int64
rx = st.builds(
    Rx,
    gateway_eui=text,
    rssi_dbm=st.none() | number,
    snr_db=st.none() | number,
    tmst_us=large,
    received_at_us=int64,
    chan=small,
    rf_chain=small,
    antenna=small,
    gateway_time_us=large,
    gps_time_ms=large,
    fine_time_ns=large,
    freq_offset_hz=large,
)
uplinks = st.builds(
    Uplink,
    id=st.binary(min_size=16, max_size=16),
    device_id=int64,
    application_id=int64,
    dev_eui=text,
    dev_addr=text,
    fcnt_up=int64,
    fport=st.none() | st.integers(0, 255),
    data=st.binary(max_size=250),
    confirmed=st.booleans(),
    adr=st.booleans(),
    dr=st.integers(0, 15),
    freq_hz=int64,
    modulation=modulation,
    received_at_us=int64,
    rx=st.lists(rx, max_size=4).map(tuple),
    region=text,
    version=int32,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(uplinks, min_size=1, max_size=8), st.integers(1, 2**62), st.integers(0, 9), st.integers(1, 9))
def test_an_uplink_survives_parquet(records, first, skip, limit):
    numbered = list(enumerate(records, first))
    opened = UplinkFile("x", files.encode(numbered))
    assert opened.after(0, 100) == [Stored(seq, "uplink", record) for seq, record in numbered]
    page = opened.after(first - 1 + skip, limit)
    assert page == [Stored(seq, "uplink", record) for seq, record in numbered[skip : skip + limit]]


def test_columns_are_the_fields_of_the_records():
    assert set(files.UPLINK_COLUMNS) | {"modulation", "rx"} == set(Uplink.__struct_fields__)
    assert set(files.RX_COLUMNS) == set(Rx.__struct_fields__)
    fields = {name for kind in (Lora, Fsk, LrFhss) for name in kind.__struct_fields__}
    assert set(files.MODULATION_COLUMNS) == fields | {"type"}


def test_the_same_uplinks_give_the_same_bytes():
    numbered = [(n, uplink(n)) for n in range(1, 50)]
    assert files.encode(numbered) == files.encode(numbered)


def test_other_programs_see_times_and_receptions():
    (row,) = pq.read_table(io.BytesIO(files.encode([(7, uplink(1))]))).to_pylist()
    assert row["received_at"].isoformat() == "2023-11-14T22:13:20.000001+00:00"
    assert (row["seq"], row["modulation"], row["sf"], row["bitrate_bps"]) == (7, "LORA", 7, None)
    assert row["rx"][0]["gateway_eui"] == "aa" * 8
    assert row["rx"][0]["received_at"].isoformat() == "2023-11-14T22:13:20+00:00"


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_a_damaged_file_is_named(cut):
    data = files.encode([(1, uplink(1))])[:cut]
    with pytest.raises(StoreError, match=r"^the archive's file a\.parquet is damaged: "):
        UplinkFile("a.parquet", data)


def test_a_file_of_something_else_is_named():
    sink = io.BytesIO()
    pq.write_table(pa.table({name: [] for name in files.SCHEMA.names if name not in ("rx", "dr")}), sink)
    with pytest.raises(StoreError, match=r"^the archive's file a\.parquet has no column dr, rx$"):
        UplinkFile("a.parquet", sink.getvalue())
