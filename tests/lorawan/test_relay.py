import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.errors import FrameError
from lns.lorawan.relay import (
    ForwardedUplink,
    build_forwarded_uplink,
    parse_forwarded_uplink,
    root_wor_s_key,
    wor_keys,
)
from tests.lorawan import vectors


@pytest.mark.parametrize("vector", vectors.of("relay_keys"), ids=vectors.name)
def test_keys_of_a_device_behind_a_relay(vector: dict) -> None:
    root = root_wor_s_key(bytes.fromhex(vector["NwkSKey_or_NwkSEncKey"]))
    int_key, enc_key = wor_keys(root, vector["dev_addr"])
    assert (root.hex(), int_key.hex(), enc_key.hex()) == (
        vector["RootWorSKey"],
        vector["WorSIntKey"],
        vector["WorSEncKey"],
    )


@pytest.mark.parametrize("vector", vectors.of("relay_forward_uplink"), ids=vectors.name)
def test_forwarded_uplink_parses_and_is_built_again(vector: dict) -> None:
    metadata = vector["metadata"]
    uplink = ForwardedUplink(
        metadata["wor_channel"],
        metadata["rssi_dbm"],
        metadata["snr_db"],
        metadata["data_rate"],
        vector["freq_hz"],
        bytes.fromhex(vector["inner_phy_payload"]),
    )
    assert parse_forwarded_uplink(bytes.fromhex(vector["forward_payload"])) == uplink
    assert build_forwarded_uplink(uplink).hex() == vector["forward_payload"]


@pytest.mark.parametrize("size", [0, 6])
def test_forwarded_uplink_without_a_frame_is_refused(size: int) -> None:
    with pytest.raises(FrameError) as caught:
        parse_forwarded_uplink(bytes(size))
    assert (caught.value.reason, str(caught.value)) == (
        "malformed",
        f"forwarded uplink is {size} octets, at least 7 are needed",
    )


@pytest.mark.parametrize(
    ("sent", "read"), [((-160, -25), (-142, -20)), ((-14, 12), (-15, 11)), ((0, 40), (-15, 11)), ((-15, 0), (-15, 0))]
)
def test_signal_out_of_range_is_sent_as_the_nearest(sent: tuple[int, int], read: tuple[int, int]) -> None:
    uplink = parse_forwarded_uplink(build_forwarded_uplink(ForwardedUplink(0, *sent, 5, 868_100_000, b"\x40")))
    assert (uplink.rssi_dbm, uplink.snr_db) == read


@given(
    st.builds(
        ForwardedUplink,
        st.integers(0, 3),
        st.integers(-142, -15),
        st.integers(-20, 11),
        st.integers(0, 15),
        st.integers(0, 2**24 - 1).map(lambda steps: 100 * steps),
        st.binary(min_size=1),
    )
)
def test_any_forwarded_uplink_reads_as_it_was_sent(uplink: ForwardedUplink) -> None:
    assert parse_forwarded_uplink(build_forwarded_uplink(uplink)) == uplink
